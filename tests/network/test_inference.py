"""Activations are those of the model's own pass, and the model is left as it was."""

import copy
import os
import pickle
import threading

import pytest
import torch
from material import by_hand
from torch.nn.utils import parametrizations, weight_norm

import lenet_helpers as lh
from notebooks.support.network.activations import activations


def test_layers_are_those_of_the_models_own_pass(network, four):
    expected = by_hand(network, four)
    for image in (four, four[0], four[None], four.numpy()):
        found = {name: step.activation for name, step in activations(network, image).items()}
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_the_model_is_left_as_it_was(network, four, small):
    """Weights, modes, hooks: all that is saved with it."""
    model = copy.deepcopy(network).train()
    model.c1.eval()
    before = pickle.dumps(model)
    activations(model, four)
    lh.show_layers(model, four)
    lh.explain_cell(model, four, "c3", 0, 0, 0)
    lh.show_patches(model, small.test)
    lh.evaluate(model, small.test)
    lh.layer_table(model)
    assert pickle.dumps(model) == before and all(p.grad is None for p in model.parameters())


class Keeps(lh.LeNet5):
    """Keeps what `copy.deepcopy` refuses: tensors with a history, and what is one of its kind."""

    def __init__(self):
        super().__init__()
        self.lock, self.null = threading.Lock(), open(os.devnull)
        self.last, self.outputs, self.by_layer = None, [], {"fc3": []}
        self.apart = [torch.nn.Linear(2, 2)]  # no layer of it, as it is in a list
        self.c1.register_forward_hook(self.keep)

    def keep(self, layer, inputs, output):
        with self.lock:
            self.last = output

    def forward(self, x):
        x = super().forward(x)
        self.outputs.append(x)
        self.by_layer["fc3"] = [(x, x * 2)]
        return x


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("norm", [lambda layer: layer, weight_norm, parametrizations.weight_norm])
def test_a_model_may_keep_anything(norm, small, four):
    model = Keeps()
    norm(model.fc1)
    logits = model(four[None])  # now it keeps tensors with a history
    last, outputs = model.last, list(model.outputs)
    assert torch.allclose(activations(model, four)["fc3"].activation, logits[0], atol=1e-5)
    assert lh.show_layers(model, four)
    run = lh.train_in_background(model, small, epochs=1)
    assert len(run.wait()) == 1 and run.panel.note == ""
    assert model.last is last and len(model.outputs) == len(outputs)  # the copies kept theirs
    assert lh.evaluate(model, small.test).accuracy == run.history[-1].accuracy
    logits.sum().backward()  # of the cell above


def test_a_copy_learns_as_its_model_would(small):
    """With shared weights, and frozen ones; what the model's are set to later is its own."""
    model = lh.LeNet5()
    model.fc2.requires_grad_(False)
    model.twice = model.fc3
    frozen = model.fc2.weight.clone()
    run = lh.train_in_background(model, small, epochs=1)
    model.fc2.requires_grad_()
    run.wait()
    assert torch.equal(frozen, model.fc2.weight) and model.twice is model.fc3
