"""A network as it is: its layers, what they make of a picture, copies of it.

calls      a model's own pass: what each layer took and made
forward    what a model's forward gives, and whether it can learn
inference  a model's logits and activations, the model left untouched
copies     copies of a model: to run, to train, and to hand back what was learned
layers     a table of a model's layers, sizes and costs, which is true or refused
weights    written to a file, and read from one
"""

from .forward import check_batch, check_gradients, check_learning
from .inference import answers_differ, as_float, as_input, predict_logits
from .layers import layer_table
from .weights import load_weights, save_weights

__all__ = [
    "answers_differ", "as_float", "as_input", "check_batch", "check_gradients",
    "check_learning", "layer_table", "load_weights", "predict_logits", "save_weights",
]  # fmt: skip
