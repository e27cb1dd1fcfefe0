"""What a model makes of images: logits, checked, and probabilities. The model is left untouched,
and may be in training meanwhile."""

import torch
from torch import nn

from ..checks import check_labels, white_level
from ..words.texts import text
from .copies import snapshot


def as_float(images: torch.Tensor) -> torch.Tensor:
    """Images as float32: uint8, and floats up to 255, in [0, 1]; other floats as they are."""
    if images.dtype == torch.uint8:
        return images.float().div_(255)
    images = images.float()
    return images / white_level(*images.aminmax(), whole=False) if len(images) else images


def as_input(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """`as_float` images on the model's device and of its dtype."""
    like = next(model.parameters(), torch.empty(0, dtype=torch.float32))
    return as_float(images.to(like.device)).to(like.dtype)


@torch.no_grad()
def predict_logits(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Logits (N, 10), on the CPU, of images (N, 1, 28, 28); raises what `check_logits` says."""
    model = snapshot(model)
    parts = images.split(500)
    given = (check_logits(model(as_input(model, part)), len(part)) for part in parts)
    return torch.cat([logits.cpu().float() for logits in given])


def answers_differ(model: nn.Module, images: torch.Tensor) -> bool:
    """Whether a model says two things of the same images: something in it is left to chance."""
    one, other = (predict_logits(model, images[:20]) for _ in range(2))
    return not torch.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)


def check_logits(logits, n: int, columns: int | None = 10) -> torch.Tensor:
    """What a model's `forward` gave for n images, float (n, columns), None for any number. Raises
    TypeError for what is no tensor, ValueError for another shape."""
    if not isinstance(logits, torch.Tensor):
        key = "forward_none" if logits is None else "forward_kind"
        raise TypeError(text(key, found=type(logits).__name__))
    fits = logits.dim() == 2 and len(logits) == n and columns in (None, logits.shape[1])
    if not fits or not logits.is_floating_point():
        found = f"{tuple(logits.shape)}, {logits.dtype}"
        raise ValueError(text("forward_shape", n=n, found=found))
    return logits


def check_batch(logits, labels: torch.Tensor) -> None:
    """What a model gave for images with these labels; as many columns as they need will do."""
    check_logits(logits, len(labels), columns=None)
    if labels.shape != logits.shape:  # else probabilities, which cross_entropy takes, too
        check_labels(labels, logits.shape[1] - 1)


def as_scores(outputs: torch.Tensor) -> torch.Tensor:
    """What a network gave, as scores (..., 10) whose softmax are its probabilities: of one that
    ends in softmax, their logarithms."""
    tiny = torch.finfo(outputs.dtype).tiny
    sums = outputs.sum(-1)
    are_shares = (outputs >= 0).all() and torch.allclose(sums, torch.ones_like(sums), atol=1e-3)
    return outputs.clamp(min=tiny).log() if are_shares else outputs


def say_what_is_nan(logits: torch.Tensor) -> None:
    """Prints a line where a network's outputs are not numbers."""
    if not logits.isfinite().all():
        print(text("pad_nan"))
