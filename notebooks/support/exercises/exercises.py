"""Every exercise, and the notebook that asks it."""

from .function import CODE
from .number import NUMBERS
from .questions.nb01_padding_stride_kernel import STROKES
from .questions.nb04_train_lenet5 import STEPS
from .questions.nb06_next_lesson import NETWORKS

EXERCISES = NUMBERS | CODE | STROKES | STEPS | NETWORKS
EXAMPLE = "window_pixels"  # is answered in notebook 01, to show how
NOTEBOOKS = {  # each with its other exercises, as they stand there
    "00_demo": ["c1_cell_pixels", "c3_cell_products"],
    "01_padding_stride_kernel": [
        "corner_pixel",
        "corner_pixel_padding",
        "same_padding",
        "two_3x3_reach",
        "two_3x3_weights",
        "rising_strokes",
        "my_convolution",
    ],
    "02_output_size": [
        "size_lesson",
        "size_padding",
        "size_remainder",
        "four_layers",
        "size_dilation",
        "which_stride",
        "padding_and_stride",
        "my_output_size",
    ],
    "03_lenet5": ["c1_parameters", "c3_parameters", "c3_reach", "fc1_inputs", "c3_multiply_adds"],
    "04_train_lenet5": ["untrained_loss", "batches_per_epoch", "my_train_step"],
    "05_break_it": ["mystery_a", "mystery_b", "mystery_c", "mystery_d", "mystery_e"],
    "06_next_lesson": ["frozen_parameters", "my_network"],
}
