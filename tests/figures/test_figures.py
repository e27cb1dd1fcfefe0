"""The figures show what they say."""

import copy
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from material import by_hand, decimals
from matplotlib.colors import to_hex
from torch import nn
from torch.nn import functional as F
from torchvision.utils import make_grid

import lenet_helpers as lh
from notebooks.support.figures import images


def titles(fig):
    return [(ax.get_title(), to_hex(ax.title.get_color())) for ax in fig.axes if ax.get_title()]


def test_predictions_right_and_wrong(small, trained):
    model, _ = trained
    shown = titles(lh.show_predictions(model, small.test, n=30))
    labels = small.test.tensors[1][:30].tolist()
    guesses = lh.evaluate(model, small.test).predictions[:30].tolist()
    assert shown == [
        (f"{g} ({t})" + ("" if g == t else " ✗"), images.RIGHT if g == t else images.WRONG)
        for g, t in zip(guesses, labels)
    ]


def test_mistakes_are_mistakes_the_surest_first(small, trained):
    evaluation = lh.evaluate(trained[0], small.test)
    wrong = (evaluation.predictions != small.test.tensors[1]).nonzero().flatten().tolist()
    figure = lh.show_mistakes(evaluation, small.test, n=6)
    shown = [int(title[1:].split(":")[0]) for title, _ in titles(figure)]
    sure = evaluation.logits.softmax(1).max(1).values
    assert shown == sorted(wrong, key=lambda i: -sure[i])[:6]
    right = torch.utils.data.TensorDataset(small.test.tensors[0], evaluation.predictions)
    fig = lh.show_mistakes(lh.evaluate(trained[0], right), right)
    assert titles(fig) == [] and fig.get_suptitle() == "no mistake in 360 pictures"


def test_a_network_that_ends_in_softmax_is_as_sure_as_it_is(small, trained, capsys):
    """Its mistakes and its shares have the probabilities of the network before its softmax."""
    twin = nn.Sequential(copy.deepcopy(trained[0]), nn.Softmax(1))
    found, expected = (
        titles(lh.show_mistakes(lh.evaluate(model, small.test), small.test))
        for model in (twin, trained[0])
    )
    assert found == expected
    logits = lh.evaluate(trained[0], small.test).logits[0]
    for scores in (logits.softmax(0), logits):
        shares = torch.tensor(lh.explore_softmax(scores, 3).scores).softmax(0)
        assert torch.allclose(shares, logits.softmax(0), atol=1e-6)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_confusion_and_filters(small, trained):
    evaluation = lh.evaluate(trained[0], small.test)
    ax = lh.show_confusion(evaluation).axes[0]
    numbers = [int(text.get_text()) for text in ax.texts]
    assert numbers == evaluation.confusion.flatten().tolist()
    shown = [ax.images[0].get_array() for ax in lh.show_filters(trained[0]).axes[:6]]
    assert np.allclose(shown, trained[0].c1.weight.detach()[:, 0])


def test_filters_of_other_networks(four):
    assert len(lh.show_filters(nn.Conv2d(1, 1, 3)).axes) == 2  # the kernel and the scale
    shift = nn.Conv2d(1, 2, 5, padding=2).requires_grad_(False)
    shift.weight[:] = shift.bias[:] = 0
    shift.weight[1, 0, 2, 0] = -1  # 2 pixels to the right, and negative
    axes = {ax.get_title(): ax for ax in lh.show_filters(shift, four).axes}
    assert [name for name in axes if name] == ["kernel 0", "kernel 1", "map 0", "map 1"]
    assert (axes["kernel 1"].images[0].get_array() == shift.weight[1, 0].numpy()).all()
    found = torch.as_tensor(axes["map 1"].images[0].get_array())
    assert torch.equal(found[:, 2:], -four[0, :, :-2]) and not found[:, :2].any()
    with pytest.raises(ValueError, match="no convolution"):
        lh.show_filters(nn.Linear(3, 3))


def test_diagram_has_every_layers_size():
    texts = [text.get_text() for text in lh.lenet5_diagram().axes[0].texts]
    for size in ("1@28×28", "6@28×28", "6@14×14", "16@10×10", "16@5×5", "120", "84", "10"):
        assert any(text.split("\n")[-1] == size for text in texts)
    assert [text.split("\n")[0] for text in texts if "padding 2" in text] == ["convolution"]
    assert texts.count("ReLU") == 4  # after C1, C3, F5 and F6
    bare = [text.get_text() for text in lh.lenet5_diagram(sizes=False).axes[0].texts]
    assert not re.search("28|14|10|120|84", "".join(bare)) and len(bare) == len(texts)


def test_show_layers(network, four):
    fig, steps = lh.show_layers(network, four), by_hand(network, four)
    axes = {ax.get_title().split(":")[0]: ax for ax in fig.axes}
    assert list(axes) == ["input", "C1", "S2", "C3", "S4", "F5 (fc1)", "F6 (fc2)", "guess"]
    for name, columns in (("C1", 6), ("S2", 6), ("C3", 8), ("S4", 8)):
        maps = steps[name.lower()]
        grid = make_grid(maps[:, None] / maps.max(), nrow=columns, padding=1)[0]
        inside = grid > 0
        shown = axes[name].images[0].get_array()
        assert shown.shape == grid.shape and np.allclose(shown[inside], grid[inside], atol=1e-4)
    assert np.allclose(axes["input"].images[0].get_array(), four[0])
    bars = [bar.get_width() for bar in axes["guess"].patches]
    assert np.allclose(bars, steps["fc3"].softmax(0), atol=1e-4)
    assert "guess: 4" in axes["guess"].get_title()
    assert plt.get_fignums() == []  # none is left open


CELLS = [("c1", 0, 0, 0), ("c1", 2, 10, 12), ("c1", 5, 27, 27), ("c3", 15, 9, 9), ("c3", 7, 4, 6)]


@pytest.mark.parametrize("layer, channel, row, column", CELLS)
def test_the_sum_is_the_maps_value(network, four, layer, channel, row, column):
    fig, steps = lh.explain_cell(network, four, layer, channel, row, column), by_hand(network, four)
    *parts, last = fig.axes
    module, value = getattr(network, layer), steps[layer][channel, row, column].item()
    kernel, bias = module.weight[channel].detach().double(), module.bias[channel].item()
    source = F.pad(steps["input"], [2] * 4) if layer == "c1" else steps["s2"]
    window = source[:, row : row + 5, column : column + 5].double()
    shown = {"patch": window, "kernel": kernel, "patch × kernel": window * kernel}
    for i, (title, tables) in enumerate(shown.items(), 1):
        axes = parts[i::4]
        assert {ax.get_title().split("\n")[0] for ax in axes} == {title}
        assert np.allclose([ax.images[0].get_array() for ax in axes], tables, atol=1e-5)
        colours = {ax.images[0].get_cmap().name for ax in axes}
        assert title == "patch" or colours == {lh.SIGNS.name}  # though none be negative
    terms, results = map(decimals, fig.get_suptitle().split("="))
    assert terms == pytest.approx([*(window * kernel).sum((1, 2)).tolist(), bias], abs=6e-4)
    assert [decimals(ax.get_title()) for ax in parts[3::4]] == [[term] for term in terms[:-1]]
    total = (window * kernel).sum().item() + bias
    assert results == pytest.approx([total, value], abs=6e-4)
    assert last.images[0].get_array()[row, column] == pytest.approx(value, abs=1e-4)
    assert f"value {value:.3f}" in last.get_title()


def test_a_cell_that_is_not_there(network, four):
    for words, cell in {
        "from 0 to 5": ("c1", 6, 0, 0),
        "from 0 to 9": ("c3", 0, 10, 0),
        "from 0 to 4": ("s4", 0, 0, -1),
        "1.0": ("c1", 0, 1.0, 0),
        "'fc1'": ("fc1", 0, 0, 0),
    }.items():
        with pytest.raises(ValueError, match=words):
            lh.explain_cell(network, four, *cell)
