"""What notebook 03 asks: parameters, reach and work of LeNet-5's layers."""

from ..number import NumberQuestion

QUESTIONS = {
    "c1_parameters": NumberQuestion(
        156,
        "why_parameters",
        {"hint_no_bias": 150, "hint_one_map": 26, "hint_one_kernel": 25, "hint_one_bias": 151},
        "hint_layer",
        {"shape": (6, 1, 5, 5), "bias": 6},
    ),
    "c3_parameters": NumberQuestion(
        2416,
        "why_parameters",
        {"hint_no_bias": 2400, "hint_one_map": 151, "hint_one_kernel": 150}
        | {"hint_one_bias": 2401, "hint_no_channels": 416, "hint_one_channel": 400},
        "hint_layer",
        {"shape": (16, 6, 5, 5), "bias": 16},
    ),
    "c3_reach": NumberQuestion(
        14,
        "why_c3_reach",
        {"hint_reach_s2": 5, "hint_reach_c1": 10, "hint_reach_sum": 12, "hint_reach_plus_2": 7}
        | {"hint_reach_unpooled": 9, "hint_reach_doubled": 18, "hint_reach_no_overlap": 15}
        | {"hint_area": 196},
        "hint_reach",
        {"s2": 5, "c1": 10},
    ),
    "fc1_inputs": NumberQuestion(
        400,
        "why_flatten",
        {"hint_c1_padding": 256, "hint_no_maps": 25, "hint_no_s4": 1600, "hint_one_row": 80}
        | {"hint_fc1_outputs": 120},
        "hint_flatten",
        {"shape": (16, 5, 5)},
    ),
    "c3_multiply_adds": NumberQuestion(
        240_000,
        "why_multiply_adds",
        {"hint_no_channels": 40_000, "hint_one_position": 2400, "hint_input_size": 470_400},
        "hint_work",
        {"outputs": 1600, "each": 150},
    ),
}
