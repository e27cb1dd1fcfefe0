"""From a drawing to what a network makes of it: MNIST's style, the maps of every layer, a cell's reason, the pad."""

import base64
import copy
import io
import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torchvision.utils import make_grid

import lenet_helpers as lh
from notebooks.support import inference, texts
from notebooks.support.drawing import SIDE, draw_strokes

DRAWINGS = json.loads(Path(__file__).with_name("drawings.json").read_text(encoding="utf-8"))


def place(strokes, size, x, y):
    """Strokes moved and scaled in the unit square: longer side `size`, middle at (x, y)."""
    points = np.vstack(strokes)
    low, high = points.min(0), points.max(0)
    scale = size / (high - low).max()
    return [
        [
            ((px - (low[0] + high[0]) / 2) * scale + x, (py - (low[1] + high[1]) / 2) * scale + y)
            for px, py in stroke
        ]
        for stroke in strokes
    ]


@pytest.fixture(scope="module")
def network():
    return lh.load_weights(
        lh.LeNet5(), Path(lh.__file__).parent / "notebooks" / "trained" / "lenet5.pt"
    )


@pytest.fixture
def four():
    return lh.to_mnist_style(lh.sample_drawing(4))


# ------------------------------------------------------------------------------------------- to_mnist_style


def block(height, width, top, left, rows, columns, dtype=np.uint8):
    drawing = np.zeros((height, width), dtype)
    drawing[top : top + rows, left : left + columns] = 255 if dtype == np.uint8 else 1
    return drawing


@pytest.mark.parametrize(
    "drawing, rows, columns",
    [
        (block(28, 28, 0, 0, 20, 20), slice(4, 24), slice(4, 24)),
        (block(60, 100, 13, 51, 40, 40), slice(4, 24), slice(4, 24)),  # twice as large, not square
        (
            block(112, 112, 100, 100, 10, 10),
            slice(4, 24),
            slice(4, 24),
        ),  # half as large, in a corner
        (
            block(200, 100, 3, 90, 180, 9),
            slice(4, 24),
            slice(14, 15),
        ),  # 20x1: its middle column is 14
        (block(100, 100, 50, 10, 12, 60), slice(12, 16), slice(4, 24)),  # 4x20
    ],
)
def test_blocks_by_hand(drawing, rows, columns):
    expected = torch.zeros(1, 28, 28)
    expected[0, rows, columns] = 1
    assert torch.allclose(lh.to_mnist_style(drawing), expected, atol=1e-6)


def test_centre_of_mass_by_hand():
    # three quarters of the ink in rows 0-4 of 20, a quarter in rows 15-19: 0.75 * 2 + 0.25 * 17 = 5.75, 8.25 from 14
    drawing = np.zeros((50, 50), np.uint8)
    drawing[20:25, 10:28] = 255
    drawing[35:40, 10:16] = 255
    out = lh.to_mnist_style(drawing)[0]
    assert torch.equal(
        out.sum(1).nonzero().flatten(), torch.tensor([*range(8, 13), *range(23, 28)])
    )
    # columns: 5 rows of 0-17 (mean 8.5) and 5 of 0-5 (mean 2.5): 0.75 * 8.5 + 0.25 * 2.5 = 7, 7 from 14
    assert out.sum(0).nonzero().flatten().tolist() == list(range(7, 25))


def test_no_ink_is_lost_where_the_middle_is_far_off():
    drawing = block(40, 40, 10, 5, 20, 4)
    drawing[10, 5:25] = (
        255  # a long hand: the mass lies at column 3.5 of 20, which would put the hand outside
    )
    out = lh.to_mnist_style(drawing)
    assert out.sum() == pytest.approx(96) and out[0, :, 8:28].sum() == out.sum()


def test_shrinking_averages_instead_of_picking_pixels():
    stripes = np.zeros((112, 112), np.uint8)
    stripes[20:60, 20:60:2] = 255
    stripes[20:60, 59] = 255
    inside = lh.to_mnist_style(stripes)[0, 8:20, 8:18]
    assert inside.min() > 0.4 and inside.max() < 0.6


@pytest.mark.parametrize("drawing", DRAWINGS[::4], ids=lambda drawing: f"{drawing['digit']}")
def test_like_mnist_and_the_same_wherever_it_stands(drawing):
    middle = draw_strokes(drawing["strokes"])
    out = lh.to_mnist_style(middle)
    assert (
        out.shape == (1, 28, 28)
        and out.dtype == torch.float32
        and 0 <= out.min()
        and 0.9 < out.max() <= 1
    )
    rows, columns = (np.flatnonzero(out[0].sum(axis).numpy()) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    index = torch.arange(28.0)
    for axis in (0, 1):  # in MNIST the centre of mass is within half a pixel of 14
        assert abs((out[0].sum(axis) * index).sum() / out.sum() - 14) <= 0.51
    rows, columns = np.nonzero(middle)
    crop = middle[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    for shape, top, left in (
        ((112, 112), 0, 0),
        ((300, 200), 199, 117),
        ((112, 112), 112 - len(crop), 112 - len(crop[0])),
    ):
        moved = np.zeros(shape, np.uint8)
        moved[top : top + len(crop), left : left + len(crop[0])] = crop
        assert torch.equal(lh.to_mnist_style(moved), out)
    for same in (
        middle / 255,
        (middle / 255).astype(np.float32),
        torch.tensor(middle),
        torch.tensor(middle / 255).half(),
        middle.astype(np.int64),
        middle.astype(float),
        middle.tolist(),
        np.asfortranarray(middle),
        np.pad(middle, 40)[::-1][::-1],
    ):
        assert torch.allclose(lh.to_mnist_style(same), out, atol=2e-3)
    assert torch.allclose(lh.to_mnist_style(middle // 2), out / 2, atol=0.01)
    assert (lh.to_mnist_style(np.kron(middle, np.ones((3, 3)))) - out).abs().mean() < 0.01
    assert torch.allclose(lh.to_mnist_style(middle.T), out.mT, atol=1e-6)
    before = middle.copy()
    lh.to_mnist_style(middle)
    assert np.array_equal(middle, before)


def test_what_the_eraser_leaves_is_no_ink():
    drawing = lh.sample_drawing(3)
    marked = drawing.copy()
    marked[2, 2] = marked[110, 110] = 3
    assert torch.equal(lh.to_mnist_style(marked), lh.to_mnist_style(drawing))


@pytest.mark.parametrize(
    "drawing, words",
    [
        (np.zeros((112, 112)), "empty"),
        (torch.zeros(28, 28, dtype=torch.uint8), "empty"),
        (np.zeros((50, 50), bool), "empty"),
        (np.ones((27, 112)), "(27, 112)"),
        (np.ones((1, 28, 28)), "(1, 28, 28)"),
        (np.ones(784), "(784,)"),
        (3, "()"),
        (np.ones((0, 28)), "(0, 28)"),
        (np.full((28, 28), np.nan), "NaN"),
        (np.full((28, 28), np.inf), "too large"),
        (-np.ones((28, 28)), "negative"),
        (np.full((28, 28), 256), "255"),
        (None, "NoneType"),
        ("seven", "str"),
        ([[1, 2], [3]], "list"),
        (np.full((28, 28), "x"), "ndarray"),
    ],
)
def test_what_is_no_drawing_is_refused_with_a_sentence(drawing, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        lh.to_mnist_style(drawing)
    assert str(caught.value).endswith(".")
    if isinstance(drawing, np.ndarray) and words == "NaN":
        drawing = np.where(np.eye(28) > 0, np.nan, 0.5)
        with pytest.raises(ValueError, match="NaN"):
            lh.to_mnist_style(drawing)


def test_huge_dot_and_full_drawings_are_fine():
    huge = np.zeros((6000, 4000), np.uint8)
    huge[1000:5000, 1900:2300] = 255
    assert torch.allclose(lh.to_mnist_style(huge), lh.to_mnist_style(huge[::100, ::100]), atol=1e-6)
    dot = np.zeros((112, 112), np.uint8)
    dot[5, 100] = 255
    assert lh.to_mnist_style(dot).sum() == 400  # as MNIST's makers would: it grows to 20x20
    assert lh.to_mnist_style(np.ones((112, 112))).sum() == 400


def test_centring_is_what_makes_the_network_right(network):
    pictures, plain, labels = [], [], []
    for drawing in DRAWINGS:
        for size in (0.3, 0.6, 0.9):
            for pen in (5, 7, 10):
                edge = size / 2 + pen / 2 / SIDE
                for x, y in ((0.5, 0.5), (edge, edge), (1 - edge, 1 - edge)):
                    ink = draw_strokes(place(drawing["strokes"], size, x, y), pen)
                    pictures.append(lh.to_mnist_style(ink))
                    plain.append(
                        F.adaptive_avg_pool2d(
                            torch.tensor(ink / 255, dtype=torch.float32)[None], 28
                        )
                    )
                    labels.append(drawing["digit"])
    with torch.no_grad():
        with_, without = (
            (network(torch.stack(group)).argmax(1) == torch.tensor(labels)).float().mean().item()
            for group in (pictures, plain)
        )
    assert len(labels) == 810 and with_ >= 0.95 and without < 0.7
    assert [
        network(lh.to_mnist_style(lh.sample_drawing(d))[None]).argmax().item() for d in range(10)
    ] == list(range(10))


# ------------------------------------------------------------------------------------------------ the layers


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
        steps = inference.activations(network, image)
        assert list(steps) == list(expected)
        for name in steps:
            assert steps[name].shape == expected[name].shape and torch.allclose(
                steps[name], expected[name], atol=1e-4
            )
    eight_bit = (four * 255).round().to(torch.uint8)
    assert torch.allclose(
        inference.activations(network, eight_bit)["fc3"],
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
    steps = inference.activations(model, four)
    assert torch.allclose(steps["c1"], model.c1(four[None]).tanh()[0], atol=1e-6)
    assert torch.allclose(steps["c3"], model.c3(steps["s2"][None])[0], atol=1e-5)
    assert torch.allclose(steps["fc1"], model.fc1(steps["s4"].flatten()).sigmoid(), atol=1e-5)
    assert torch.allclose(steps["fc3"], model(four[None])[0], atol=1e-5)


def test_the_model_is_left_as_it_was(network, four):
    model = copy.deepcopy(network).train()
    model.c1.eval()
    before = copy.deepcopy(model.state_dict())
    inference.activations(model, four)
    lh.DrawPad(model).drawing = lh.sample_drawing(2)
    assert model.training and not model.c1.training
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_show_layers(network, four):
    fig, steps = lh.show_layers(network, four), by_hand(network, four)
    axes = {ax.get_title().split(":")[0]: ax for ax in fig.axes}
    assert list(axes) == ["input", "C1", "S2", "C3", "S4", "FC1", "FC2", "guess"]
    for name, columns in (("C1", 6), ("S2", 6), ("C3", 8), ("S4", 8)):
        maps = steps[name.lower()]
        grid = make_grid(maps[:, None] / maps.max(), nrow=columns, padding=1)[0]
        inside = grid > 0
        shown = axes[name].images[0].get_array()
        assert shown.shape == grid.shape and np.allclose(shown[inside], grid[inside], atol=1e-4)
    assert np.allclose(axes["input"].images[0].get_array(), four[0])
    bars = [bar.get_width() for bar in axes["guess"].patches]
    assert (
        np.allclose(bars, steps["fc3"].softmax(0), atol=1e-4)
        and "guess: 4" in axes["guess"].get_title()
    )


@pytest.mark.parametrize("image", [torch.zeros(1, 32, 32), torch.zeros(2, 28, 28), np.zeros(10)])
def test_another_picture_is_refused(network, image):
    for call in (
        lambda: lh.show_layers(network, image),
        lambda: lh.explain_cell(network, image, "c1", 0, 0, 0),
    ):
        with pytest.raises(ValueError, match="28x28"):
            call()


def test_a_model_without_the_layers_is_refused(four):
    with pytest.raises(ValueError, match="no layer named c1"):
        lh.show_layers(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), four)


# ---------------------------------------------------------------------------------------------- explain_cell


@pytest.mark.parametrize(
    "layer, channel, row, column",
    [
        ("c1", 0, 0, 0),
        ("c1", 2, 10, 12),
        ("c1", 5, 27, 27),
        ("c1", 3, 14, 0),
        ("c3", 0, 0, 0),
        ("c3", 15, 9, 9),
        ("c3", 7, 4, 6),
    ],
)
def test_the_sum_is_the_maps_value(network, four, layer, channel, row, column):
    fig, steps = lh.explain_cell(network, four, layer, channel, row, column), by_hand(network, four)
    axes = [(ax.get_title(), ax.images[0].get_array()) for ax in fig.axes]
    tables = {
        kind: torch.tensor(np.stack([table for title, table in axes if title.startswith(kind)]))
        for kind in ("patch\n", "kernel", "patch x kernel")
        if any(title.startswith(kind) for title, _ in axes)
    }
    patches = torch.tensor(np.stack([table for title, table in axes if title == "patch"]))
    weight, bias = (
        getattr(network, layer).weight[channel].detach(),
        getattr(network, layer).bias[channel].item(),
    )
    source = F.pad(steps["input"], [2] * 4) if layer == "c1" else steps["s2"]
    assert torch.allclose(
        patches, source[:, row : row + 5, column : column + 5].double(), atol=1e-5
    )
    assert torch.equal(tables["kernel"], weight.double())
    assert torch.allclose(tables["patch x kernel"], patches * tables["kernel"])
    total = (tables["patch x kernel"].sum() + bias).item()
    value = steps[layer][channel, row, column].item()
    assert max(total, 0) == pytest.approx(value, abs=1e-4)
    written = fig.get_suptitle().replace("−", "-")
    parts = [float(number) for number in re.findall(r"[-+]\d+\.\d{3}", written.split("=")[0])]
    assert len(parts) == len(patches) + 1 and sum(parts) == pytest.approx(total, abs=0.004)
    assert [float(n) for n in re.findall(r"-?\d+\.\d{3}", written.split("=")[1])] == pytest.approx(
        [total, value], abs=6e-4
    )
    sums = [float(title.split("sum ")[1].replace("−", "-")) for title, _ in axes if "sum" in title]
    assert sums == parts[:-1]
    title, shown = axes[-1]
    assert shown[row, column] == pytest.approx(value, abs=1e-4) and f"value {value:.3f}" in title


@pytest.mark.parametrize("layer, channel, row, column", [("s2", 1, 7, 7), ("s4", 15, 4, 4)])
def test_a_pooled_cell_is_the_largest_of_its_patch(network, four, layer, channel, row, column):
    fig, steps = lh.explain_cell(network, four, layer, channel, row, column), by_hand(network, four)
    below = steps[{"s2": "c1", "s4": "c3"}[layer]]
    patch = next(ax.images[0].get_array() for ax in fig.axes if ax.get_title() == "patch")
    assert np.allclose(
        patch, below[channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2], atol=1e-5
    )
    assert f"is {steps[layer][channel, row, column]:.3f}" in fig.get_suptitle()


def test_a_cell_of_a_layer_without_bias(network, four):
    model = copy.deepcopy(network)
    model.c1 = nn.Conv2d(1, 6, 5, padding=2, bias=False)
    value = model.c1(four[None]).relu()[0, 1, 12, 13].item()
    assert (
        f"after ReLU: {value:.3f}" in lh.explain_cell(model, four, "c1", 1, 12, 13).get_suptitle()
    )


@pytest.mark.parametrize(
    "cell, words",
    [
        (("c1", 6, 0, 0), "from 0 to 5"),
        (("c3", 0, 10, 0), "from 0 to 9"),
        (("s4", 0, 0, -1), "from 0 to 4"),
        (("c1", 0, 1.0, 0), "1.0"),
        (("c1", "a", 0, 0), "'a'"),
        (("fc1", 0, 0, 0), "'fc1'"),
        ((None, 0, 0, 0), "None"),
        (("C1", 0, 0, 0), "'C1'"),
    ],
)
def test_a_cell_that_is_not_there(network, four, cell, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        lh.explain_cell(network, four, *cell)


# --------------------------------------------------------------------------------------------------- the pad


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
