"""What a model makes of images. The model is left untouched, and may be in training meanwhile."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from ..checks import white_level
from ..data.pictures import grey_levels
from ..words.texts import text
from .calls import check_order, watch
from .copies import snapshot
from .forward import as_scores, check_logits

LAYERS = ["c1", "s2", "c3", "s4", "fc1", "fc2", "fc3"]
ACTIVATIONS = {"ReLU": F.relu, "sigmoid": F.sigmoid, "tanh": F.tanh, "leaky ReLU": F.leaky_relu}


def as_float(images: torch.Tensor) -> torch.Tensor:
    """Images as float32: uint8, and floats up to 255, in [0, 1]; other floats as they are."""
    if images.dtype == torch.uint8:
        return images.float().div_(255)
    images = images.float()
    return images / white_level(*images.aminmax(), whole=False) if len(images) else images


def as_input(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """`as_float` images on the model's device and of its dtype; for a model without parameters on
    the CPU."""
    like = next(model.parameters(), torch.empty(0, dtype=torch.float32))
    return as_float(images.to(like.device)).to(like.dtype)


def first_convolution(model: nn.Module) -> nn.Conv2d | None:
    """A copy, on the CPU, of the first convolution of a model, or of the layer that it is."""
    layers = (layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    first = next(layers, None)
    return first and snapshot(first).cpu()


@torch.no_grad()
def predict_logits(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Logits (N, 10), on the CPU, of images (N, 1, 28, 28), uint8 or float. Raises what
    `check_logits` says of a model that gives anything else."""
    model = snapshot(model)
    parts = images.split(500)
    given = (check_logits(model(as_input(model, part)), len(part)) for part in parts)
    return torch.cat([logits.cpu().float() for logits in given])


def answers_differ(model: nn.Module, images: torch.Tensor) -> bool:
    """Whether a model says two things of the same images: something in it is left to chance."""
    one, other = (predict_logits(model, images[:20]) for _ in range(2))
    return not torch.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)


class Step(NamedTuple):
    """What a layer did with one image, without the batch, float32 on the CPU.

    `passed` is what the next layer took of it (of the last layer, the logits): `made` itself where
    that is not to be told. `between` is what came between the two: "ReLU" or another of
    ACTIVATIONS, "" for nothing, None for something else.
    """

    took: torch.Tensor
    made: torch.Tensor
    passed: torch.Tensor
    between: str | None


def activations(model: nn.Module, image) -> dict[str, Step]:
    """What each layer does with one image, caught in the model's own pass.

    image: what `grey_levels` takes, 28 x 28 pixels. Returns a Step for "input" and for each of
    LAYERS; `passed` is, in LeNet-5, (1, 28, 28) of "input", (6, 28, 28) of "c1", ..., (10,) of
    "fc3", those of c1, c3, fc1 and fc2 after ReLU. Raises what `catch_steps` does.
    """
    levels = image_levels(image)
    return {"input": Step(levels, levels, levels, ""), **catch_steps(snapshot(model), image)}


def image_levels(image) -> torch.Tensor:
    """An image as a model takes it, (1, 28, 28). Raises ValueError for another size."""
    levels = grey_levels(image, "image")
    if levels.shape != (28, 28):
        raise ValueError(text("image_shape", found="x".join(map(str, levels.shape))))
    return levels[None]


@torch.no_grad()
def catch_steps(model: nn.Module, image, names: list[str] = LAYERS) -> dict[str, Step]:
    """What each of these layers did in the pass of a `snapshot`, which is hooked for good.

    Raises ValueError for an image of another size, for a model that lacks one of them or does not
    use each once, in this order, and what `check_logits` says of what its `forward` gives.
    """
    levels, parts = image_levels(image), dict(model.named_modules(remove_duplicate=False))
    for name in names:
        if name not in parts:
            raise ValueError(text("no_layer", name=name))
    layers = {name: parts[name] for name in names}
    calls = watch(layers.values())
    logits = as_scores(check_logits(model(as_input(model, levels[None])), 1))
    check_order(layers, calls)
    following = [*(call.took for call in calls[1:]), logits]
    steps = {name: _step(call, after) for name, call, after in zip(layers, calls, following)}
    return {**steps, names[-1]: steps[names[-1]]._replace(passed=logits[0].cpu().float())}


def _step(call, after):
    took, made, after = (tensor.cpu().float()[0] for tensor in (call.took, call.made, after))
    if after.numel() != made.numel():  # pooled by a function, say
        return Step(took, made, made, None)
    passed = after.reshape(made.shape)
    if _close(passed, made, rtol=0):
        return Step(took, made, made, "")
    for name, activation in ACTIVATIONS.items():
        if _close(passed, activation(made)):
            return Step(took, made, passed, name)
    # in another form: nobody knows which number went where
    return Step(took, made, passed if after.shape == made.shape else made, None)


def _close(a, b, rtol=1e-4):
    return torch.allclose(a, b, rtol=rtol, atol=0, equal_nan=True)  # of ReLU, 0 is 0
