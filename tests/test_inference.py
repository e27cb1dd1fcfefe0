"""Activations are those of the model's own pass, and the model is left as it was."""

import copy

import torch
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.inference import activations


def by_hand(model, image):
    w = dict(model.named_parameters())
    steps = {"input": image}
    steps["c1"] = F.conv2d(image[None], w["c1.weight"], w["c1.bias"], padding=2).relu()
    steps["s2"] = steps["c1"].unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    steps["c3"] = F.conv2d(steps["s2"], w["c3.weight"], w["c3.bias"]).relu()
    steps["s4"] = steps["c3"].unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    steps["fc1"] = (w["fc1.weight"] @ steps["s4"].flatten() + w["fc1.bias"]).relu()[None]
    steps["fc2"] = (w["fc2.weight"] @ steps["fc1"][0] + w["fc2.bias"]).relu()[None]
    steps["fc3"] = (w["fc3.weight"] @ steps["fc2"][0] + w["fc3.bias"])[None]
    return {
        name: value.detach() if name == "input" else value.detach()[0]
        for name, value in steps.items()
    }


def test_layers_are_those_of_the_models_own_pass(network, four):
    expected = by_hand(network, four)
    for image in (four, four[0], four[None], four.numpy()):
        steps = activations(network, image)
        assert list(steps) == list(expected)
        for name in steps:
            assert steps[name].shape == expected[name].shape and torch.allclose(
                steps[name], expected[name], atol=1e-4
            )
    eight_bit = (four * 255).round().to(torch.uint8)
    assert torch.allclose(
        activations(network, eight_bit)["fc3"],
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
    steps = activations(model, four)
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
