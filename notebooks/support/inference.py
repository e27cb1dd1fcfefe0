"""What a model makes of images, the model left untouched: it may be in training meanwhile."""

import copy

import torch
from torch.utils.data import TensorDataset

from .texts import text

LAYERS = ["c1", "s2", "c3", "s4", "fc1", "fc2", "fc3"]


def as_float(images):
    """uint8 pictures as float32 in [0, 1]; float pictures as they are."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()


def images_and_labels(dataset):
    if not isinstance(dataset, TensorDataset):
        raise TypeError(text("which_dataset", found=type(dataset).__name__))
    return dataset.tensors


@torch.no_grad()
def predict_logits(model, images):
    """Logits (N, 10), on the CPU, of images (N, 1, 28, 28), uint8 or float. Runs a copy of the model in eval mode, so
    that a training in another thread is not disturbed."""
    model = copy.deepcopy(model).eval()
    place = next(model.parameters()).device
    return torch.cat([model(as_float(part.to(place))).cpu() for part in images.split(500)])


@torch.no_grad()
def activations(model, image):
    """What each layer hands on for one picture, caught by forward hooks of the model's own pass: {"input": (1, 28, 28),
    "c1": (6, 28, 28), ..., "fc3": (10,)} on the CPU. c1, c3, fc1 and fc2 are given as the next layer takes them: after
    ReLU. Raises ValueError for a picture of another size and for a model that lacks one of LAYERS."""
    image = torch.as_tensor(image)
    if image.numel() != 28 * 28:
        raise ValueError(text("image_shape", found=tuple(image.shape)))
    model = copy.deepcopy(
        model
    ).eval()  # hooks on the model itself would catch the batches of a training, too
    taken, given = {}, {}
    for name in LAYERS:

        def keep(layer, inputs, output, name=name):
            taken[name], given[name] = inputs[0][0].cpu(), output[0].cpu()

        if not hasattr(model, name):
            raise ValueError(text("no_layer", name=name))
        getattr(model, name).register_forward_hook(keep)
    steps = {"input": as_float(image.reshape(1, 28, 28))}
    model(steps["input"].to(next(model.parameters()).device)[None])
    for name, following in zip(LAYERS, [*LAYERS[1:], None]):
        steps[name] = given[name] if name in ("s2", "s4", "fc3") else taken[following]
    return steps
