"""The door of every public function: what it is given, checked by the argument's name."""

import difflib
import inspect
import math
import numbers
import operator
import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import Subset, TensorDataset

from .words.texts import text

OVERSHOOT = 0.2  # beyond 0 and 1: what resizing leaves behind
WRAPPERS = {  # kind: where the network is that it was given
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",  # torch.compile
}
KINDS = {  # argument: its type
    "optimizer": Optimizer,
    "scheduler": LRScheduler,
    "on_batch": Callable,
    "generator": torch.Generator,
    "shuffle": (bool, int),
}
LIMITS = {  # argument: the smallest and the largest whole number
    "n": (1, 200),
    "digit": (0, 9),
    "label": (0, 9),
    "epochs": (1, math.inf),
    "batch_size": (1, math.inf),
    "seed": (-math.inf, math.inf),
}


def checked(function: Callable, options: Callable | None = None) -> Callable:
    """A function that checks its arguments by their names before it begins.

    options: what takes the function's `**options`. An argument that is its default is taken as it
    is. Raises TypeError for a call that does not fit and for arguments of another kind, ValueError
    for their values, with a sentence for students.
    """
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    for p in inspect.signature(options).parameters.values() if options else ():
        if p.name not in signature.parameters:
            parameters.append(p.replace(kind=p.KEYWORD_ONLY))
    signature = signature.replace(parameters=parameters)

    @wraps(function)
    def door(*args, **kwargs):
        bound = _bind(function.__name__, signature, args, kwargs)
        shape = bound.arguments.get("input_shape", (1, 28, 28))
        for name, value in bound.arguments.items():
            if value is not signature.parameters[name].default:
                bound.arguments[name] = check_argument(name, value, shape)
        return function(*bound.args, **bound.kwargs)

    door.__signature__ = signature  # what Shift+Tab shows
    return door


def _bind(name, signature, args, kwargs):
    """The arguments by name; a sentence where they do not fit."""
    try:
        return signature.bind(*args, **kwargs)
    except TypeError:
        plain = [
            p.replace(annotation=p.empty, kind=p.POSITIONAL_OR_KEYWORD)
            for p in signature.parameters.values()
        ]
        call = f"{name}{inspect.Signature(plain)}"
        for unknown in kwargs.keys() - signature.parameters.keys():
            near = difflib.get_close_matches(unknown.lower(), signature.parameters, 1, cutoff=0.4)
            hint = text("door_nearest", name=near[0]) if near else ""
            raise TypeError(text("door_unknown", name=unknown, call=call, hint=hint)) from None
        raise TypeError(text("door_call", call=call)) from None


def check_argument(name: str, value, shape: tuple[int, ...] = (1, 28, 28)):
    """The value as the function is to take it; raises what `checked` says. shape: of a picture."""
    if name == "model":
        return _network(name, value, shape)
    if name in LIMITS:
        return whole_number(name, value, *LIMITS[name])
    if name in CONTENTS:
        return CONTENTS[name](name, value)
    if name in KINDS and not isinstance(value, KINDS[name]):
        raise _other_kind(name, value)
    return value


def _other_kind(name, value):
    """The TypeError for a value of another kind."""
    if isinstance(value, type):
        found = text("door_class", name=value.__name__)
    elif isinstance(value, (str, int, float, type(None))):
        found = repr(value)
    else:
        found = type(value).__name__
    return TypeError(text("door_kind", name=name, kind=text(f"door_{name}"), found=found))


def whole_number(name: str, value, least: float = -math.inf, most: float = math.inf) -> int:
    """`value`, an integer (numpy's included), as an int.

    Raises ValueError, naming `name`, for 6.0, "6", True and what is below `least` or above `most`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        raise ValueError(text("not_whole", name=name, value=repr(value))) from None
    if whole < least:
        raise ValueError(text("too_small", name=name, value=value, least=least))
    if whole > most:
        raise ValueError(text("too_large", name=name, value=value, most=most))
    return whole


def _network(name, value, shape):
    """A network, out of its wrapper; layers that are lazy have got their sizes."""
    value = getattr(value, WRAPPERS.get(type(value).__name__, ""), value)
    if not isinstance(value, nn.Module):
        raise _other_kind(name, value)
    if not any(map(nn.parameter.is_lazy, value.parameters())):
        return value
    modes, reason = {part: part.training for part in value.modules()}, ""
    with torch.no_grad():
        try:
            value.eval()(torch.zeros(1, *shape))
        except Exception as error:  # whatever a forward raises
            reason = f" ({type(error).__name__}: {error}".splitlines()[0] + ")"
    for part, mode in modes.items():
        part.training = mode
    for layer, parameter in value.named_parameters():
        if nn.parameter.is_lazy(parameter):
            raise ValueError(text("still_lazy", layer=layer.rpartition(".")[0], reason=reason))
    return value


def _dataset(name, value):
    """A TensorDataset of images and labels, or a Subset of one, as the lesson's functions take it:
    images uint8 up to 255 or float, labels int64."""
    value = _whole_subset(value)
    if not isinstance(value, TensorDataset):
        raise _other_kind(name, value)
    if len(value.tensors) != 2:
        raise ValueError(text("door_pair", n=len(value.tensors)))
    if not len(value):
        raise ValueError(text("door_empty", name=name))
    images, labels = value.tensors
    return TensorDataset(_images(images), check_labels(labels))


def _whole_subset(value):
    """A Subset of a TensorDataset as a TensorDataset; anything else as it is."""
    whole = _whole_subset(value.dataset) if isinstance(value, Subset) else None
    if not isinstance(whole, TensorDataset):
        return value
    indices = torch.as_tensor(value.indices, dtype=torch.long)
    return TensorDataset(*(tensor[indices] for tensor in whole.tensors))


def white_level(low, high, whole: bool) -> int:
    """What white is where levels go from `low` to `high`: 1, or 255 if they go beyond 1."""
    return 1 if low < 0 or high <= (1 if whole else 1 + OVERSHOOT) else 255


def _images(images):
    fractions, low, high = images.is_floating_point(), images.min(), images.max()
    white = white_level(low, high, not fractions)
    fits = high <= white * (1 + fractions * OVERSHOOT) or high.isnan()
    if images.dim() not in (2, 4) or not (fits and (fractions or low >= 0)):
        found = f"{tuple(images.shape)}, {images.dtype}"
        raise ValueError(text("door_images", found=found, low=low.item(), high=high.item()))
    if fractions and not images.isfinite().all():
        raise ValueError(text("picture_nan", name="images"))
    if fractions or images.dtype == torch.bool:
        return images
    return images.float() if high <= 1 else images.to(torch.uint8)  # a mask has 0 and 1


def check_labels(labels: torch.Tensor, most: int = 9) -> torch.Tensor:
    """The labels as int64; raises ValueError unless they are whole numbers (N,), 0 to `most`."""
    low, high = labels.min().item(), labels.max().item()
    whole = not labels.is_floating_point() and labels.dtype != torch.bool
    if labels.dim() != 1 or not whole or low < 0 or high > most:
        found = f"{tuple(labels.shape)}, {labels.dtype}"
        raise ValueError(text("door_labels", found=found, low=low, high=high, most=most))
    return labels.long()


def _digits(name, value):
    """A `Digits`, both of its parts checked."""
    if not isinstance(value, tuple) or not hasattr(value, "train"):
        raise _other_kind(name, value)
    parts = {part: _dataset("dataset", getattr(value, part)) for part in ("train", "test")}
    return value._replace(**parts)


def _batches(name, value):
    """Batches; not what only looks like it: a tensor, a dataset, `Digits`, layers, a path."""
    if not isinstance(value, Iterable) or isinstance(value, (torch.Tensor, tuple, str, nn.Module)):
        raise _other_kind(name, value)
    return value


def _shape(name, value):
    if not isinstance(value, (tuple, list)) or len(value) != 3:
        raise _other_kind(name, value)
    return tuple(whole_number(name, n, 1) for n in value)


def _evaluation(name, value):
    if isinstance(value, type) or not hasattr(value, "confusion"):
        raise _other_kind(name, value)
    return value


def _rate(name, value):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not 0 < value < math.inf:
        raise _other_kind(name, value)
    return float(value)


def _logits(name, value):
    """The ten scores of one picture, (10,)."""
    try:
        scores = torch.as_tensor(value).detach().float()
    except (TypeError, ValueError, RuntimeError):  # what torch says of words, None and classes
        raise _other_kind(name, value) from None
    if scores.numel() != 10:
        raise ValueError(text("ten_scores", found=tuple(scores.shape)))
    if not scores.isfinite().all():
        raise ValueError(text("not_finite"))
    return scores.flatten()


def _path(name, value):
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise _other_kind(name, value)
    return Path(os.path.expanduser(value))  # "~backup.pt" is nobody's home


CONTENTS = {
    "dataset": _dataset,
    "digits": _digits,
    "loader": _batches,
    "evaluation": _evaluation,
    "input_shape": _shape,
    "max_lr": _rate,
    "logits": _logits,
    **dict.fromkeys(("path", "save", "log"), _path),
}
