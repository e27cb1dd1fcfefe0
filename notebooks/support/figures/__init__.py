"""The lesson's pictures, drawn by matplotlib.

images   empty figures, colours, and numbers, tables and maps as images
results  guesses, mistakes, the confusion matrix, the first kernels
layers   what every layer makes of one image
explain  why a cell of a feature map has its value
patches  what each map of a layer looks for
diagram  a network as a diagram
"""

from .diagram import network_diagram
from .explain import explain_cell
from .images import SIGNS
from .layers import show_layers
from .patches import show_patches
from .results import show_confusion, show_filters, show_mistakes, show_predictions
