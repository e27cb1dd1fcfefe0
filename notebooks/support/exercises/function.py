"""Exercises that ask for a function: the right one, and those with mistakes worth a hint."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ..sizes import ConvGeometry, conv_output_size
from .number import SIZE_MISTAKES


@dataclass(frozen=True)
class CodeExercise:
    """A question whose answer is a function; it is called with each of `cases`."""

    right: Callable
    mistakes: dict[str, Callable]  # key of the hint: a function with this mistake
    cases: tuple[tuple, ...]
    returns: type = int
    why: str = "why_code"


def _convolution(image, kernel, stride, padding):
    maps = image[None, None], kernel[None, None]
    return F.conv2d(*maps, stride=stride, padding=padding)[0, 0]


def _padded(left, right, image, kernel, stride):
    """`_convolution`, with so much padding to the left and above, and to the right and below."""
    return _convolution(F.pad(image, [left, right] * 2), kernel, stride, 0)


def _one_step_windows(image, kernel, stride, padding):
    """As many outputs as there should be, from windows that lie side by side."""
    n = len(_convolution(image, kernel, stride, padding))
    return _convolution(image, kernel, 1, padding)[:n, :n]


def _tables(generator: torch.Generator):
    """Images and kernels of many sizes, strides and paddings, the simplest first; halves, so that
    sums need no rounding."""
    for stride, padding in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 2), (1, 2)):
        for n, k in itertools.product(range(1, 9), (1, 2, 3, 5)):
            if k <= n:
                image = torch.randint(10, (n, n), generator=generator) / 1
                kernel = torch.randint(-4, 5, (k, k), generator=generator) / 2
                yield image, kernel, stride, padding


CODE = {  # notebooks 01 and 02
    "my_output_size": CodeExercise(
        lambda n_in, kernel_size, stride, padding: conv_output_size(
            n_in, kernel_size, stride, padding
        ),
        {
            key: lambda *case, mistake=mistake: mistake(ConvGeometry(*case))
            for key, mistake in SIZE_MISTAKES.items()
        },
        ((6, 3, 1, 0), *itertools.product(range(7, 13), range(1, 8), range(1, 5), range(4))),
    ),
    "my_convolution": CodeExercise(
        _convolution,
        {
            "hint_flipped": lambda image, kernel, *more: _convolution(
                image, kernel.flip(0, 1), *more
            ),
            "hint_transposed": lambda image, kernel, *more: _convolution(image, kernel.T, *more),
            "hint_last_window": lambda *case: _convolution(*case)[:-1, :-1],
            "hint_stride_ignored": lambda *case: _convolution(*case[:2], 1, case[3]),
            "hint_stride_windows": _one_step_windows,
            "hint_padding_ignored": lambda *case: _convolution(*case[:3], 0),
            "hint_padding_above": lambda *case: _padded(case[3], 0, *case[:3]),
            "hint_padding_below": lambda *case: _padded(0, case[3], *case[:3]),
        },
        tuple(_tables(torch.Generator().manual_seed(0))),
        returns=torch.Tensor,
    ),
}
