"""A model's own pass, recorded: each layer's input, output and activation."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from ..data.pictures import grey_levels
from ..words.texts import text
from .copies import snapshot
from .lenet5 import LAYERS
from .predictions import as_input, as_scores, check_logits

ACTIVATIONS = {"ReLU": F.relu, "sigmoid": F.sigmoid, "tanh": F.tanh, "leaky ReLU": F.leaky_relu}


@dataclass
class Call:
    """A layer's turn in a pass; both tensors as they were then, the batch included."""

    name: str
    layer: nn.Module
    input: torch.Tensor
    output: torch.Tensor | None = None  # None where the pass ended in this layer


def record(layers: dict[str, nn.Module]) -> list[Call]:
    """A list that gets a `Call` at each call of one of the layers, which are hooked for good."""
    calls = []

    def enter(name, layer, args):
        calls.append(Call(name, layer, args[0].detach().clone()))  # a later step may write over it

    def leave(layer, args, output):
        calls[-1].output = output.detach().clone()

    for layer, name in {layer: name for name, layer in layers.items()}.items():
        refuse_scripted(layer)
        layer.register_forward_pre_hook(partial(enter, name))
        layer.register_forward_hook(leave)
    return calls


def refuse_scripted(model: nn.Module) -> None:
    """Raises ValueError for what torch.jit compiled, which shows nothing of its inside."""
    if isinstance(model, torch.jit.ScriptModule):
        raise ValueError(text("layer_scripted"))


def check_repeats(calls: list[Call]) -> None:
    """Raises ValueError for a layer that was called twice."""
    layers = [call.layer for call in calls]
    for name, times in ((call.name, layers.count(call.layer)) for call in calls):
        if times > 1:
            raise ValueError(text("layer_again", name=name, times=times))


class Step(NamedTuple):
    """What a layer did with one image, without the batch, float32 on the CPU.

    `activation` is what the next layer took of it (of the last layer, the logits), after `between`:
    one of ACTIVATIONS, "another step", or "" where it is `output` itself.
    """

    input: torch.Tensor
    output: torch.Tensor
    activation: torch.Tensor
    between: str


def activations(model: nn.Module, image) -> dict[str, Step]:
    """A Step for "input" and for each of LAYERS, of an image of 28 x 28 pixels as `grey_levels`
    takes it. Raises what `record_steps` does."""
    levels = image_levels(image)
    return {"input": Step(levels, levels, levels, ""), **record_steps(snapshot(model), image)}


def image_levels(image) -> torch.Tensor:
    """An image as a model takes it, (1, 28, 28). Raises ValueError for another size."""
    levels = grey_levels(image, "image")
    if levels.shape != (28, 28):
        raise ValueError(text("image_shape", found="×".join(map(str, levels.shape))))
    return levels[None]


@torch.no_grad()
def record_steps(model: nn.Module, image, names: list[str] = LAYERS) -> dict[str, Step]:
    """What each of these layers did in the pass of a `snapshot`, which is hooked for good, in the
    order of the pass. Raises ValueError for an image of another size, for a model that lacks one of
    them or does not use each once, and what `check_logits` says of what its `forward` gives."""
    levels, parts = image_levels(image), dict(model.named_modules(remove_duplicate=False))
    for name in names:
        if name not in parts:
            raise ValueError(text("no_layer", name=name, names=", ".join(names)))
    calls = record({name: parts[name] for name in names})
    logits = as_scores(check_logits(model(as_input(model, levels[None])), 1))
    check_repeats(calls)
    if unused := [name for name in names if name not in {call.name for call in calls}]:
        raise ValueError(text("layer_unused", name=unused[0]))
    following = [*(call.input for call in calls[1:]), logits]
    steps = {call.name: _step(call, after) for call, after in zip(calls, following)}
    last, step = steps.popitem()
    return {**steps, last: step._replace(activation=logits[0].cpu().float())}


def _step(call, after):
    given, output, after = (part.cpu().float()[0] for part in (call.input, call.output, after))
    if after.numel() == output.numel():
        same = after.reshape(output.shape)
        for name, activation in {"": torch.clone, **ACTIVATIONS}.items():
            # of ReLU, 0 is 0
            if torch.allclose(same, activation(output), rtol=1e-4, atol=0, equal_nan=True):
                return Step(given, output, same, name)
        if after.shape == output.shape:
            return Step(given, output, same, "another step")
    return Step(given, output, output, "")  # in another form: nobody knows which number went where
