"""Activations are those of the model's own pass, and the model is left as it was."""

import copy
import os
import threading

import pytest
import torch
from material import by_hand
from torch.nn.utils import parametrizations, prune, weight_norm

import lenet_helpers as lh
from notebooks.support.network.activations import activations


def test_layers_are_those_of_the_models_own_pass(network, four):
    expected = by_hand(network, four)
    for image in (four, four[0], four[None], four.numpy()):
        steps = activations(network, image)
        assert list(steps) == list(expected)
        for name in steps:
            assert steps[name].activation.shape == expected[name].shape and torch.allclose(
                steps[name].activation, expected[name], atol=1e-4
            )
    eight_bit = (four * 255).round().to(torch.uint8)
    assert torch.allclose(
        activations(network, eight_bit)["fc3"].activation,
        by_hand(network, eight_bit / 255)["fc3"],
        atol=1e-4,
    )


def test_hooks_see_a_students_own_forward(four):
    class Mine(lh.LeNet5):
        def forward(self, x):
            x = self.s2(torch.tanh(self.c1(x)))
            x = self.s4(self.c3(x)).flatten(1)
            return self.fc3(self.fc2(torch.sigmoid(self.fc1(x))))

    model = Mine()
    steps = {name: step.activation for name, step in activations(model, four).items()}
    assert torch.allclose(steps["c1"], model.c1(four[None]).tanh()[0], atol=1e-6)
    assert torch.allclose(steps["c3"], model.c3(steps["s2"][None])[0], atol=1e-5)
    assert torch.allclose(steps["fc1"], model.fc1(steps["s4"].flatten()).sigmoid(), atol=1e-5)
    assert torch.allclose(steps["fc3"], model(four[None])[0], atol=1e-5)


def test_the_model_is_left_as_it_was(network, four, small):
    model = copy.deepcopy(network).train()
    model.c1.eval()
    before = copy.deepcopy(model.state_dict())
    activations(model, four)
    lh.show_layers(model, four)
    lh.explain_cell(model, four, "c3", 0, 0, 0)
    lh.evaluate(model, small.test)
    assert model.training and not model.c1.training
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


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


KEEPING = {
    "what is kept": lambda model: model,
    "weight norm": lambda model: weight_norm(model.fc1) and model,
    "its new form": lambda model: parametrizations.weight_norm(model.fc1) and model,
    "pruned": lambda model: prune.l1_unstructured(model.fc1, "weight", 0.5) and model,
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("kind", KEEPING)
def test_a_model_may_keep_anything(kind, small, four):
    model = KEEPING[kind](Keeps())
    logits = model(four[None])  # now it keeps tensors with a history
    last, outputs = model.last, list(model.outputs)
    assert torch.allclose(activations(model, four)["fc3"].activation, logits[0], atol=1e-5)
    assert lh.show_layers(model, four) and not lh.DrawPad(model)._answer["fault"]
    lh.evaluate(model, small.test)
    run = lh.train_in_background(model, small, epochs=2)
    assert len(run.wait()) == 2 and run.panel.note == ""
    assert model.last is last and len(model.outputs) == len(outputs)  # the copies kept theirs
    assert lh.evaluate(model, small.test).accuracy == run.history[-1].accuracy
    logits.sum().backward()  # of the cell above


def test_a_copy_learns_as_its_model_would(small):
    """With shared weights, and frozen ones; what the model's are set to later is its own."""
    model = lh.LeNet5()
    model.fc2.requires_grad_(False)
    model.twice = model.fc3
    frozen = model.fc2.weight.clone()
    run = lh.train_in_background(model, small, epochs=2)
    model.fc2.requires_grad_()
    run.wait()
    assert torch.equal(frozen, model.fc2.weight) and model.twice is model.fc3
