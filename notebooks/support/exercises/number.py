"""Exercises that ask for a number: their answers, and the mistakes that are worth a hint.

Answers are typed in, so that a reader sees them; tests/test_exercises.py proves each with torch and
by hand.
"""

import math
from dataclasses import dataclass, field

from ..sizes import ConvGeometry


@dataclass(frozen=True)
class Exercise:
    """A question whose answer is a number, or two where there are two `unknowns`.

    `why` (said of a right answer), `hint` (of any wrong one) and the keys of `mistakes` are keys of
    texts.toml; `values` fill in those texts.
    """

    right: float  # the answer; where there are `unknowns`, the output size that they must give
    why: str
    mistakes: dict[str, float | tuple]  # key of the hint: the answer to which this mistake leads
    hint: str = "hint_explorer"
    values: dict = field(default_factory=dict)
    tolerance: float = 1e-6
    known: tuple[int, ...] = ()  # the first arguments of ConvGeometry ...
    unknowns: tuple[str, ...] = ()  # ... and the names of those that the answer gives


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


def _size(right: int, geometry: ConvGeometry) -> Exercise:
    mistakes = {key: n for key, make in SIZE_MISTAKES.items() if (n := make(geometry)) != right}
    return Exercise(right, "why_size", mistakes, values={"g": geometry})


CELLS = {  # notebook 00
    "c1_cell_pixels": Exercise(
        25,
        "why_cell_pixels",
        {"hint_one_side": 5, "hint_whole_picture": 784, "hint_bias_no_pixel": 26},
        "hint_count_cell",
        {"k": 5},
    ),
    "c3_cell_products": Exercise(
        150,
        "why_cell_products",
        {"hint_one_patch": 25, "hint_maps_only": 6, "hint_bias_no_product": 151},
        "hint_count_cell",
        {"maps": 6, "each": 25},
    ),
}

PIXELS = {  # notebook 01
    "window_pixels": Exercise(
        9, "why_window", {"hint_window_side": 3, "hint_window_5x5": 25}, "hint_window", {"side": 3}
    ),
    "corner_pixel": Exercise(
        1, "why_pixel", {"hint_edge": 5, "hint_middle": 25}, "hint_point", {"n": 1}
    ),
    "corner_pixel_padding": Exercise(
        9,
        "why_pixel",
        {"hint_one_axis": 3, "hint_padding_ignored": 1, "hint_middle": 25},
        "hint_point",
        {"n": 3},
    ),
    "two_3x3_weights": Exercise(
        18,
        "why_weights",
        {"hint_one_layer": 9, "hint_product": 81, "hint_5x5": 25, "hint_weights_and_bias": 20},
        "hint_weights",
        {"small": 9, "large": 25},
    ),
    "two_3x3_reach": Exercise(
        5,
        "why_reach",
        {"hint_one_layer": 3, "hint_reach_sum": 6, "hint_product": 9, "hint_area": 25},
        "hint_reach",
        {"g": ConvGeometry(7, 3)},
    ),
}

SIZES = {  # notebooks 01 and 02
    "size_lesson": _size(4, ConvGeometry(6, 3)),
    "size_padding": _size(9, ConvGeometry(7, 5, padding=3)),
    "size_remainder": _size(2, ConvGeometry(11, 5, stride=4)),
    "size_dilation": _size(6, ConvGeometry(12, 3, dilation=3)),
    "four_layers": Exercise(
        5,
        "why_four_layers",
        {"hint_first_padding": 4, "hint_second_padding": 7, "hint_last_pooling": 10}
        | {"hint_pooling_stride": 22, "hint_area": 25},
        "hint_four_layers",
        {"sizes": "28 → 28 → 14 → 10 → 5"},
    ),
    "same_padding": Exercise(
        28,
        "why_size",
        {"hint_both_sides": 4, "hint_other_kernel": 1},
        "hint_gives",
        known=(28, 5),
        unknowns=("padding",),
    ),
    "which_stride": Exercise(
        3,
        "why_size",
        {"hint_ratio": 4, "hint_first_window": 2},
        "hint_gives",
        known=(12, 5),
        unknowns=("stride",),
    ),
    "padding_and_stride": Exercise(
        3,
        "why_size",
        {"hint_order": (2, 1), "hint_half": (0, 2)},
        "hint_gives",
        {"half": 2},
        known=(6, 3),
        unknowns=("padding", "stride"),
    ),
}

LENET5 = {  # notebook 03
    "c1_parameters": Exercise(
        156,
        "why_parameters",
        {"hint_no_bias": 150, "hint_one_map": 26, "hint_one_kernel": 25, "hint_one_bias": 151},
        "hint_layer",
        {"shape": (6, 1, 5, 5), "bias": 6},
    ),
    "c3_parameters": Exercise(
        2416,
        "why_parameters",
        {"hint_no_bias": 2400, "hint_one_map": 151, "hint_one_kernel": 150}
        | {"hint_one_bias": 2401, "hint_no_channels": 416, "hint_one_channel": 400},
        "hint_layer",
        {"shape": (16, 6, 5, 5), "bias": 16},
    ),
    "c3_multiply_adds": Exercise(
        240_000,
        "why_multiply_adds",
        {"hint_no_channels": 40_000, "hint_one_position": 2400, "hint_input_size": 470_400},
        "hint_work",
        {"outputs": 1600, "each": 150},
    ),
    "c3_reach": Exercise(
        14,
        "why_c3_reach",
        {"hint_reach_s2": 5, "hint_reach_c1": 10, "hint_reach_sum": 12, "hint_reach_plus_2": 7}
        | {"hint_reach_unpooled": 9, "hint_reach_doubled": 18, "hint_reach_no_overlap": 15}
        | {"hint_area": 196},
        "hint_reach",
        {"s2": 5, "c1": 10},
    ),
    "fc1_inputs": Exercise(
        400,
        "why_flatten",
        {"hint_c1_padding": 256, "hint_no_maps": 25, "hint_no_s4": 1600, "hint_one_row": 80}
        | {"hint_fc1_outputs": 120},
        "hint_flatten",
        {"shape": (16, 5, 5)},
    ),
}

TRAINING = {  # notebook 04
    "batches_per_epoch": Exercise(
        469,
        "why_batches",
        {"hint_last_batch": 468, "hint_whole_batches": 468.75, "hint_test_set": 79}
        | {"hint_pictures": 60_000, "hint_batch_size": 128},
        "hint_batches",
        {"whole": 468},
    ),
    "untrained_loss": Exercise(
        math.log(10),
        "why_loss",
        {"hint_chance": 0.1, "hint_chance_wrong": 0.9, "hint_digits": 10, "hint_log10": 1}
        | {"hint_log2": math.log2(10), "hint_sign": -math.log(10)},
        "hint_loss",
        tolerance=0.01,
    ),
}

_DIAGNOSES = {  # the section of notebook 05 that describes the fault, and known mistakes
    "a": (3, {"hint_jumps": 2, "hint_usual_loss": 4}),
    "b": (6, {"hint_falls": 2, "hint_not_near_0": 7, "hint_not_yet": 1}),
    "c": (2, {"hint_not_zero": 5, "hint_usual_loss": 4}),
    "d": (5, {"hint_first_loss": 2, "hint_moves": 1}),
    "e": (4, {"hint_large_loss": 2, "hint_not_zero": 5}),
}
MYSTERY = {
    f"mystery_{letter}": Exercise(section, "why_diagnosis", mistakes, "hint_diagnosis")
    for letter, (section, mistakes) in _DIAGNOSES.items()
}

TRANSFER = {  # notebook 06
    "frozen_parameters": Exercise(
        2572,
        "why_frozen",
        {"hint_learning_ones": 59_134, "hint_all_parameters": 61_706, "hint_no_bias": 2550}
        | {"hint_c3_only": 2416, "hint_c1_only": 156},
        "hint_frozen",
        {"c1": 156, "c3": 2416, "all": 61_706, "learning": 59_134},
    ),
}

NUMBERS = CELLS | PIXELS | SIZES | LENET5 | TRAINING | MYSTERY | TRANSFER
