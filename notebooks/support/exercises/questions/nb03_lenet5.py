"""What notebook 03 asks: what arrives at F5, and parameters."""

from ..number import NumberQuestion

QUESTIONS = {
    "fc1_inputs": NumberQuestion(
        400,
        "why_flatten",
        {"hint_c1_padding": 256, "hint_no_maps": 25, "hint_no_s4": 1600, "hint_one_row": 80}
        | {"hint_fc1_outputs": 120},
        "hint_flatten",
        {"shape": (16, 5, 5)},
    ),
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
}
