"""The widgets: a short Python class each, which sends numbers, and a .js and .css that draw.

widget    what they share: their base class, and kit.js before each module
explorer  widget: a convolution, cell by cell
draw_pad  widget: draw a digit, see what a network makes of it
panel     widget: a training in the background
downhill  widget: one step of gradient descent
softmax   widget: scores, shares and the loss
"""

from .downhill import downhill
from .draw_pad import DrawPad
from .explorer import explore_convolution, explore_kernels
from .softmax import explore_softmax
