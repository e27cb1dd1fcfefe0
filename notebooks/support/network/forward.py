"""What a model's forward gives, and whether the model can learn: checked, with a sentence."""

import torch
from torch import nn
from torch.optim import Optimizer

from ..checks import check_labels
from ..words.texts import text


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
    """What a network gave, as scores (..., 10) whose softmax are its probabilities: where they are
    probabilities already, as of one that ends in softmax, their logarithms."""
    tiny = torch.finfo(outputs.dtype).tiny
    sums = outputs.sum(-1)
    are_shares = (outputs >= 0).all() and torch.allclose(sums, torch.ones_like(sums), atol=1e-3)
    return outputs.clamp(min=tiny).log() if are_shares else outputs


def check_gradients(model: nn.Module) -> None:
    """Raises ValueError if `backward` reached no weight: then `forward` uses another model's."""
    if all(p.grad is None for p in model.parameters()):
        raise ValueError(text("forward_elsewhere"))


def check_changeable(model: nn.Module) -> None:
    """Raises ValueError for a model whose weights torch does not let anybody change."""
    if any(p.is_inference() for p in model.parameters()):
        raise ValueError(text("inference_made"))


def check_learning(model: nn.Module, optimizer: Optimizer | None = None) -> None:
    """Raises ValueError for a model with nothing to learn, or nothing that `optimizer` moves."""
    check_changeable(model)
    learns = {id(p) for p in model.parameters() if p.requires_grad}
    if not learns:
        raise ValueError(text("nothing_learns"))
    if optimizer is None:
        return
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not learns & moved:
        raise ValueError(text("foreign_optimizer"))
