"""Why a cell of a feature map has its value, as a figure."""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from .checks import checked
from .figures import blank_figure
from .images import color_scale, minus_signs, show_table
from .inference import LAYERS, catch_activations, snapshot
from .sizes import ConvGeometry, layer_geometry
from .texts import text


@checked
def explain_cell(
    model: nn.Module, image, layer: str, channel: int, row: int, column: int
) -> Figure:
    """Why a cell of a feature map has its value: the patch that it looked at, times the kernel,
    channel by channel, the bias, the sum and ReLU; for a pooling layer, the patch and its largest
    value. All numbers count from 0.

    layer: "c1", "s2", "c3" or "s4"; image as in `show_layers`, whose maps have the same values.
    Raises ValueError for another layer or image, and for a cell that the map does not have.
    Notebook 00.
    """
    if layer not in ("c1", "s2", "c3", "s4"):
        raise ValueError(text("explain_layer", layer=repr(layer)))
    model = snapshot(model)  # one and the same weights for maps and sum, should it be in training
    steps = catch_activations(model, image)
    cell = channel, row, column
    for name, at, n in zip(("channel", "row", "column"), cell, steps[layer].shape):
        if not hasattr(at, "__index__") or at not in range(n):
            raise ValueError(text("explain_cell", name=name, at=repr(at), layer=layer, last=n - 1))
    below = ["input", *LAYERS][LAYERS.index(layer)]
    explain = _explain_sum if isinstance(getattr(model, layer), nn.Conv2d) else _explain_pooling
    explanation = explain(getattr(model, layer), steps[below], steps[layer], cell)
    return _draw(explanation, layer, below, steps[layer], cell)


@dataclass
class _Explanation:
    numbers: list[int]  # of the maps below that the cell looks at
    source: torch.Tensor  # those maps, padded, (n, H, W)
    geometry: ConvGeometry
    stages: list  # (titles, tables (n, h, w), what their colours are scaled by)
    reason: str


def _look(module, source, row, column):
    """The sizes of a layer, what it is given padded, and the patch that a cell looks at."""
    g = layer_geometry(module, source.shape[-1])
    source = F.pad(source, [g.padding] * 4).double()
    return g, source, source[:, g.window(row)][:, :, g.window(column)]


def _explain_sum(module, source, maps, cell):
    channel, row, column = cell
    g, source, patch = _look(module, source, row, column)
    kernel = module.weight.detach().cpu().double()[channel]
    products = patch * kernel
    sums = products.sum((1, 2)).tolist()
    bias = 0 if module.bias is None else module.bias[channel].item()
    terms = " ".join(f"{s:+.3f}" for s in sums)
    reason = (
        f"{terms}   {bias:+.3f} (bias)   =  {sum(sums) + bias:.3f},   "
        f"after ReLU: {maps[cell].item():.3f}"
    )
    numbers = list(range(len(source)))
    stages = [
        (["patch"] * len(sums), patch, source),
        (["kernel"] * len(sums), kernel, kernel),
        ([f"patch x kernel\nsum {s:+.3f}" for s in sums], products, products),
    ]
    return _Explanation(numbers, source, g, stages, reason)


def _explain_pooling(module, source, maps, cell):
    channel, row, column = cell
    g, source, patch = _look(module, source[[channel]], row, column)
    values = ", ".join(f"{v:.3f}" for v in patch.flatten())
    reason = f"the largest of {values} is {maps[cell].item():.3f}"
    return _Explanation([channel], source, g, [(["patch"], patch, source)], reason)


def _draw(explanation, layer, below, maps, cell):
    """One map: from left to right, with numbers. Several: each from top to bottom."""
    (channel, row, column), g = cell, explanation.geometry
    stages, source = explanation.stages, explanation.source
    alone = len(source) == 1
    figure = blank_figure(11, 3 if alone else 6.6)
    title = f"{layer.upper()}, map {channel}, row {row}, column {column}:   {explanation.reason}"
    figure.suptitle(minus_signs(title), fontsize=12)
    shape = (1, len(stages) + 2) if alone else (len(stages) + 1, len(source) + 2)
    grid = figure.add_gridspec(*shape)
    window = g.window(column)[0], g.window(row)[0], g.span
    for c, number in enumerate(explanation.numbers):
        title = "input" if below == "input" else f"{below.upper()}, map {number}"
        ax = figure.add_subplot(grid[0, 0] if alone else grid[0, c])
        show_table(ax, source[c], title, color_scale(source), window)
        for k, (titles, tables, whole) in enumerate(stages, 1):
            ax = figure.add_subplot(grid[0, k] if alone else grid[k, c])
            show_table(ax, tables[c], titles[c], color_scale(whole), numbers=8 if alone else 0)
    ax = figure.add_subplot(grid[0, -1] if alone else grid[1:3, -2:])
    title = f"{layer.upper()}, map {channel}\nvalue {maps[cell].item():.3f}"
    show_table(ax, maps[channel], title, color_scale(maps), (column, row, 1))
    return figure
