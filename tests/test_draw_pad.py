"""From a drawing to what a network makes of it: MNIST's style, the maps of every layer, a cell's reason, the pad."""

import base64
import copy
import io
import re
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import lenet_helpers as lh
from notebooks.support import texts
from notebooks.support.drawing import draw_strokes


def sentence(pad):
    found = re.search(r'lh-pad-sentence"[^>]*>([^<]*)', pad._view)
    return found and found[1]


def guess(pad):
    return int(re.search(r"lh-pad-first.*?<b>(\d)", pad._view)[1])


def test_a_guess_only_where_there_is_something_to_guess(network):
    pad = lh.DrawPad(network)
    assert "empty" in sentence(pad) and "<img" in pad._view and "lh-pad-first" not in pad._view
    dot, full = draw_strokes([[(0.3, 0.3)]]), np.full((112, 112), 255, np.uint8)
    faint = np.full((112, 112), 2, np.uint8)
    single = np.zeros((112, 112), np.uint8)
    single[0, 0] = 255
    for drawing, word in (
        (dot, "dot"),
        (full, "full"),
        (single, "dot"),
        (faint, "dot"),
        (np.zeros((112, 112)), "empty"),
    ):
        for centre in (True, False):
            pad.centre, pad.drawing = centre, drawing
            assert word in sentence(pad) and "lh-pad-first" not in pad._view
    pad.drawing = lh.sample_drawing(6)
    assert sentence(pad) is None and pad._view.count("<img") == 7 and pad._view.count("<tr") == 11


def test_the_drawing_can_be_read_and_set(network):
    pad = lh.DrawPad(network)
    for digit in range(10):
        drawing = lh.sample_drawing(digit)
        pad.centre = True
        pad.drawing = drawing
        assert (
            pad.drawing.dtype == np.uint8
            and np.array_equal(pad.drawing, drawing)
            and guess(pad) == digit
        )
        assert torch.equal(pad.image, lh.to_mnist_style(drawing))
        pad.centre = False
        blocks = drawing.reshape(28, 4, 28, 4).mean((1, 3)) / 255
        assert np.allclose(pad.image[0], blocks, atol=1e-6)
    pad.drawing[:] = 0  # a copy
    assert np.array_equal(pad.drawing, drawing)
    for same in (drawing / 255, torch.tensor(drawing), drawing.astype(float)):
        pad.drawing = np.zeros((112, 112))
        pad.drawing = same
        assert np.array_equal(pad.drawing, drawing)
    for wrong in (
        np.zeros((28, 28)),
        np.zeros((112, 113)),
        np.full((112, 112), np.nan),
        np.ones((112, 112, 3)),
        None,
        "7",
    ):
        with pytest.raises(ValueError):
            pad.drawing = wrong
        assert np.array_equal(pad.drawing, drawing)


def test_whose_network(network):
    untrained = lh.LeNet5()
    pad = lh.DrawPad({"trained": network, "<mine> & yours": untrained})
    assert pad.network == "trained" and "&lt;mine&gt; &amp; yours" in pad._page
    pad.drawing = lh.sample_drawing(4)
    view = pad._view
    pad.network = "<mine> & yours"
    assert pad._view != view and guess(pad) == untrained(pad.image[None]).argmax().item()
    with pytest.raises(ValueError, match="'other'.*trained"):
        pad.network = "other"
    assert lh.DrawPad({20: network, 100: untrained}).network == "20"
    with torch.no_grad():
        untrained.fc3.bias[3] += 1000  # weights that change show at the next stroke
    pad.drawing = lh.sample_drawing(5)
    assert guess(pad) == 3
    for nothing in ({}, None, lh.LeNet5, "notebooks/trained/lenet5.pt", {"a": None}):
        with pytest.raises(ValueError, match="needs at least one model"):
            lh.DrawPad(nothing)


def test_what_the_page_sends(network):
    pad = lh.DrawPad(network)
    pad.set_state({"_ink": memoryview(lh.sample_drawing(7).tobytes())})
    assert np.array_equal(pad.drawing, lh.sample_drawing(7)) and guess(pad) == 7
    view = pad._view
    pad.set_state({"centre": False})
    assert pad._view != view and not pad.centre
    pad._handle_custom_msg({"sample": 2}, [])
    assert np.array_equal(pad.drawing, lh.sample_drawing(2))


def test_a_fault_shows_in_the_pad(network):
    class Misfit(lh.LeNet5):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(256, 120)

    pad = lh.DrawPad({"good": network, "bad": Misfit(), "foreign": nn.Linear(784, 10)})
    pad.drawing = lh.sample_drawing(4)
    pad.network = "bad"
    assert "lh-pad-fault" in pad._view and "1x400 and 256x120" in pad._view
    pad.network = "foreign"
    assert "no layer named c1" in pad._view
    pad._repr_mimebundle_()
    pad.network = "good"
    assert guess(pad) == 4


def test_it_works_while_the_same_network_trains(network, small):
    model = copy.deepcopy(network)
    pad, over, faults = lh.DrawPad(model), threading.Event(), []

    def draw():  # as a page does, whose messages come in a thread of their own
        while not over.is_set():
            for digit in range(10):
                pad.drawing = lh.sample_drawing(digit)
                faults.extend(["fault"] * ("lh-pad-fault" in pad._view))

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        plain = copy.deepcopy(network)
        history = lh.train(model, small, epochs=1)
    finally:
        over.set()
        thread.join()
    assert (
        not faults and history[0][:3] == lh.train(plain, small, epochs=1)[0][:3]
    )  # nor does it disturb the training
    pad.drawing = lh.sample_drawing(1)
    assert guess(pad) == model(pad.image[None]).argmax().item()


def test_both_languages(network, monkeypatch):
    pages = []
    for language in ("zh", "en"):
        texts.use(language)
        pad = lh.DrawPad(network)
        empty = pad._view
        pad.drawing = lh.sample_drawing(4)
        pages.append(pad._page + empty + pad._view)
    assert (
        "画板是空的" in pages[0] and "它认为是" in pages[0] and not re.search("[一-鿿]", pages[1])
    )


def test_a_saved_notebook_shows_a_picture(network):
    pad = lh.DrawPad(network)
    for digit, least in ((None, 200), (4, 800)):
        if digit is not None:
            pad.drawing = lh.sample_drawing(digit)
        data, _ = pad._repr_mimebundle_()
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert "application/vnd.jupyter.widget-view+json" in data
        assert picture.width > least and np.asarray(picture.convert("L")).std() > 5


def test_figures_are_not_left_open(network, four):
    import matplotlib.pyplot as plt

    lh.show_layers(network, four)
    lh.explain_cell(network, four, "c3", 0, 0, 0)
    lh.DrawPad(network)._repr_mimebundle_()
    assert plt.get_fignums() == []
