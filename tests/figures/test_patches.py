"""Patches: where they are cut out by autograd, which they are by trying every cell."""

import pytest
import torch
from material import rows_with_gradient
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support.figures.patches import receptive_field, strongest_patches


def assert_same(found, expected):
    """NaN, which is padding, in the same places, too."""
    torch.testing.assert_close(found, expected, equal_nan=True)


def test_the_receptive_field_is_where_a_cell_has_a_gradient(network):
    layers = torch.nn.Sequential()
    for layer, last, pixels in ("c1", 27, 5), ("s2", 13, 6), ("c3", 9, 14), ("s4", 4, 16):
        layers.append(getattr(network, layer))
        for row in (0, 1, last // 2, last):
            first, size = receptive_field(network, layer, row)
            inside = [pixel for pixel in range(first, first + size) if 0 <= pixel < 28]
            assert size == pixels and rows_with_gradient(layers, 28, row) == inside


def test_strongest_patches_are_the_best_of_every_cell(network, small):
    images = small.test.tensors[0][:40]
    padded = F.pad(images / 255, [2] * 4, value=float("nan"))
    with torch.no_grad():
        maps = network.c3(network.s2(network.c1(images / 255).relu()))
    patches, values = strongest_patches(network, images, n=4)
    assert patches.shape == (16, 4, 14, 14) and values.shape == (16, 4)
    for channel in range(16):
        best = sorted(range(40), key=lambda i: -maps[i, channel].max())[:4]
        for number, i in enumerate(best):
            row, column = (maps[i, channel] == maps[i, channel].max()).nonzero()[0].tolist()
            by_hand = padded[i, 0, 2 * row : 2 * row + 14, 2 * column : 2 * column + 14]
            assert_same(patches[channel, number], by_hand)
            assert values[channel, number] == pytest.approx(maps[i, channel].max().item(), abs=1e-4)


def test_the_figure_has_a_row_for_each_map(network, small):
    images = small.test.tensors[0][:30]
    patches, values = strongest_patches(network, images, n=3)
    figure = lh.show_patches(network, TensorDataset(*small.test[:30]), n=3)
    shown = {int(ax.get_title().split(":")[0][4:]): ax for ax in figure.axes if ax.images}
    assert sorted(shown) == list(range(16))
    for channel, ax in shown.items():
        first, last = (float(v) for v in ax.get_title().split(": ")[1].split(" to "))
        assert first == pytest.approx(values[channel, 0].item(), abs=0.06)
        assert last == pytest.approx(values[channel, -1].item(), abs=0.06)
        grid = torch.tensor(ax.images[0].get_array().filled(float("nan")))
        for number, patch in enumerate(patches[channel]):
            assert_same(grid[1:15, 1 + 15 * number : 15 + 15 * number], patch)


def test_a_function_between_the_layers_counts(network, small):
    """A network that pools by a function sees as by a layer; what cannot be told is said."""

    class Pooled(torch.nn.Sequential):
        def forward(self, x):
            return self[1](pool(self[0](x), 2))

    images, pool = small.test.tensors[0][:20], F.max_pool2d
    layered = torch.nn.Sequential(network.c1, network.s2, network.c3)
    found = strongest_patches(Pooled(network.c1, network.c3), images, "1")
    expected = strongest_patches(layered, images, "2")
    assert_same(found[0], expected[0])
    pool = F.adaptive_max_pool2d
    with pytest.raises(ValueError, match="adaptive_max_pool2d"):
        receptive_field(Pooled(network.c1, torch.nn.Conv2d(6, 16, 2)), "1", 0)


def test_a_layer_without_maps_is_refused(network, small):
    few = TensorDataset(*small.test[:5])
    with pytest.raises(ValueError, match="c1, s2, c3, s4"):
        lh.show_patches(network, few, "fc1")
    assert lh.show_patches(network, few).axes  # fewer than nine
