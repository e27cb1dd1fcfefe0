"""Why a cell of a feature map has its value, as a figure."""

import textwrap
import unicodedata
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from ..checks import checked
from ..network.activations import Step, record_steps, refuse_scripted
from ..network.copies import snapshot
from ..network.layer_table import layer_geometry
from ..network.lenet5 import TITLES
from ..sizes import ConvGeometry
from ..words.labels import label
from ..words.texts import text
from .images import blank_figure, color_scale, minus_signs, show_table
from .layers import next_layer

LINE = 120  # characters that a figure has room for


@checked
def explain_cell(
    model: nn.Module, image, layer: str, channel: int, row: int, column: int
) -> Figure:
    """Why a cell of a feature map has its value: the patch that it looked at, times the kernel,
    channel by channel, the bias, the sum and what comes behind it (of LeNet-5, ReLU); for a
    pooling layer, the patch and its largest value, or its average. All numbers count from 0.

    layer: a convolution or pooling, by its name in `layer_table`, as "c1" or "features.0"; image as
    in `show_layers`, whose maps have the same values. They are the model's own; a line says so
    where the sum is another. Raises ValueError for another layer or image, and for a cell that the
    map does not have. Notebook 00.

        lh.explain_cell(model, digits.test.tensors[0][4], "c3", channel=0, row=4, column=5)
    """
    refuse_scripted(model)
    model = snapshot(model)  # one and the same weights for maps and sum, should it be in training
    parts = {
        name: part
        for name, part in model.named_modules(remove_duplicate=False)
        if isinstance(part, (*EXPLAIN, nn.Linear))
    }
    names, with_maps = list(parts), [n for n in parts if not isinstance(parts[n], nn.Linear)]
    if layer not in with_maps:
        found = ", ".join(with_maps)
        raise ValueError(text("explain_layer", layer=repr(layer), names=found))
    step, module = record_steps(model, image, names)[layer], parts[layer]
    explain = next(EXPLAIN[kind] for kind in EXPLAIN if isinstance(module, kind))
    cell = channel, row, column
    for name, at, n in zip(("channel", "row", "column"), cell, step.output.shape):
        if not hasattr(at, "__index__") or at not in range(n):
            raise ValueError(text("explain_cell", name=name, at=repr(at), layer=layer, last=n - 1))
    explanation = explain(layer, module, step, cell)
    explanation.reason += _ending(next_layer(layer, names), step, cell, explanation.value)
    below = ["input", *names][names.index(layer)]
    return _draw(explanation, below, layer, step.activation, cell)


@dataclass
class _Explanation:
    numbers: list[int]  # of the maps below that the cell looks at
    source: torch.Tensor  # those maps, padded, (n, H, W)
    window: tuple[ConvGeometry, ConvGeometry]  # of rows and columns
    stages: list  # (titles, tables (n, h, w), what their colours are scaled by)
    reason: str
    value: float


def _look(layer, module, maps, row, column):
    """Padded maps, the windows of rows and columns, the patch that a cell looks at, and which of
    its cells are no padding."""
    rows, columns = (layer_geometry(module, n) for n in maps.shape[1:])
    if not (rows and columns):
        raise ValueError(text("explain_window", layer=layer, module=module))
    mode = getattr(module, "padding_mode", "zeros").replace("zeros", "constant")
    p = rows.padding
    source = F.pad(maps[None].double(), [p] * 4, mode)[0]
    at = rows.window(row), columns.window(column)
    patch = source[:, at[0]][:, :, at[1]]
    inside = F.pad(torch.ones(maps.shape[1:]), [p] * 4)[at[0]][:, at[1]].bool()
    return source, (rows, columns), patch, inside


def _explain_sum(layer, module, step, cell):
    channel, row, column = cell
    n = len(step.input) // module.groups
    first = channel // (module.out_channels // module.groups) * n
    numbers = list(range(first, first + n))
    source, window, patch, _ = _look(layer, module, step.input[numbers], row, column)
    kernel = module.weight.detach().cpu().double()[channel]
    products = patch * kernel
    sums = products.sum((1, 2)).tolist()
    bias = 0 if module.bias is None else module.bias[channel].item()
    short = label("{sum:+.3f} ({n} channels)", sum=sum(sums), n=n)
    terms = _listed([f"{s:+.3f}" for s in sums], " ", short)
    words = label("(no bias)" if module.bias is None else "{bias:+.3f} (bias)", bias=bias)
    total = sum(sums) + bias
    reason = f"{terms}   {words}   =  {total:.3f}"
    stages = [
        ([label("patch")] * n, patch, source),
        ([label("kernel")] * n, kernel, kernel),
        ([label("patch x kernel\nsum {sum:+.3f}", sum=s) for s in sums], products, products),
    ]
    return _Explanation(numbers, source, window, stages, reason, total)


def _explain_pooling(layer, module, step, cell):
    """The largest value of the patch, or its average."""
    channel, row, column = cell
    source, window, patch, inside = _look(layer, module, step.input[[channel]], row, column)
    largest = isinstance(module, nn.MaxPool2d)
    padding_counts = not largest and module.count_include_pad
    values = patch[0].flatten() if padding_counts else patch[0][inside]
    value = values.max().item() if largest else values.mean().item()
    short = label("its {n} values", n=len(values))
    of = _listed([f"{v:.3f}" for v in values], ", ", short)
    words = "the average of {values} is {value:.3f}"
    words = "the largest of {values} is {value:.3f}" if largest else words
    reason = label(words, values=of, value=value)
    stages = [([label("patch")], patch, source)]
    return _Explanation([channel], source, window, stages, reason, value)


EXPLAIN = {
    nn.Conv2d: _explain_sum,
    nn.MaxPool2d: _explain_pooling,
    nn.AvgPool2d: _explain_pooling,
}


def _lines(words):
    """Lines that a figure has room for; a Chinese letter takes that of 1.6 others."""
    for line in words.splitlines():
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)
        yield from textwrap.wrap(line, LINE - 3 * wide // 5)


def _listed(words, mark, short):
    """The words, or `short` where there are too many to read."""
    return mark.join(words) if len(words) <= 9 else short


def _ending(following: str, step: Step, cell, by_hand: float) -> str:
    """What the network did with a value that is known by hand."""
    output, activation = step.output[cell].item(), step.activation[cell].item()
    differ = abs(output - by_hand) > 0.001 * (1 + abs(output))
    words = "\n" + label("but the layer made {value:.3f}", value=output) if differ else ""
    if step.between:
        words += label(",   after {between}: {value:.3f}", between=step.between, value=activation)
    elif step.between is None:
        leads = "another step leads to {next}, which takes {value:.3f}"
        leads = "another step leads to {next}" if step.activation is step.output else leads
        words += "\n" + label(leads, next=following, value=activation)
    return words


def _draw(explanation, below, layer, maps, cell):
    """One map: from left to right, with numbers. Several: each from top to bottom."""
    (channel, row, column), (rows, columns) = cell, explanation.window
    stages, source = explanation.stages, explanation.source
    alone = len(source) == 1
    figure = blank_figure(max(11, 1.35 * (len(source) + 2)), 3 if alone else 6.6)
    where = label(
        "{layer}, map {n}, row {row}, column {column}",
        layer=TITLES.get(layer, layer),
        n=channel,
        row=row,
        column=column,
    )
    title = "\n".join(_lines(f"{where}:   {explanation.reason}"))
    figure.suptitle(minus_signs(title), fontsize=12)
    shape = (1, len(stages) + 2) if alone else (len(stages) + 1, len(source) + 2)
    grid = figure.add_gridspec(*shape)
    window = columns.window(column)[0], rows.window(row)[0], rows.span
    for c, number in enumerate(explanation.numbers):
        title = label("{layer}, map {n}", layer=TITLES.get(below, below), n=number)
        title = label("input") if below == "input" else title
        ax = figure.add_subplot(grid[0, 0] if alone else grid[0, c])
        show_table(ax, source[c], title, color_scale(source), window)
        for k, (titles, tables, whole) in enumerate(stages, 1):
            ax = figure.add_subplot(grid[0, k] if alone else grid[k, c])
            show_table(ax, tables[c], titles[c], color_scale(whole), numbers=8 if alone else 0)
    ax = figure.add_subplot(grid[0, -1] if alone else grid[1:3, -2:])
    words, value = "{layer}, map {n}\nvalue {value:.3f}", maps[cell].item()
    title = label(words, layer=TITLES.get(layer, layer), n=channel, value=value)
    show_table(ax, maps[channel], title, color_scale(maps), (column, row, 1))
    return figure
