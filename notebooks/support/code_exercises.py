"""The exercises whose answer is a function, in notebooks 01 and 02: a right one, and known mistakes."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .sizes import conv_output_size


@dataclass(frozen=True)
class CodeExercise:
    """A question whose answer is a function; it is called with each of `cases`."""

    right: Callable
    mistakes: dict[str, Callable]  # key of the hint: a function with this mistake
    cases: tuple[tuple, ...]
    returns: type = int
    why: str = "why_code"


def _convolution(image, kernel):
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


def _tables(generator: torch.Generator):
    """Images and kernels of every size up to 8 and 5; halves, so that sums need no rounding."""
    for n in range(1, 9):
        for k in range(1, min(n, 5) + 1):
            yield (
                torch.randint(10, (n, n), generator=generator) / 1,
                torch.randint(-4, 5, (k, k), generator=generator) / 2,
            )


CODE = {  # notebooks 01 and 02
    "my_output_size": CodeExercise(
        lambda n_in, kernel_size, stride, padding: conv_output_size(
            n_in, kernel_size, stride, padding
        ),
        {
            "hint_no_floor": lambda n, k, s, p: (n + 2 * p - k) / s + 1,
            "hint_ceil": lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1,
            "hint_no_plus_one": lambda n, k, s, p: (n + 2 * p - k) // s,
            "hint_no_minus_one": lambda n, k, s, p: (n + 2 * p - k + 1) // s + 1,
            "hint_unchanged": lambda n, k, s, p: n,
            "hint_stride_ignored": lambda n, k, s, p: n + 2 * p - k + 1,
            "hint_padding_once": lambda n, k, s, p: (n + p - k) // s + 1,
            "hint_padding_ignored": lambda n, k, s, p: (n - k) // s + 1,
        },
        ((6, 3, 1, 0), *itertools.product(range(7, 13), range(1, 8), range(1, 5), range(4))),
    ),
    "my_convolution": CodeExercise(
        _convolution,
        {
            "hint_flipped": lambda image, kernel: _convolution(image, kernel.flip(0, 1)),
            "hint_transposed": lambda image, kernel: _convolution(image, kernel.T),
            "hint_last_window": lambda image, kernel: _convolution(image, kernel)[:-1, :-1],
        },
        tuple(_tables(torch.Generator().manual_seed(0))),
        returns=torch.Tensor,
    ),
}
