"""What a function of the lesson is given, checked by the argument's name."""

import difflib
import inspect
import math
import operator
import os
from collections.abc import Callable, Iterable
from functools import wraps
from numbers import Real
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import Subset, TensorDataset

from .words.texts import text

OVERSHOOT = 0.2  # beyond 0 and 1: what resizing leaves behind
WRAPPERS = {"DataParallel": "module", "OptimizedModule": "_orig_mod"}  # the latter: torch.compile
WHOLE = {  # argument: the smallest and the largest whole number
    "n": (1, 200),
    "digit": (0, 9),
    "label": (0, 9),
    "epochs": (1, math.inf),
    "batch_size": (1, math.inf),
    "seed": (-math.inf, math.inf),
}
PATHS = "path", "save", "log"
KINDS = {  # argument: whether a value is of its kind
    "model": lambda value: isinstance(value, nn.Module),
    "dataset": lambda value: isinstance(value, TensorDataset),
    "digits": lambda value: isinstance(value, tuple) and hasattr(value, "train"),
    "logits": lambda value: isinstance(value, (torch.Tensor, np.ndarray, list, tuple)),
    "loader": lambda value: isinstance(value, Iterable) and not isinstance(value, NO_BATCHES),
    "optimizer": lambda value: isinstance(value, torch.optim.Optimizer),
    "evaluation": lambda value: hasattr(value, "confusion") and not isinstance(value, type),
    "max_lr": lambda value: isinstance(value, Real) and 0 < value < math.inf,
    "path": lambda value: isinstance(value, (str, os.PathLike)) and os.fspath(value),
    "augment": lambda value: callable(value) and _takes_two(value),
    "watch": lambda value: isinstance(value, (list, TensorDataset)),
}
NO_BATCHES = torch.Tensor, tuple, str, nn.Module  # a picture, `Digits`, a path, nn.Sequential


def checked(function: Callable) -> Callable:
    """A function that checks its arguments before it begins; a default is taken as it is. Raises
    TypeError for an unknown name and another kind, ValueError for other values."""
    signature = inspect.signature(function)

    @wraps(function)
    def checked_call(*args, **kwargs):
        _check_names(function.__name__, signature.parameters, kwargs)
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if value is not signature.parameters[name].default:
                bound.arguments[name] = check_argument(name, value)
        return function(*bound.args, **bound.kwargs)

    return checked_call


def _takes_two(function):
    called = getattr(function, "forward", function)  # torchvision's take the pictures alone
    return len(inspect.signature(called).parameters) > 1


def _check_names(function, known, given):
    """Raises TypeError for the name of an argument that there is not."""
    for unknown in given.keys() - known.keys():
        near = difflib.get_close_matches(unknown.lower(), known, 1, cutoff=0.4)
        hint = text("argument_nearest", name=near[0]) if near else ""
        call = f"{function}({', '.join(known)})"
        raise TypeError(text("argument_unknown", name=unknown, call=call, hint=hint))


def check_argument(name: str, value):
    """The value as the function is to take it; raises what `checked` says."""
    if name in WHOLE:
        return whole_number(name, value, *WHOLE[name])
    kind, value = "path" if name in PATHS else name, _unwrapped(value)
    if kind in KINDS and not KINDS[kind](value):
        raise _other_kind(name, value, kind)
    return CONTENTS[kind](value) if kind in CONTENTS else value


def _other_kind(name, value, kind):
    """The TypeError for a value of another kind."""
    if isinstance(value, type):
        found = text("argument_class", name=value.__name__)
    elif isinstance(value, (str, int, float, type(None))):
        found = repr(value)
    else:
        found = type(value).__name__
    return TypeError(text("argument_kind", name=name, kind=text(f"kind_{kind}"), found=found))


def _unwrapped(value):
    """The network in a wrapper, the TensorDataset that a Subset is of; else the value itself."""
    whole = _unwrapped(value.dataset) if isinstance(value, Subset) else None
    if isinstance(whole, TensorDataset):
        return TensorDataset(*whole[list(value.indices)])
    return getattr(value, WRAPPERS.get(type(value).__name__, ""), value)


def whole_number(name: str, value, least: float = -math.inf, most: float = math.inf) -> int:
    """`value`, an integer (numpy's included), as an int; ValueError for 6.0, "6", True and what is
    below `least` or above `most`."""
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


def _with_sizes(model):
    """The model; its lazy layers get their sizes from a picture of zeros."""
    if not any(map(nn.parameter.is_lazy, model.parameters())):
        return model
    modes, reason = {part: part.training for part in model.modules()}, ""
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, 1, 28, 28))
    except Exception as error:  # whatever a forward raises
        reason = f" ({type(error).__name__}: {error}".splitlines()[0] + ")"
    for part, mode in modes.items():
        part.training = mode
    for name, parameter in model.named_parameters():
        if nn.parameter.is_lazy(parameter):
            raise ValueError(text("still_lazy", layer=name.rpartition(".")[0], reason=reason))
    return model


def _dataset(dataset):
    """As the lesson's functions take it: images uint8 up to 255 or float, labels int64."""
    if len(dataset.tensors) != 2:
        raise ValueError(text("dataset_pair", n=len(dataset.tensors)))
    if not len(dataset):
        raise ValueError(text("dataset_empty"))
    images, labels = dataset.tensors
    return TensorDataset(_images(images), check_labels(labels))


def white_level(low, high, whole: bool) -> int:
    """What white is where levels go from `low` to `high`: 1, or 255 if they go beyond 1."""
    return 1 if low < 0 or high <= (1 if whole else 1 + OVERSHOOT) else 255


def _images(images):
    fractions, low, high = images.is_floating_point(), images.min().item(), images.max().item()
    if fractions and not images.isfinite().all():
        raise ValueError(text("picture_nan", name="images"))
    white = white_level(low, high, not fractions)
    bright = high > white * (1 + fractions * OVERSHOOT)
    if images.dim() not in (2, 4) or bright or (low < 0 and not fractions):
        found = f"{tuple(images.shape)}, {images.dtype}"
        raise ValueError(text("dataset_images", found=found, low=low, high=high))
    if fractions:
        return images
    return images.float() if high <= 1 else images.to(torch.uint8)  # a mask has 0 and 1


def check_labels(labels: torch.Tensor, most: int = 9) -> torch.Tensor:
    """The labels as int64; raises ValueError unless they are whole numbers (N,), 0 to `most`."""
    low, high = labels.min().item(), labels.max().item()
    whole = not labels.is_floating_point() and labels.dtype != torch.bool
    if labels.dim() != 1 or not whole or low < 0 or high > most:
        found = f"{tuple(labels.shape)}, {labels.dtype}"
        raise ValueError(text("dataset_labels", found=found, low=low, high=high, most=most))
    return labels.long()


def _digits(digits):
    """`Digits`, both parts checked."""
    parts = {part: check_argument("dataset", getattr(digits, part)) for part in ("train", "test")}
    return digits._replace(**parts)


def _scores(values):
    """The ten scores of one picture, (10,)."""
    scores = torch.as_tensor(values).detach().float()
    if scores.numel() != 10:
        raise ValueError(text("ten_scores", found=tuple(scores.shape)))
    if not scores.isfinite().all():
        raise ValueError(text("not_finite"))
    return scores.flatten()


CONTENTS = {  # argument: what makes of a value of its kind what the function takes
    "dataset": _dataset,
    "digits": _digits,
    "logits": _scores,
    "model": _with_sizes,
    "path": lambda path: Path(os.path.expanduser(path)),  # "~backup.pt" is nobody's home
}
