"""Notebook 05's five patients: trainings with one fault each, under letters instead of names."""

from collections.abc import Callable

from torch import nn
from torch.utils.data import TensorDataset


class _Times255(nn.Module):
    def forward(self, x):
        return x * 255


def mystery_trainings(fresh: Callable[[], nn.Module], data: TensorDataset) -> dict[str, dict]:
    """{"A": the arguments of notebook 05's `experiment`, ... "E"}, each with one of its faults.

    fresh: makes an untrained network that ends in logits; data: what a healthy one trains on. Look
    at what they do, not here. Notebook 05.
    """
    in_order = data.tensors[1].argsort(stable=True)
    zero = fresh()
    for parameter in zero.parameters():
        nn.init.zeros_(parameter)
    by_digit = TensorDataset(*(tensor[in_order] for tensor in data.tensors))
    return {
        "A": {"model": fresh(), "data": by_digit, "shuffle": False},
        "B": {"model": nn.Sequential(fresh(), nn.Softmax(dim=1))},
        "C": {"model": fresh(), "lr": 0.0001},
        "D": {"model": zero},
        "E": {"model": nn.Sequential(_Times255(), fresh())},
    }
