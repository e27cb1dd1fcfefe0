"""The lesson's pictures, drawn by matplotlib.

images   colours, and numbers, tables and maps as images
figures  the lesson's figures
diagram  a network as a diagram
patches  what each map of a layer looks for
explain  why a cell of a feature map has its value
"""

from .diagram import network_diagram
from .explain import explain_cell
from .figures import show_confusion, show_filters, show_layers, show_mistakes, show_predictions
from .images import SIGNS
from .patches import show_patches

__all__ = [
    "SIGNS", "explain_cell", "network_diagram", "show_confusion", "show_filters", "show_layers",
    "show_mistakes", "show_patches", "show_predictions",
]  # fmt: skip
