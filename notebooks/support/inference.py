"""What a model makes of images. The model is left untouched, and may be in training meanwhile."""

import torch
from torch import nn

from .copies import snapshot
from .forward import check_logits
from .pictures import grey_levels
from .texts import text

LAYERS = ["c1", "s2", "c3", "s4", "fc1", "fc2", "fc3"]
AFTER_RELU = {"c1", "c3", "fc1", "fc2"}  # layers whose output the next one takes after ReLU


def as_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 images as float32 in [0, 1]; float images as they are."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()


def model_device(model: nn.Module) -> torch.device:
    """Where the model's parameters are; the CPU, if it has none."""
    return next(model.parameters(), torch.empty(0)).device


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
    device = model_device(model)
    parts = [as_float(part.to(device)) for part in images.split(500)]
    return torch.cat([check_logits(model(part), len(part)).cpu() for part in parts])


def activations(model: nn.Module, image) -> dict[str, torch.Tensor]:
    """What each layer hands on for one image, caught in the model's own pass.

    image: what `grey_levels` takes, 28 x 28 pixels. Returns {"input": (1, 28, 28),
    "c1": (6, 28, 28), ..., "fc3": (10,)} on the CPU; c1, c3, fc1 and fc2 are given as the next
    layer takes them: after ReLU. Raises ValueError for an image of another size and for a model
    that lacks one of LAYERS.
    """
    return catch_activations(snapshot(model), image)


@torch.no_grad()
def catch_activations(model: nn.Module, image) -> dict[str, torch.Tensor]:
    """`activations` of a `snapshot`, which is hooked for good."""
    levels = grey_levels(image, "image")
    if levels.shape != (28, 28):
        raise ValueError(text("image_shape", found="x".join(map(str, levels.shape))))
    taken, given = {}, {}
    for name in LAYERS:
        if not hasattr(model, name):
            raise ValueError(text("no_layer", name=name))
        getattr(model, name).register_forward_hook(_catch(name, taken, given))
    steps = {"input": levels[None]}
    model(steps["input"].to(model_device(model))[None])
    for name, following in zip(LAYERS, [*LAYERS[1:], None]):
        steps[name] = taken[following] if name in AFTER_RELU else given[name]
    check_logits(steps["fc3"][None], 1)
    return steps


def _catch(name, taken, given):
    """A forward hook that keeps what a layer takes and what it gives, of a batch of one image."""

    def hook(layer, inputs, output):
        taken[name], given[name] = inputs[0][0].cpu(), output[0].cpu()

    return hook
