"""What notebook 06 asks: which fault each of five trainings has, under letters instead of names."""

from collections.abc import Callable

from torch import nn
from torch.utils.data import TensorDataset


class _Times255(nn.Module):
    def forward(self, x):
        return x * 255


def mystery_trainings(fresh: Callable[[], nn.Module], data: TensorDataset) -> dict[str, dict]:
    """{"A": the arguments of notebook 06's `experiment`, ... "E"}, each with one of its faults:
    look at what they do, not here. fresh: makes an untrained network; data: for a healthy one.

        patients = lh.mystery_trainings(lh.LeNet5, data)
        experiment(**patients["A"])
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
