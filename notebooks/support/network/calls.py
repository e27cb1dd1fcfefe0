"""A model's own pass, layer by layer: what each layer took, and what it made of it."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from ..words.texts import text


@dataclass
class Call:
    """A layer's turn in a pass; both tensors as they were then, the batch included."""

    layer: nn.Module
    took: torch.Tensor
    made: torch.Tensor | None = None  # None where the pass ended in this layer


def watch(layers: Iterable[nn.Module]) -> list[Call]:
    """A list that gets a `Call` at each call of one of the layers, which are hooked for good."""
    calls = []

    def enter(layer, args, kwargs):
        calls.append(Call(layer, _tensor([*args, *kwargs.values()])))

    def leave(layer, args, output):
        call = next(c for c in reversed(calls) if c.layer is layer and c.made is None)
        call.made = _tensor([output] if isinstance(output, torch.Tensor) else output)

    for layer in dict.fromkeys(layers):
        refuse_scripted(layer)
        layer.register_forward_pre_hook(enter, with_kwargs=True)
        layer.register_forward_hook(leave)
    return calls


def refuse_scripted(model: nn.Module) -> None:
    """Raises ValueError for what torch.jit compiled, which shows nothing of its inside."""
    if isinstance(model, torch.jit.ScriptModule):
        raise ValueError(text("layer_scripted"))


def _tensor(values):
    """The first tensor among the values, a copy: a later step may write over it."""
    found = (value for value in values or () if isinstance(value, torch.Tensor))
    return next(found, torch.empty(0)).detach().clone()


def check_order(layers: dict[str, nn.Module], calls: list[Call], complete: bool = True) -> None:
    """Raises ValueError, naming the layer, where the calls are not one for each of the layers, in
    their order; of a pass that ended early (not `complete`), as far as it went."""
    wanted, used = list(layers.values()), [call.layer for call in calls]
    for name, layer in layers.items():
        times = used.count(layer)
        if times > wanted.count(layer):
            raise ValueError(text("layer_again", name=name, times=times))
        if complete and times < wanted.count(layer):
            raise ValueError(text("layer_unused", name=name))
    for (name, layer), now in zip(layers.items(), used):
        if now is not layer:
            early = next(other for other, each in layers.items() if each is now)
            raise ValueError(text("layer_order", name=name, early=early))
