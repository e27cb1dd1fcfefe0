"""The draw pad's numbers: what it is given, and what it answers. Its page is in test_lab_draw_pad.py."""

import base64
import copy
import io
import json
import math
import re

import numpy as np
import pytest
import torch
from material import by_hand
from PIL import Image
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.data.drawing import draw_strokes
from notebooks.support.widgets.widget import module


def answer(pad):
    """What the page gets, as draw_pad.js says: {layer: tensor}."""
    sent = pad.get_state()["_answer"]
    sizes = [math.prod(shape) for shape in sent["shapes"].values()]
    values = torch.tensor(np.frombuffer(sent["values"], "<f4")).split(sizes)
    return {
        name: part.reshape(shape) for part, (name, shape) in zip(values, sent["shapes"].items())
    }


def guess(pad):
    assert pad._answer["problem"] == pad._answer["fault"] == ""
    return answer(pad)["fc3"].argmax().item()


def test_the_answer_is_what_the_network_computes(network):
    pad = lh.DrawPad(network)
    for digit in (None, 4, 7):  # an empty pad has maps, too: the page keeps room for them
        if digit is not None:
            pad.drawing = lh.sample_drawing(digit)
        found, expected = answer(pad), by_hand(network, pad.image)
        assert list(found) == ["input", "c1", "s2", "c3", "s4", "fc1", "fc2", "fc3"]
        for name in found:
            assert found[name].shape == expected[name].shape
            assert torch.allclose(found[name], expected[name], atol=1e-4)


def test_a_guess_only_where_there_is_something_to_guess(network):
    pad = lh.DrawPad(network)
    assert pad._answer["problem"] == "empty"
    faint, single = np.full((112, 112), 2, np.uint8), np.zeros((112, 112), np.uint8)
    single[0, 0] = 255
    problems = {"dot": [draw_strokes([[(0.3, 0.3)]]), single, faint]}
    problems |= {"full": [np.full((112, 112), 255, np.uint8)], "empty": [np.zeros((112, 112))]}
    for problem, drawings in problems.items():
        for pad.drawing in drawings:
            for pad.centre in (True, False):
                assert pad._answer["problem"] == problem
                assert torch.equal(answer(pad)["input"], pad.image)
    pad.drawing = lh.sample_drawing(6)
    assert guess(pad) == 6


def test_the_drawing_can_be_read_and_set(network):
    pad = lh.DrawPad(network)
    for digit in range(10):
        drawing = lh.sample_drawing(digit)
        pad.centre, pad.drawing = True, drawing
        assert pad.drawing.dtype == np.uint8 and np.array_equal(pad.drawing, drawing)
        assert guess(pad) == digit and torch.equal(pad.image, lh.to_mnist_style(drawing))
        pad.centre = False
        blocks = drawing.reshape(28, 4, 28, 4).mean((1, 3)) / 255
        assert np.allclose(pad.image[0], blocks, atol=1e-6)
    pad.drawing[:] = 0  # a copy
    assert np.array_equal(pad.drawing, drawing)
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
    assert torch.allclose(answer(pad)["fc3"], untrained(pad.image[None])[0], atol=1e-4)
    with pytest.raises(ValueError, match="'other'.*trained"):
        pad.network = "other"
    assert lh.DrawPad({20: network, 100: untrained}).network == "20"
    with torch.no_grad():
        untrained.fc3.bias[3] += 1000  # weights that change show at the next stroke
    pad.drawing = lh.sample_drawing(5)
    assert guess(pad) == 3


def test_what_the_page_sends(network):
    pad = lh.DrawPad({"a": network, "b": lh.LeNet5()})
    pad.set_state({"_ink": memoryview(lh.sample_drawing(7).tobytes())})
    assert np.array_equal(pad.drawing, lh.sample_drawing(7)) and guess(pad) == 7
    for state in ({"centre": False}, {"network": "b"}, {"_ink": memoryview(bytes(112 * 112))}):
        before = pad._answer
        pad.set_state(state)
        assert pad._answer != before
    assert not pad.centre and pad.network == "b" and not pad.drawing.any()
    before = pad._answer
    pad.set_state({"centre": True})  # an empty pad looks the same, but the page waits for an answer
    assert pad._answer["values"] == before["values"] and pad._answer != before


def test_the_samples_of_the_page_are_those_of_python(network):
    samples = json.loads(json.dumps(lh.DrawPad(network)._samples))  # as a page gets them
    for digit, strokes in enumerate(samples):
        assert np.array_equal(draw_strokes(strokes), lh.sample_drawing(digit))


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
    assert re.match("RuntimeError: .*1x400 and 256x120", pad._answer["fault"])
    assert torch.equal(answer(pad)["input"], pad.image)
    pad.network = "foreign"
    assert "no layer named c1" in pad._answer["fault"]
    pad._repr_mimebundle_()
    pad.network = "broken"
    assert pad._answer["problem"] == "nan" and pad._answer["fault"] == ""
    pad.network = "good"
    assert guess(pad) == 4
    assert "no layer named c1" in lh.DrawPad(nn.Linear(784, 10))._answer["fault"]


def test_the_page_hears_what_the_numbers_have_gone_through(network):
    class Mine(lh.LeNet5):
        def forward(self, x):
            x = self.s2(torch.tanh(self.c1(x)))
            x = self.s4(F.relu(self.c3(x))).flatten(1)
            return self.fc3(self.fc2(torch.sigmoid(self.fc1(x))))

    pads = lh.DrawPad(network), lh.DrawPad(Mine())
    for pad in pads:
        pad.drawing = lh.sample_drawing(3)
    said = [pad._answer["after"] for pad in pads]
    assert said[0] == dict.fromkeys(("c1", "c3", "fc1", "fc2"), "ReLU")
    assert said[1] == {"c1": "tanh", "c3": "ReLU", "fc1": "sigmoid"}


def test_the_page_has_every_text_it_asks_for(network):
    used = {*re.findall(r"texts\.(\w+)", module("draw_pad")), "empty", "dot", "full", "nan"}
    assert used <= lh.DrawPad(network).get_state()["texts"].keys()


def test_a_saved_notebook_shows_a_picture(network):
    pad = lh.DrawPad(network)
    for digit, least in ((None, 200), (4, 800)):
        if digit is not None:
            pad.drawing = lh.sample_drawing(digit)
        data, _ = pad._repr_mimebundle_()
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert "application/vnd.jupyter.widget-view+json" in data
        assert picture.width > least and np.asarray(picture.convert("L")).std() > 5
