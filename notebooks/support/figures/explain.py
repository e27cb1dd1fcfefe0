"""Why a cell of a feature map has its value, as a figure."""

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
from .images import blank_figure, color_scale, minus_signs, show_table, sign_scale


@checked
def explain_cell(
    model: nn.Module, image, layer: str, channel: int, row: int, column: int
) -> Figure:
    """Why a cell of a feature map has its value: the patch that it looked at, times the kernel,
    channel by channel, the bias, the sum and what comes behind it (of LeNet-5, ReLU); of a
    max-pooling layer, the patch and its largest value. Notebook 00.

        lh.explain_cell(model, digits.test.tensors[0][4], "c3", channel=0, row=4, column=5)

    image: 28x28 pixels; layer: a convolution or pooling by its name in `layer_table`, as "c1" or
    "features.0"; all numbers count from 0. The values are the model's own; a line says where the
    sum is another. Raises ValueError for another layer, image or cell.
    """
    refuse_scripted(model)
    model = snapshot(model)  # one and the same weights for maps and sum, should it be in training
    parts = {
        name: part
        for name, part in model.named_modules(remove_duplicate=False)
        if isinstance(part, (*EXPLAIN, nn.Linear))
    }
    with_maps = [name for name, part in parts.items() if not isinstance(part, nn.Linear)]
    if layer not in with_maps:
        raise ValueError(text("explain_layer", layer=repr(layer), names=", ".join(with_maps)))
    steps = record_steps(model, image, list(parts))
    step, module, below = steps[layer], parts[layer], ["input", *steps][[*steps].index(layer)]
    explain = next(EXPLAIN[kind] for kind in EXPLAIN if isinstance(module, kind))
    cell = channel, row, column
    for name, at, n in zip(("channel", "row", "column"), cell, step.output.shape):
        if not hasattr(at, "__index__") or at not in range(n):
            raise ValueError(text("explain_cell", name=name, at=repr(at), layer=layer, last=n - 1))
    explanation = explain(layer, module, step, cell)
    explanation.reason += _ending(step, cell, explanation.value)
    return _draw(explanation, below, layer, step.activation, cell)


@dataclass
class _Explanation:
    first: int  # of the maps below that the cell looks at
    source: torch.Tensor  # those maps, padded, (n, H, W)
    window: tuple[ConvGeometry, ConvGeometry]  # of rows and columns
    stages: list  # (titles, tables (n, h, w), their colours as of `color_scale`)
    reason: str
    value: float


def _look(layer, module, maps, row, column):
    """Padded maps, the windows of rows and columns, and the patch that a cell looks at."""
    rows, columns = (layer_geometry(module, n) for n in maps.shape[1:])
    if not (rows and columns) or getattr(module, "groups", 1) > 1:
        raise ValueError(text("explain_window", layer=layer, module=module))
    source = F.pad(maps.double(), [rows.padding] * 4)
    patch = source[:, rows.window(row)][:, :, columns.window(column)]
    return source, (rows, columns), patch


def _explain_sum(layer, module, step, cell):
    channel, row, column = cell
    source, window, patch = _look(layer, module, step.input, row, column)
    kernel = module.weight.detach().cpu().double()[channel]
    products = patch * kernel
    sums = products.sum((1, 2)).tolist()
    bias = 0 if module.bias is None else module.bias[channel].item()
    terms = " ".join(f"{s:+.3f}" for s in sums)
    words = label("(no bias)" if module.bias is None else "{bias:+.3f} (bias)", bias=bias)
    total = sum(sums) + bias
    n = len(sums)
    written = [label("patch × kernel\nsum {sum:+.3f}", sum=s) for s in sums]
    stages = [
        ([label("patch")] * n, patch, color_scale(source)),
        ([label("kernel")] * n, kernel, sign_scale(kernel)),
        (written, products, sign_scale(products)),
    ]
    return _Explanation(0, source, window, stages, f"{terms}   {words}   =  {total:.3f}", total)


def _explain_pooling(layer, module, step, cell):
    channel, row, column = cell
    source, window, patch = _look(layer, module, step.input[[channel]], row, column)
    value = patch.max().item()
    of = ", ".join(f"{v:.3f}" for v in patch.flatten())
    stages = [([label("patch")], patch, color_scale(source))]
    reason = label("the largest of {values} is {value:.3f}", values=of, value=value)
    return _Explanation(channel, source, window, stages, reason, value)


EXPLAIN = {nn.Conv2d: _explain_sum, nn.MaxPool2d: _explain_pooling}


def _ending(step: Step, cell, by_hand: float) -> str:
    """What the network did with a value that is known by hand."""
    output, between = step.output[cell].item(), label(step.between)
    differ = abs(output - by_hand) > 0.001 * (1 + abs(output))
    words = "\n" + label("but the layer made {value:.3f}", value=output) if differ else ""
    after = ",   after {between}: {value:.3f}"
    after = label(after, between=between, value=step.activation[cell].item())
    return words + after if between else words


def _draw(explanation, below, layer, maps, cell):
    """One map: from left to right, with numbers. Several: each from top to bottom."""
    (channel, row, column), (rows, columns) = cell, explanation.window
    stages, source = explanation.stages, explanation.source
    alone = len(source) == 1
    figure = blank_figure(max(11, 1.35 * (len(source) + 2)), 3 if alone else 6.6)
    where, name = "{layer}, map {n}, row {row}, column {column}", TITLES.get(layer, layer)
    where = label(where, layer=name, n=channel, row=row, column=column)
    figure.suptitle(minus_signs(f"{where}:   {explanation.reason}"), fontsize=12, wrap=True)
    shape = (1, len(stages) + 2) if alone else (len(stages) + 1, len(source) + 2)
    grid = figure.add_gridspec(*shape)
    window = columns.window(column)[0], rows.window(row)[0], rows.span
    for c in range(len(source)):
        number = explanation.first + c
        title = label("{layer}, map {n}", layer=TITLES.get(below, below), n=number)
        title = label("input") if below == "input" else title
        ax = figure.add_subplot(grid[0, 0] if alone else grid[0, c])
        show_table(ax, source[c], title, color_scale(source), window)
        for k, (titles, tables, scale) in enumerate(stages, 1):
            ax = figure.add_subplot(grid[0, k] if alone else grid[k, c])
            show_table(ax, tables[c], titles[c], scale, numbers=8 if alone else 0)
    ax = figure.add_subplot(grid[0, -1] if alone else grid[1:3, -2:])
    words, value = "{layer}, map {n}\nvalue {value:.3f}", maps[cell].item()
    title = label(words, layer=name, n=channel, value=value)
    show_table(ax, maps[channel], title, color_scale(maps), (column, row, 1))
    return figure
