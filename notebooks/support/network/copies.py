"""Copies of a model: to run it, to train it, and to copy back what it has learned."""

import copy
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_flatten

from ..words.texts import text


def copied(model: nn.Module) -> nn.Module:
    """A copy with weights of its own. Of a tensor with a history (an output that was kept), which
    `copy.deepcopy` refuses, it has the values; what cannot be copied (a lock) the two share."""
    memo, modules = {}, {id(part): part for part in model.modules()}  # may be pointed back to
    for value in tree_flatten([vars(part) for part in modules.values()])[0]:
        if isinstance(value, torch.Tensor):
            if not value.is_leaf:
                memo[id(value)] = value.detach().clone()
        elif not isinstance(value, nn.Module):
            try:
                copy.deepcopy(value, {**memo, **modules})
            except Exception:  # whatever it says to being copied
                memo[id(value)] = value
    return copy.deepcopy(model, memo)


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
    given, taken = twin.state_dict(), model.state_dict()
    if difference := first_difference(taken, given):
        raise ValueError(text("layers_changed", **difference))
    for name, value in given.items():
        taken[name].data.copy_(value)


def first_difference(found: dict, wanted: dict) -> dict[str, Any] | None:
    """The first tensor whose shape differs between two states: its `name`, and what is `found` and
    `wanted`, a shape or, where it is missing, None."""
    for name in wanted | found:
        shapes = [tuple(part[name].shape) if name in part else None for part in (found, wanted)]
        if shapes[0] != shapes[1]:
            return dict(name=name, found=shapes[0], wanted=shapes[1])
    return None
