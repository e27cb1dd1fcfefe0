"""Copies of a model: to run it, to train it, and to copy back what it has learned."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ..words.texts import text


def copied(model: nn.Module) -> nn.Module:
    """A copy with weights of its own. Of a tensor with a history (an output that was kept), which
    `copy.deepcopy` refuses, it has the values; what cannot be copied (a lock) the two share."""
    memo, kept = {}, {}
    modules = {id(part): part for part in model.modules()}  # may be pointed back to
    for value in _kept(model, kept):
        if isinstance(value, torch.Tensor):
            if not value.is_leaf:
                memo[id(value)] = value.detach().clone()
            continue
        try:
            copy.deepcopy(value, {**memo, **modules})
        except Exception:  # whatever it says to being copied
            memo[id(value)] = value
    return copy.deepcopy(model, memo)


def _kept(value, seen: dict[int, Any]) -> Iterator[Any]:
    """What a module keeps, through layers, lists and dicts. `seen` holds it all, so that no two
    have one id."""
    if id(value) in seen:
        return
    seen[id(value)] = value
    inside = vars(value) if isinstance(value, nn.Module) else value
    if isinstance(inside, dict):
        inside = inside.values()
    elif not isinstance(inside, (list, tuple, set)):
        yield value
        return
    for part in list(inside):
        yield from _kept(part, seen)


def snapshot(model: nn.Module) -> nn.Module:
    """A copy of a model in eval mode: running it leaves the model as it is."""
    return copied(model).eval()


def first_convolution(model: nn.Module) -> nn.Conv2d | None:
    """A copy, on the CPU, of the first convolution of a model, or of the layer that it is."""
    layers = (layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    first = next(layers, None)
    return first and snapshot(first).cpu()


@torch.no_grad()
def copy_back(twin: nn.Module, model: nn.Module) -> None:
    """Gives a model the weights and buffers of its copy, into `.data`, which autograd does not
    watch: a `backward` that waits in a cell still works. Raises ValueError, and changes nothing,
    where the two no longer have the same layers."""
    given, taken = _state(twin), _state(model)
    if difference := first_difference(taken, given):
        raise ValueError(text("layers_changed", **difference))
    for name, value in given.items():
        taken[name].data.copy_(value)


def _state(model):
    """Parameters and buffers by name, each name of a shared one, too."""
    parts = (
        model.named_parameters(remove_duplicate=False),
        model.named_buffers(remove_duplicate=False),
    )
    return {name: value for part in parts for name, value in part}


def first_difference(found: dict, wanted: dict) -> dict[str, Any] | None:
    """The first tensor whose shape differs between two states: its `name`, and what is `found` and
    `wanted`, a shape or, where it is missing, None."""
    for name in wanted | found:
        shapes = [tuple(part[name].shape) if name in part else None for part in (found, wanted)]
        if shapes[0] != shapes[1]:
            return dict(name=name, found=shapes[0], wanted=shapes[1])
    return None
