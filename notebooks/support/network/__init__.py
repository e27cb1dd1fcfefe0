"""A network as it is: its layers, what they make of a picture, copies of it.

lenet5       what LeNet-5's layers are called, in code and in pictures
layer_table  a table of a model's layers, sizes and costs, measured in one pass
activations  each layer's input, output and activation, recorded in the model's own pass
predictions  logits and probabilities of images, checked
learning     whether a model can learn
copies       copies of a model: to run, to train, and to copy back what was learned
weights      written to a file, and read from one
"""

from .layer_table import layer_table
from .learning import check_gradients, check_learning
from .predictions import answers_differ, as_float, as_input, check_batch, predict_logits
from .weights import load_weights, save_weights
