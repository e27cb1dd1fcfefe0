"""What notebook 02 asks: the output's size by the formula, and every mistake with it."""

import itertools
import math

from ...sizes import ConvGeometry
from ..function import FunctionQuestion
from ..number import NumberQuestion, settings_question

SIZE_MISTAKES = {  # what each makes of a geometry
    "hint_no_floor": lambda g: (g.padded - g.span) / g.stride + 1,
    "hint_ceil": lambda g: math.ceil((g.padded - g.span) / g.stride) + 1,
    "hint_no_plus_one": lambda g: (g.padded - g.span) // g.stride,
    "hint_no_minus_one": lambda g: (g.padded - g.span + 1) // g.stride + 1,
    "hint_unchanged": lambda g: g.n_in,
    "hint_stride_ignored": lambda g: g.padded - g.span + 1,
    "hint_padding_once": lambda g: (g.n_in + g.padding - g.span) // g.stride + 1,
    "hint_padding_ignored": lambda g: (g.n_in - g.span) // g.stride + 1,
    "hint_dilation_ignored": lambda g: (g.padded - g.kernel_size) // g.stride + 1,
    "hint_dilation_span": lambda g: (g.padded - g.kernel_size * g.dilation) // g.stride + 1,
    "hint_area": lambda g: g.n_out**2,
}


def _size(right: int, *geometry: int) -> NumberQuestion:
    """geometry: n_in, kernel_size, stride, padding, dilation."""
    g = ConvGeometry(*geometry)
    mistakes = {key: n for key, mistake in SIZE_MISTAKES.items() if (n := mistake(g)) != right}
    return NumberQuestion(right, "why_size", mistakes, values={"g": g})


def my_output_size(n_in, kernel_size, stride, padding):
    return ConvGeometry(n_in, kernel_size, stride, padding).n_out


QUESTIONS = {
    "size_lesson": _size(4, 6, 3),
    "size_padding": _size(9, 7, 5, 1, 3),
    "size_remainder": _size(2, 11, 5, 4),
    "four_layers": NumberQuestion(
        5,
        "why_four_layers",
        {"hint_first_padding": 4, "hint_second_padding": 7, "hint_last_pooling": 10}
        | {"hint_pooling_stride": 22, "hint_area": 25},
        "hint_four_layers",
        {"sizes": "28 → 28 → 14 → 10 → 5"},
    ),
    "size_dilation": _size(6, 12, 3, 1, 0, 3),
    "which_stride": settings_question(
        3, (12, 5), ("stride",), {"hint_ratio": 4, "hint_first_window": 2}
    ),
    "padding_and_stride": settings_question(
        3, (6, 3), ("padding", "stride"), {"hint_order": (2, 1), "hint_half": (0, 2)}, half=2
    ),
    "my_output_size": FunctionQuestion(
        my_output_size,
        {
            key: lambda *case, mistake=mistake: mistake(ConvGeometry(*case))
            for key, mistake in SIZE_MISTAKES.items()
        },
        ((6, 3, 1, 0), *itertools.product(range(7, 13), range(1, 8), range(1, 5), range(4))),
    ),
}
