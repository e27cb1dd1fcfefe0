"""What notebook 05 asks: reach and work of C3."""

from ..number import NumberQuestion

QUESTIONS = {
    "c3_reach": NumberQuestion(
        14,
        "why_c3_reach",
        {"hint_reach_s2": 5, "hint_reach_c1": 10, "hint_reach_sum": 12, "hint_reach_plus_2": 7}
        | {"hint_reach_unpooled": 9, "hint_reach_doubled": 18, "hint_reach_no_overlap": 15}
        | {"hint_area": 196},
        "hint_reach",
        {"s2": 5, "c1": 10},
    ),
    "c3_multiply_adds": NumberQuestion(
        240_000,
        "why_multiply_adds",
        {"hint_no_channels": 40_000, "hint_one_position": 2400, "hint_input_size": 470_400},
        "hint_work",
        {"outputs": 1600, "each": 150},
    ),
}
