"""Whether a model can learn: checked, with a sentence."""

from torch import nn
from torch.optim import Optimizer

from ..words.texts import text


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
