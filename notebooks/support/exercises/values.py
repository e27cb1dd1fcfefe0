"""An answer's value: read as a number or tensor, compared, and shown in few characters."""

import contextlib
import inspect
import reprlib
import sys

import numpy as np
import torch
from torch import nn

from ..widgets.explorer import Explorer
from ..words.texts import text

LARGEST = 1e100  # of the numbers that are read
MOST_CHARACTERS = 1500  # of a code or a network in a report


class Slip(ValueError):
    """What is wrong with an answer's form: it can't be judged, so it is no try."""


def say(*words) -> None:
    """`print`, whatever stdout can show: a sign that it can't has its name, \\N{CHECK MARK}."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(" ".join(map(str, words)).encode(encoding, "namereplace").decode(encoding))


def is_blank(answer) -> bool:
    """Whether there is no answer yet."""
    return answer is None or answer is ...


def read_number(answer) -> int | float:
    """An answer as an int, or a float where it is not whole; Slip for what is no number."""
    try:
        value = answer.item() if hasattr(answer, "item") else answer  # tensors and numpy's
        if isinstance(value, bool) or not -LARGEST < value < LARGEST:  # NaN is not, either
            raise TypeError
        return int(value) if value == int(value) else float(value)
    except Exception:  # whatever its methods raise
        raise Slip(text("check_number", answer=abbreviated(answer))) from None


def read_tensor(result) -> torch.Tensor:
    """A result as a tensor without a gradient; ValueError for what is none, or holds no numbers."""
    if not isinstance(result, torch.Tensor) or result.is_complex():
        raise ValueError(text("check_tensor", result=abbreviated(result)))
    return result.detach()


def are_equal(a, b, tolerance: float = 1e-6, absolute: float = 1e-6) -> bool:
    """Whether numbers, lists or tensors have the same shape and values."""
    if is_blank(a) or np.shape(a) != np.shape(b):
        return False
    return np.allclose(_as_floats(a), _as_floats(b), rtol=tolerance, atol=absolute)


def _as_floats(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double()
    return np.asarray(values, dtype=float)


def abbreviated(value) -> str:
    """A value in a line, as Python writes it, or the beginning of that."""
    if not isinstance(value, torch.Tensor):
        return " ".join(reprlib.repr(value).split())
    if value.numel() <= 1000:
        return f"tensor({reprlib.repr(value.tolist())})"
    return f"tensor({tuple(value.shape)}, {value.dtype})"


def transcript(answer) -> str:
    """An answer as a report shows it: the code of a function and the layers of a network have lines
    of their own, a number or a kernel has one."""
    if isinstance(answer, nn.Module):
        return repr(answer)[:MOST_CHARACTERS]
    if inspect.isfunction(answer):
        with contextlib.suppress(OSError):  # code that was typed in nowhere
            return inspect.getsource(answer).strip()[:MOST_CHARACTERS]
    return abbreviated(answer.kernel if isinstance(answer, Explorer) else answer)


def error_message(error: BaseException) -> str:
    """An error's kind and the beginning of what it says."""
    return " ".join([type(error).__name__, *str(error).splitlines()[:1]])[:200]
