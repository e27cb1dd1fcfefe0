"""What notebook 00 asks: how many numbers go into a cell of a feature map."""

from ..number import NumberQuestion

QUESTIONS = {
    "window_pixels": NumberQuestion(
        9, "why_window", {"hint_window_side": 3, "hint_window_5x5": 25}, "hint_window", {"side": 3}
    ),
    "c1_cell_pixels": NumberQuestion(
        25,
        "why_cell_pixels",
        {"hint_one_side": 5, "hint_whole_picture": 784, "hint_bias_no_pixel": 26},
        "hint_count_cell",
        {"k": 5},
    ),
    "c3_cell_products": NumberQuestion(
        150,
        "why_cell_products",
        {"hint_one_patch": 25, "hint_maps_only": 6, "hint_bias_no_product": 151},
        "hint_count_cell",
        {"maps": 6, "each": 25},
    ),
}
