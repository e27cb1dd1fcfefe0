"""The draw pad's numbers: what it is given, and what it answers. Its page is in test_lab_draw_pad.py."""

import copy
import math
import re

import numpy as np
import pytest
import torch
from material import by_hand, picture_of
from torch import nn

import lenet_helpers as lh
from notebooks.support.data.drawing import draw_strokes
from notebooks.support.widgets.widget import module


def sent(pad):
    """The answer that the page gets, as draw_pad.js says."""
    return pad.get_state()["_answer"]


def layers(pad):
    """What is in it: {layer: tensor}."""
    shapes, values = sent(pad)["shapes"], np.frombuffer(sent(pad)["values"], "<f4")
    parts = torch.tensor(values).split([math.prod(shape) for shape in shapes.values()])
    return {name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items())}


def guess(pad):
    assert sent(pad)["problem"] == sent(pad)["fault"] == ""
    return layers(pad)["fc3"].argmax().item()


def test_the_answer_is_what_the_network_computes(network):
    pad = lh.DrawPad(network)
    assert sent(pad)["problem"] == "empty"  # and has maps, too: the page keeps room for them
    for digit in (None, *range(10)):
        if digit is not None:
            pad.drawing = lh.sample_drawing(digit)
            assert guess(pad) == digit
        expected = by_hand(network, pad.image)
        torch.testing.assert_close(layers(pad), expected, atol=1e-4, rtol=0)


def test_a_guess_only_where_there_is_something_to_guess(network):
    pad = lh.DrawPad(network)
    faint, single = np.full((112, 112), 2, np.uint8), np.zeros((112, 112), np.uint8)
    single[0, 0] = 255
    problems = {"dot": [draw_strokes([[(0.3, 0.3)]]), single, faint]}
    problems |= {"full": [np.full((112, 112), 255, np.uint8)], "empty": [np.zeros((112, 112))]}
    for problem, drawings in problems.items():
        for pad.drawing in drawings:
            for pad.centre in (True, False):
                assert sent(pad)["problem"] == problem
                assert torch.equal(layers(pad)["input"], pad.image)


def test_the_drawing_can_be_read_and_set(network):
    pad, drawing = lh.DrawPad(network), lh.sample_drawing(3)
    pad.drawing = drawing
    assert pad.drawing.dtype == np.uint8 and np.array_equal(pad.drawing, drawing)
    assert torch.equal(pad.image, lh.to_mnist_style(drawing))
    pad.centre = False
    blocks = drawing.reshape(28, 4, 28, 4).mean((1, 3)) / 255
    assert np.allclose(pad.image[0], blocks, atol=1e-6)
    pad.drawing[:] = 0  # a copy
    for wrong in (np.zeros((28, 28)), np.zeros((112, 113)), np.ones((112, 112, 5)), None):
        with pytest.raises(ValueError):
            pad.drawing = wrong
        assert np.array_equal(pad.drawing, drawing)


def test_whose_network(network):
    untrained = lh.LeNet5()
    pad = lh.DrawPad({"trained": network, "<mine> & yours": untrained})
    assert pad.network == "trained"
    pad.drawing = lh.sample_drawing(4)
    pad.network = "<mine> & yours"
    assert torch.allclose(layers(pad)["fc3"], untrained(pad.image[None])[0], atol=1e-4)
    assert lh.DrawPad({20: network, 100: untrained}).network == "20"
    with torch.no_grad():
        untrained.fc3.bias[3] += 1000  # weights that change show at the next stroke
    pad.drawing = lh.sample_drawing(5)
    assert guess(pad) == 3


def test_what_the_page_sends(network):
    pad = lh.DrawPad(network)
    pad.set_state({"_ink": memoryview(lh.sample_drawing(7).tobytes())})
    assert np.array_equal(pad.drawing, lh.sample_drawing(7)) and guess(pad) == 7
    pad.set_state({"_ink": memoryview(bytes(112 * 112)), "centre": False})
    before = sent(pad)
    pad.set_state({"centre": True})  # an empty pad looks the same, but the page waits for an answer
    assert sent(pad)["values"] == before["values"] and sent(pad) != before


def test_every_text_that_the_page_uses_is_sent(network):
    used = {*re.findall(r"texts\.(\w+)", module("draw_pad")), "empty", "dot", "full", "nan"}
    assert used <= lh.DrawPad(network).get_state()["texts"].keys()


def test_a_fault_is_said_and_the_next_network_works(network):
    class Misfit(lh.LeNet5):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(256, 120)

    broken = copy.deepcopy(network)
    with torch.no_grad():
        broken.fc3.bias[3] = float("nan")
    models = {"good": network, "bad": Misfit(), "foreign": nn.Linear(784, 10), "broken": broken}
    pad = lh.DrawPad(models)
    pad.drawing = lh.sample_drawing(4)
    pad.network = "bad"
    assert re.match("RuntimeError: .*1x400 and 256x120", sent(pad)["fault"])
    assert torch.equal(layers(pad)["input"], pad.image)
    pad.network = "foreign"
    assert "no layer named c1" in sent(pad)["fault"]
    assert picture_of(pad) is None
    pad.network = "broken"
    assert sent(pad)["problem"] == "nan" and sent(pad)["fault"] == ""
    pad.network = "good"
    assert guess(pad) == 4 and picture_of(pad).std() > 5
