"""What the notebooks use but do not teach, in the order of the lesson: setup, convolution sizes, explorer,
data, model, training, pictures, draw pad, exercises, texts, command line.

In a notebook: `import lenet_helpers as lh`, then `lh.start("zh")` or `lh.start("en")`.
In a terminal: `python lenet_helpers.py --help` (the lesson's training script).
"""

from __future__ import annotations

import argparse
import base64
import copy
import gzip
import hashlib
import html
import io
import math
import operator
import os
import queue
import random
import socket
import sys
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")  # torch and scikit-learn bring an OpenMP each (macOS, Windows)

import ipywidgets as widgets
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from IPython.display import Markdown
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from torch import nn
from torch.nn import functional as F
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset
from tqdm.auto import tqdm

HERE = Path(__file__).resolve().parent


# ---------------------------------------------------------------------------------------------------- setup

def _best_device():
    return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")


device = _best_device()  # where `train` puts the model; batches follow the model
_language = "en"


def start(language="en"):
    """The first cell of every notebook: language of widgets and messages ("zh" or "en"), device, seeds and threads.

    Prints versions, device, and whether MNIST is there. Everything works without it, too. Raises ValueError for
    another language.
    """
    global device, _language
    if language not in ("zh", "en"):
        raise ValueError(f'lh.start("zh") / lh.start("en"): {language!r}?')
    _language, device = language, _best_device()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    # a core stays free for the kernel, so that sliders and cells answer while a training runs
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    sys.setswitchinterval(1e-4)  # a cell of pure Python then leaves a training thread its share
    folder, _ = _data_folder()
    found = all(_mnist_file(folder, name) for name in MNIST_FILES)
    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, torchvision {torchvision.__version__}, "
          f"{device.type}, {torch.get_num_threads()} thread(s)")
    print(_text("data_found" if found else "data_not_yet", folder=folder))


def _text(key, **values):
    """The sentence `key` of TEXTS in the language of `start`, with `values` filled in."""
    zh, en = TEXTS[key]
    return (zh if _language == "zh" else en).format(**values)


# ---------------------------------------------------------------------------------------------- convolution

@dataclass(frozen=True)
class ConvGeometry:
    """The sizes of a convolution (or pooling) along one axis; images, kernels and maps are square.

    Arguments are integers, as in `torch.nn.Conv2d`: n_in, kernel_size, stride and dilation at least 1,
    padding (on each side) at least 0. Raises ValueError, naming the numbers, for any other value and for a
    kernel that does not fit. Everything that has to do with sizes asks this class. Notebooks 01 and 02.
    """

    n_in: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        for name, least in (("n_in", 1), ("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, name)
            try:
                whole = operator.index(value)  # numpy's integers are welcome, 6.0 and "6" are not
            except TypeError:
                raise ValueError(_text("size_not_whole", name=name, value=repr(value))) from None
            if whole < least or isinstance(value, bool):
                raise ValueError(_text("size_too_small", name=name, value=value, least=least))
            object.__setattr__(self, name, whole)
        if self.span > self.padded:
            raise ValueError(_text("does_not_fit", g=self))

    @property
    def padded(self):
        """Pixels of the input with the padding on both sides."""
        return self.n_in + 2 * self.padding

    @property
    def span(self):
        """Pixels from the kernel's first to its last, the gaps of dilation included."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def n_out(self):
        """Pixels of the output: how many positions the window has."""
        return (self.padded - self.span) // self.stride + 1

    @property
    def unused(self):
        """Pixels at the far end of the padded input that no window reaches."""
        return (self.padded - self.span) % self.stride

    def window(self, i):
        """The padded input's indices that output `i` reads, as a list. Raises IndexError beyond n_out."""
        if not 0 <= i < self.n_out:
            raise IndexError(_text("no_such_output", i=i, last=self.n_out - 1))
        return [i * self.stride + k * self.dilation for k in range(self.kernel_size)]

    def feeds(self, j):
        """The outputs that input `j` (counted before padding) feeds, as a list. Raises IndexError beyond n_in."""
        if not 0 <= j < self.n_in:
            raise IndexError(_text("no_such_input", j=j, last=self.n_in - 1))
        return [i for i in range(self.n_out) if j + self.padding in self.window(i)]


def conv_output_size(n_in, kernel_size, stride=1, padding=0, dilation=1):
    """n_out = floor((n_in + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, as `torch.nn.Conv2d`.

    Takes and raises what `ConvGeometry` does. Notebook 02.
    """
    return ConvGeometry(n_in, kernel_size, stride, padding, dilation).n_out


def output_size_steps(n_in, kernel_size, stride=1, padding=0, dilation=1):
    """The formula of the output size with the numbers put in, step by step: an IPython `Markdown` with LaTeX.

    Numbers that ConvGeometry refuses give its sentence instead. Notebook 02.
    """
    try:
        g = ConvGeometry(n_in, kernel_size, stride, padding, dilation)
    except ValueError as error:
        return Markdown(str(error))
    formula = r"n_{in} + 2p - k" if g.dilation == 1 else r"n_{in} + 2p - d(k - 1) - 1"
    numbers, free = _numerator(g).replace("×", r" \times "), g.padded - g.span
    fraction = r"\left\lfloor \frac{%s}{%s} \right\rfloor" if g.unused else r"\frac{%s}{%s}"
    steps = [rf"n_{{out}} &= \left\lfloor \frac{{{formula}}}{{s}} \right\rfloor + 1",
             f"&= {fraction % (numbers, g.stride)} + 1",
             f"&= {fraction % (free, g.stride)} + 1 = {g.n_out - 1} + 1 = {g.n_out}"]
    return Markdown("$$\\begin{aligned}\n" + " \\\\\n".join(steps) + "\n\\end{aligned}$$\n\n" + _remainder(g))


def _numerator(g):
    """n_in + 2 padding - span with the numbers put in, as text."""
    span = g.kernel_size if g.dilation == 1 else f"{g.dilation}×({g.kernel_size} - 1) - 1"
    return f"{g.n_in} + 2×{g.padding} - {span}"


def _remainder(g):
    return _text("remainder" if g.unused else "no_remainder", g=g, free=g.padded - g.span, quotient=g.n_out - 1)


# ------------------------------------------------------------------------------------------------- explorer

POSITIVE, NEGATIVE = "#e69f00", "#56b4e9"  # orange and sky blue: the colour-blind tell them apart
LIMITS = {"n_in": range(3, 13), "kernel_size": range(1, 8), "stride": range(1, 5), "padding": range(0, 5),
          "dilation": range(1, 4)}
PRESETS = {  # kernel_size -> kernel of whole numbers; one pixel has no neighbours, so an edge kernel of 1x1 is 0
    "random": lambda k: torch.randint(-2, 3, (k, k), generator=torch.Generator().manual_seed(67 + k)),
    "blur": lambda k: torch.ones(k, k),
    "vertical": lambda k: (2 * torch.arange(k) - (k - 1)).sign().expand(k, k),
    "horizontal": lambda k: PRESETS["vertical"](k).T,
    "sharpen": lambda k: _sharpen(k),
}
WIDTH, HEIGHT, TITLE, GAP = 1130, 584, 28, 30  # of the picture, of its line of titles, between two grids; pixels

STYLE = f"""<style>
.lh-svg {{ display: block; max-width: 100%; height: auto; font: 14px var(--jp-ui-font-family, sans-serif);
  fill: var(--jp-content-font-color1, currentColor) }}
.lh-svg text {{ pointer-events: none }}
.lh-in, .lh-pad, .lh-zero, .lh-pos, .lh-neg, .lh-lost {{ stroke: var(--jp-border-color1, #999) }}
.lh-pad {{ fill: none; stroke-dasharray: 3 3 }}
.lh-zero {{ fill: #888 }}
.lh-pos {{ fill: {POSITIVE} }}
.lh-neg {{ fill: {NEGATIVE} }}
.lh-num {{ font-family: Arial, "Liberation Sans", Helvetica, "DejaVu Sans Condensed", sans-serif; text-anchor: middle;
  paint-order: stroke; stroke: var(--jp-layout-color0, Canvas); stroke-width: 2.5px }}
.lh-sum {{ font-family: var(--jp-code-font-family, monospace); white-space: pre }}
.lh-lit {{ fill: none; stroke: #009e73; stroke-opacity: .5 }}
.lh-frame {{ fill: none; stroke: var(--jp-content-font-color1, currentColor); stroke-width: 2.5 }}
.lh-hit {{ fill: transparent; pointer-events: all; cursor: pointer }}
.lh-cell {{ outline: none }}
.lh-cell:hover .lh-hit, .lh-cell:focus .lh-hit {{ stroke-width: 3; stroke: var(--jp-content-font-color1, currentColor) }}
.lh-reveal {{ display: none; pointer-events: none }}
.lh-cell:hover .lh-reveal, .lh-cell:focus .lh-reveal {{ display: inline }}
.lh-cells:hover .lh-cell:focus:not(:hover) .lh-reveal {{ display: none }}
</style>"""  # one class a rule: what <use> repeats knows nothing of the elements around it


def _sharpen(k):
    kernel = torch.zeros(k, k)
    kernel[k // 2, :] = kernel[:, k // 2] = -1
    kernel[k // 2, k // 2] = 2 * k - 1  # the weights add up to 1
    return kernel


def _matrix(values, name):
    """Numbers of shape (n, n) or (1, n, n) as a float64 tensor (n, n). Raises ValueError for anything else."""
    try:
        table = torch.as_tensor(values).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(_text("not_square", name=name, found=type(values).__name__)) from None
    if table.dim() == 3 and len(table) == 1:
        table = table[0]
    if table.dim() != 2 or table.shape[0] != table.shape[1] or not table.numel():
        raise ValueError(_text("not_square", name=name, found=tuple(torch.as_tensor(values).shape)))
    return table


def _convolve(image, kernel, g):
    """Padded input and output, (padded, padded) and (n_out, n_out), of float64 tables."""
    output = F.conv2d(image[None, None], kernel[None, None], None, g.stride, g.padding, g.dilation)[0, 0]
    return F.pad(image, [g.padding] * 4), output


def _short(value):
    """A number in few characters: 3, −2, 0.13, 12.5, −4e−3."""
    if value.is_integer() and abs(value) < 1e5:
        text = str(int(value))
    elif 0.01 <= abs(value) < 1e5:
        text = f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("-", "−")


def _tint(value, limit):
    """Attributes of a cell in the colour of a number: orange above 0, blue below, the stronger the larger."""
    sign = "zero" if not value else "pos" if value > 0 else "neg"
    return f'class="lh-{sign}" fill-opacity="{.15 + .5 * min(1, abs(value) / limit) if value else .08:.2f}"'


def _box(x, y, size):
    return f'x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}"'


def _rect(x, y, size, attributes):
    return f'<rect {_box(x, y, size)} {attributes}/>'


def _hatch(name):
    return (f'<pattern id="{name}-h" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<path d="M0 0v7" stroke="#888" stroke-width="3"/></pattern>')


def _tinted(table, x, y, cell):
    """A grid of cells at (x, y) in the colours of its numbers."""
    limit = table.abs().max().item() or 1
    return "".join(_rect(x + j * cell, y + i * cell, cell, _tint(value, limit))
                   for i, row in enumerate(table.tolist()) for j, value in enumerate(row))


def _numbers(texts, x, y, cell, size):
    middle = y + cell / 2 + size * .36
    return f'<g class="lh-num" font-size="{size}">' + "".join(
        f'<text x="{x + j * cell + cell / 2:g}" y="{middle + i * cell:.0f}">{text}</text>'
        for i, row in enumerate(texts) for j, text in enumerate(row)) + "</g>"


def _svg(name, hint, body):
    """The frame that both explorers' pictures share: always of the same size."""
    # a title right below <svg> would pop up over the cells: hence in a group of its own
    return (f'<svg id="{name}" class="lh-svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'role="group" aria-labelledby="{name}-t" aria-describedby="{name}-d">{STYLE}'
            f'<g><title id="{name}-t">{_text("explorer_title")}</title>'
            f'<desc id="{name}-d">{_text(hint)}</desc></g>{body}</svg>')


def _titles(g, x_kernel, x_output, output):
    return "".join(f'<text x="{x}" y="18" font-size="16">{html.escape(text)}</text>' for x, text in (
        (1, _text("padded_input" if g.padding else "input", g=g)), (x_kernel, _text("kernel")), (x_output, output)))


def convolution_svg(image, kernel, geometry, name=None):
    """SVG (a string) of the padded input, the kernel and the output; pointing at a cell, or focusing it, reveals what
    it is made of or what it feeds.

    image (n_in, n_in) and kernel (kernel_size, kernel_size): whole numbers or floats, lists, arrays or tensors;
    geometry: their `ConvGeometry`. `name` becomes the prefix of the ids, unique to the picture by default.
    Raises ValueError for other shapes. Notebook 01, in `explore_convolution`.
    """
    g, image, kernel = geometry, _matrix(image, "image"), _matrix(kernel, "kernel")
    for what, found, expected in (("image", len(image), g.n_in), ("kernel", len(kernel), g.kernel_size)):
        if found != expected:
            raise ValueError(_text("wrong_size", name=what, found=found, expected=expected))
    name = html.escape(name or f"lh-{uuid.uuid4().hex[:8]}")
    padded, output = _convolve(image, kernel, g)
    xs, ws, ys = ([[_short(value) for value in row] for row in table.tolist()] for table in (padded, kernel, output))
    n, k, s, d, p = g.n_out, g.kernel_size, g.stride, g.dilation, g.padding
    windows = [g.window(i) for i in range(n)]

    # the written-out sums: a line for a row of the kernel, in columns
    factors = [[f"×({w})" if w.startswith("−") else f"×{w}" for w in row] for row in ws]
    wide_x, wide_w = (max(len(text) for row in texts for text in row) for texts in (xs, factors))
    xs_wide = [[x.rjust(wide_x) for x in row] for row in xs]
    factors = [[w.ljust(wide_w) for w in row] for row in factors]
    equals = "=" if all(table.frac().count_nonzero() == 0 for table in (image, kernel)) else "≈"  # floats are rounded

    # sizes: as large as the room allows; the sum stands below kernel and output
    longest = max(len(text) for texts in (xs, ws, ys) for row in texts for text in row)
    letters = (wide_x + wide_w + 3) * k + 2
    cell = int(min(64, (HEIGHT - TITLE - 8) / g.padded, (WIDTH - 2 * GAP - 2) / (g.padded + k + n),
                   (HEIGHT - TITLE - 24 - 20 * (k + 1)) / max(k, n)))
    cell = max(cell, 25, 8 * longest + 2)
    size = max(14, min(24, int(cell * .45), int(cell / longest / .62)))
    x_k, y = 1 + g.padded * cell + GAP, TITLE
    x_o = x_k + k * cell + GAP
    y_sum = y + max(k, n) * cell + 12
    room = (HEIGHT - y_sum - 2) / (k + 1)
    sum_size = max(14, min(20, int((WIDTH - x_k) / letters / .61), int(room / 1.2)))
    line = min(sum_size * 1.4, room)

    def written(*lines):
        return f'<text class="lh-sum" y="{y_sum}" font-size="{sum_size}">' + "".join(
            f'<tspan x="{x_k}" dy="{line:.3g}">{text}</tspan>' for text in lines) + "</text>"

    def said(sentence):
        return f'<text x="{x_k}" y="{y_sum + 18}" font-size="16">{html.escape(sentence)}</text>'

    def target(kind, i, j, x, label, reveal):
        hit = _rect(x + j * cell, y + i * cell, cell, 'class="lh-hit"')
        return (f'<g class="lh-cell {kind}" tabindex="0" role="img" aria-label="{html.escape(label)}">{hit}'
                f'<g class="lh-reveal">{reveal}</g></g>')

    # what lies below, drawn once
    reached = {q for window in windows for q in window}
    brightest = padded.abs().max().item() or 1
    body = [f"<defs>{_hatch(name)}"]
    # each pixel of a window in the colour of its weight; the pixels that a weight meets, as `h1` strokes, 1 cell wide
    limit = kernel.abs().max().item() or 1
    body += [f'<g id="{name}-w">',
             *(_rect(b * d * cell, a * d * cell, cell, _tint(w, limit))
               for a, row in enumerate(kernel.tolist()) for b, w in enumerate(row)),
             _rect(0, 0, g.span * cell, 'class="lh-frame"'), "</g>",
             f'<path id="{name}-l" class="lh-lit" d="',
             *(f"M{j * s} {i * s + .5:g}h1" for i in range(n) for j in range(n)), '"/></defs>',
             _titles(g, x_k, x_o, _text("output", g=g))]
    for i, row in enumerate(padded.tolist()):
        for j, value in enumerate(row):
            inside = p <= i < p + g.n_in and p <= j < p + g.n_in
            shade = f'class="lh-in" fill-opacity="{.03 + .25 * abs(value) / brightest:.2f}"'
            body.append(_rect(1 + j * cell, y + i * cell, cell, shade if inside else 'class="lh-pad"'))
            if not (i in reached and j in reached):
                body.append(_rect(1 + j * cell, y + i * cell, cell, f'class="lh-lost" fill="url(#{name}-h)"'))
    body += [_tinted(kernel, x_k, y, cell), _tinted(output, x_o, y, cell)]

    # what can be pointed at: outputs, inputs, weights
    body.append('<g class="lh-cells">')
    for i, rows in enumerate(windows):
        for j, columns in enumerate(windows):
            lines = [" + ".join([x + w for x, w in zip(xs_wide[r][columns[0]:columns[-1] + 1:d], factors[a])])
                     for a, r in enumerate(rows)]
            lines = ["  " + lines[0], *("+ " + text for text in lines[1:]), f"{equals} {ys[i][j]}"]
            window = f'<use href="#{name}-w" x="{1 + j * s * cell}" y="{y + i * s * cell}"/>'
            body.append(target(f"lh-o{i * n + j}", i, j, x_o, _text("output_cell", i=i, j=j, value=ys[i][j]),
                               window + written(*lines)))
    fed = [g.feeds(q) for q in range(g.n_in)]
    for i, rows in enumerate(fed):
        for j, columns in enumerate(fed):
            count = len(rows) * len(columns)
            feeds = _text("feeds", n=count) if count else _text("feeds_none")
            runs = [(columns[0], count // len(rows))] if count and d == 1 else [(c, 1) for c in columns]
            path = "".join([f"M{c} {r}.5h{length}" for r in rows for c, length in runs])
            body.append(target("lh-i", i + p, j + p, 1,
                               _text("input_cell", i=i, j=j, value=xs[i + p][j + p], feeds=feeds),
                               f'<path class="lh-lit" transform="translate({x_o} {y}) scale({cell})" d="{path}"/>'
                               + said(feeds)))
    uses = _text("uses", n=n * n)
    for i, row in enumerate(ws):
        for j, w in enumerate(row):
            place = f"translate({1 + j * d * cell} {y + i * d * cell}) scale({cell})"
            body.append(target("lh-w", i, j, x_k, _text("weight_cell", i=i, j=j, value=w, uses=uses),
                               f'<use href="#{name}-l" transform="{place}"/>' + said(uses)))
    body.append("</g>")

    # the numbers, above all colours
    middle = y + k * cell / 2 + 8
    body += [f'<text x="{x - GAP / 2}" y="{middle:g}" font-size="24" text-anchor="middle">{sign}</text>'
             for x, sign in ((x_k, "∗"), (x_o, "="))]
    body += [_numbers(texts, x, y, cell, size) for texts, x in ((xs, 1), (ws, x_k), (ys, x_o))]
    return _svg(name, "explorer_hint", "".join(body))


def _picture(table):
    """A table of numbers as PNG bytes, a pixel each, 0 in white: grey, or blue and orange where there are negatives."""
    (colors, low, high), png = _scale(table), io.BytesIO()
    matplotlib.image.imsave(png, table.numpy(), cmap=colors, vmin=low, vmax=high, format="png")
    return png.getvalue()


def _scale(table):
    """Colour map, lowest and highest value of a picture."""
    limit = table.abs().max().item() or 1
    if table.min() >= 0:
        return matplotlib.colormaps["gray_r"], 0, limit
    return LinearSegmentedColormap.from_list("signs", [NEGATIVE, "white", POSITIVE]), -limit, limit


def _pictures_svg(image, kernel, g, name):
    """Padded picture, kernel and feature map, the kernel with its numbers. For `explore_kernels`."""
    padded, output = _convolve(image, kernel, g)
    cell, y = 40, TITLE
    scale = min((WIDTH - g.kernel_size * cell - 2 * GAP - 2) / (g.padded + g.n_out), (HEIGHT - TITLE - 4) / g.padded)
    x_k = 1 + g.padded * scale + GAP
    x_o = x_k + g.kernel_size * cell + GAP
    low, high = (_short(value) for value in (output.min().item(), output.max().item()))
    body = [_titles(g, x_k, x_o, _text("feature_map", g=g, low=low, high=high))]
    for x, table in ((1, padded), (x_o, output)):
        data = base64.b64encode(_picture(table)).decode()
        body.append(f'<image href="data:image/png;base64,{data}" preserveAspectRatio="none" '
                    f'style="image-rendering: pixelated" {_box(x, y, len(table) * scale)}/>')
        body.append(_rect(x, y, len(table) * scale, 'class="lh-frame"'))
    inside = g.padding * scale
    body.append(_rect(1 + inside, y + inside, g.n_in * scale, 'class="lh-pad"'))
    texts = [[_short(value) for value in row] for row in kernel.tolist()]
    body += [_tinted(kernel, x_k, y, cell), _numbers(texts, x_k, y, cell, 16)]
    return _svg(name, "kernels_hint", "".join(body))


def _explorer_figure(image, kernel, g, step):
    """Both explorers as a matplotlib Figure, with the window of output number `step`: what a saved notebook shows."""
    padded, output = _convolve(image, kernel, g)
    fig = Figure(figsize=(11, 4), layout="constrained")
    axes = fig.subplots(1, 3, width_ratios=[g.padded, *(max(n, g.padded / 3) for n in (g.kernel_size, g.n_out))])
    titles = (f"input {g.n_in}x{g.n_in}, padding {g.padding}",
              f"kernel {g.kernel_size}x{g.kernel_size}\nstride {g.stride}, dilation {g.dilation}",
              f"output {g.n_out}x{g.n_out}")
    for ax, table, title in zip(axes, (padded, kernel, output), titles):
        colors, low, high = _scale(table)
        ax.imshow(table.numpy(), cmap=colors, vmin=low, vmax=high * 2 if low == 0 and len(table) <= 20 else high)
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=11)
        for (i, j), value in np.ndenumerate(table.numpy() if len(table) <= 20 else np.empty((0, 0))):
            ax.text(j, i, _short(value.item()), ha="center", va="center", fontsize=12 if len(table) < 9 else 8)
    i, j = divmod(step, g.n_out)
    for ax, x, y, size in ((axes[0], j * g.stride, i * g.stride, g.span), (axes[2], j, i, 1)):
        ax.add_patch(matplotlib.patches.Rectangle((x - .5, y - .5), size, size, fill=False, color="black", lw=3))
    return fig


def _formula(g):
    """The formula with its numbers, the remainder and the layer to copy, as HTML."""
    numbers, free = _numerator(g).replace("-", "−"), g.padded - g.span
    left, right = ("⌊", "⌋") if g.unused else ("", "")
    layer = (f"nn.Conv2d(1, 1, kernel_size={g.kernel_size}, stride={g.stride}, padding={g.padding}, "
             f"dilation={g.dilation}, bias=False)")
    return (f'<div style="line-height: 1.5; font-size: 15px"><div style="font-size: 19px">n_out = '
            f"{left}({numbers}) / {g.stride}{right} + 1 = {left}{free} / {g.stride}{right} + 1 = <b>{g.n_out}</b></div>"
            f'<div>{_remainder(g)}</div><code style="user-select: all">{layer}</code></div>')


def _message(error):
    """What is wrong, in as much room as a picture takes. What is no sentence of ours says its kind, too."""
    words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return (f'<div class="lh-message" style="max-width: {WIDTH}px; aspect-ratio: {WIDTH} / {HEIGHT}; font-size: 20px; '
            f'line-height: 1.5; padding: 40px; box-sizing: border-box">{html.escape(words)}</div>')


def _parameter(name):
    def write(explorer, value):
        if value not in explorer.choices[name]:
            raise ValueError(_text("not_offered", name=name, value=repr(value),
                                   choices=", ".join(map(str, explorer.choices[name]))))
        explorer.controls[name].value = value

    return property(lambda explorer: explorer.controls[name].value, write)


class Explorer(widgets.VBox):
    """What `explore_convolution` and `explore_kernels` return.

    `n_in`, `kernel_size`, `stride`, `padding`, `dilation` and `preset` (a key of PRESETS) can be read and set;
    ValueError for what is not in `choices`. `controls` are the widgets behind them, `play` steps the window.
    """

    n_in, kernel_size, stride, padding, dilation, preset = map(_parameter, (*LIMITS, "preset"))

    def __init__(self, image, draw, values, n_in=LIMITS["n_in"]):
        """image: n_in -> float64 (n_in, n_in); draw: (image, kernel, geometry, name) -> SVG; values: the parameters to
        begin with; n_in: the sizes to choose from."""
        super().__init__()
        self._image, self._draw, self._name = image, draw, f"lh-{uuid.uuid4().hex[:8]}"
        self.choices = {**LIMITS, "n_in": n_in, "preset": tuple(PRESETS)}
        wide = {"layout": widgets.Layout(width="265px"), "style": {"description_width": "80px"}}
        self.controls = {name: widgets.IntSlider(min=self.choices[name][0], max=self.choices[name][-1],
                                                 description=_text("n_in") if name == "n_in" else name, **wide)
                         for name in LIMITS}
        self.controls["preset"] = widgets.Dropdown(options=[(_text(f"preset_{name}"), name) for name in PRESETS],
                                                   description=_text("preset"), **wide)
        self.play = widgets.Play(interval=800)
        self.formula = widgets.HTML(layout=widgets.Layout(height="84px"))  # always: a picture is not to jump
        self.picture, self.step = widgets.HTML(), widgets.HTML(layout=widgets.Layout(display="none"))
        for name, value in values.items():
            setattr(self, name, value)
        for control in self.controls.values():
            control.observe(self._update, "value")
        self.play.observe(self._point, "value")
        shown, hint = [*self.controls.values(), self.play], "explorer_hint"
        if len(n_in) == 1:  # a picture
            shown, hint = shown[1:-1], "kernels_hint"
        self.children = [widgets.HBox(shown, layout=widgets.Layout(flex_flow="row wrap")), self.formula, self.picture,
                         widgets.HTML(f'<div style="line-height: 1.4">{_text(hint)}</div>'), self.step]
        self._update()
        self._point()

    def _convolution(self):
        g = ConvGeometry(*(self.controls[name].value for name in LIMITS))
        return self._image(g.n_in), PRESETS[self.preset](g.kernel_size).double(), g

    def _update(self, change=None):
        try:
            image, kernel, g = self._convolution()
            self.formula.value, self.picture.value = _formula(g), self._draw(image, kernel, g, self._name)
            self.play.value, self.play.max = 0, g.n_out ** 2 - 1
        except Exception as error:  # does not fit, or a fault: a page would not say anything by itself
            self.formula.value, self.picture.value = "", _message(error)

    def _point(self, change=None):
        """Reveals the window of output number `play.value` while the reader points at nothing."""
        cell = f"#{self._name} .lh-cells:not(:hover):not(:focus-within) .lh-o{self.play.value}"
        self.step.value = (f"<style>{cell} .lh-reveal {{ display: inline }} {cell} .lh-hit {{ stroke-width: 3; "
                           "stroke: var(--jp-content-font-color1, currentColor) }</style>")

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for a page without a kernel (a saved notebook on GitHub) a PNG of its present state."""
        bundle, png = super()._repr_mimebundle_(**kwargs), io.BytesIO()
        try:
            _explorer_figure(*self._convolution(), self.play.value).savefig(png, format="png")
        except Exception:  # the widget itself says what is wrong
            return bundle
        return {**bundle, "image/png": base64.b64encode(png.getvalue()).decode()}


def explore_convolution(n_in=6, kernel_size=3, stride=1, padding=0, dilation=1, preset="random"):
    """Sliders, formula and a picture of a convolution in which every cell shows what it is made of: an `Explorer`.

    Raises ValueError for what LIMITS and PRESETS do not offer. Notebook 01.
    """
    return Explorer(_sample_image, convolution_svg, {
        "n_in": n_in, "kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation,
        "preset": preset})


def _sample_image(n):
    """Whole numbers from 0 to 4, (n, n) float64: a bright square on a dark, uneven ground."""
    image = torch.randint(0, 2, (n, n), generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    edge = (n + 2) // 4
    image[edge:n - edge, edge:n - edge] += 3
    return image


def explore_kernels(image):
    """A picture, a kernel to choose, and the feature map that comes out, side by side: an `Explorer`.

    image: (n, n) or (1, n, n), array or tensor, uint8 or float. Raises ValueError for other shapes. Notebook 01.
    """
    table = _matrix(image, "image")
    if torch.as_tensor(image).dtype == torch.uint8:
        table /= 255
    n = len(table)
    values = {"n_in": n, "kernel_size": 3, "padding": 1, "preset": "vertical"}
    return Explorer(lambda n_in: table, _pictures_svg, values, n_in=range(n, n + 1))


# ----------------------------------------------------------------------------------------------------- data

MNIST_FILES = {  # name: (bytes, MD5) of the plain file
    "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}
NETWORK_SECONDS = 8  # a network that says nothing for so long counts as dead


class Digits(NamedTuple):
    """`train` and `test`: TensorDatasets of uint8 images (N, 1, 28, 28) and int64 labels (N,).
    `source`: "MNIST" or "scikit-learn"."""

    train: TensorDataset
    test: TensorDataset
    source: str


def load_mnist(root=None):
    """MNIST as `Digits`, from `root`, else from $LENET_DATA, else from data/ beside this file. Notebooks 00, 01, 04-06.

    A folder holds the four files, plain or .gz, itself or in MNIST/raw. Each is checked by size and MD5. A folder
    that was named is only read: FileNotFoundError says what is missing, ValueError which file is wrong. Into data/
    torchvision downloads what is missing or faulty; with no network, scikit-learn's 1,797 digits take MNIST's place,
    and a line says so. A relative $LENET_DATA counts from this file's folder, since kernels run in the notebook's.
    """
    folder, named = _data_folder(root)
    if named:
        return _read_mnist(folder)
    try:
        return _read_mnist(folder)
    except (FileNotFoundError, ValueError):
        try:
            _download_mnist(folder)
            return _read_mnist(folder)
        except (OSError, RuntimeError, ValueError) as error:  # no network, no room, a login page's answer
            digits = _sklearn_digits()
            print(_text("data_fall_back", n=len(digits.train) + len(digits.test), folder=folder,
                        reason=str(error).splitlines()[0] if str(error) else type(error).__name__))
            return digits


def _data_folder(root=None):
    """(folder, whether somebody named it)."""
    if root is not None:
        return Path(root).expanduser().absolute(), True
    if os.environ.get("LENET_DATA"):
        return Path(os.path.normpath(HERE / Path(os.environ["LENET_DATA"]).expanduser())), True
    return HERE / "data", False


def _mnist_file(folder, name):
    """The path of one of MNIST_FILES in a folder, or None."""
    places = [place / (name + end) for place in (folder / "MNIST" / "raw", folder) for end in ("", ".gz")]
    return next((path for path in places if path.is_file()), None)


def _read_mnist(folder):
    if not folder.is_dir():
        raise FileNotFoundError(_text("data_no_folder", folder=folder))
    contents = []
    for name in MNIST_FILES:
        path = _mnist_file(folder, name)
        if path is None:
            raise FileNotFoundError(_text("data_no_file", folder=folder, name=name))
        contents.append(_checked_bytes(path, name))
    parts = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in contents]
    train, test = (TensorDataset(images[16:].view(-1, 1, 28, 28), labels[8:].long())  # behind the IDX headers
                   for images, labels in (parts[:2], parts[2:]))
    return Digits(train, test, "MNIST")


def _checked_bytes(path, name):
    """The plain content of one of MNIST_FILES; ValueError names the file, what is wrong and what to do."""
    size, md5 = MNIST_FILES[name]
    content = path.read_bytes()
    if path.suffix == ".gz" and content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, ValueError) as error:
            raise ValueError(_text("data_bad_gz", path=path, error=error)) from None
    if content[:64].lstrip()[:1] == b"<":
        raise ValueError(_text("data_html", path=path))
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    for other, (_, other_md5) in MNIST_FILES.items():
        if found == other_md5 and other != name:
            raise ValueError(_text("data_swapped", path=path, other=other))
    if len(content) != size:
        raise ValueError(_text("data_size", path=path, found=len(content), size=size))
    if found != md5:
        raise ValueError(_text("data_md5", path=path, found=found, md5=md5))
    return content


def _download_mnist(folder):
    """Downloads what `folder` lacks through torchvision. Raises OSError or RuntimeError where that fails."""
    source = torchvision.datasets.MNIST
    answer = queue.Queue()

    def ask():  # looking up a name has no time limit of its own: hence a thread, which may be left behind
        error = None
        for mirror in source.mirrors:
            try:
                request = urllib.request.Request(mirror + source.resources[1][0], method="HEAD")
                urllib.request.urlopen(request, timeout=NETWORK_SECONDS / 2).close()
                return answer.put(None)
            except Exception as failure:
                error = failure
        answer.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        error = answer.get(timeout=NETWORK_SECONDS)
    except queue.Empty:
        error = _text("data_silent", seconds=NETWORK_SECONDS)
    if error is not None:
        raise OSError(str(error))
    for name in MNIST_FILES:
        path = _mnist_file(folder, name)
        while path is not None:  # torchvision trusts any file that exists
            try:
                _checked_bytes(path, name)
                break
            except ValueError:
                path.unlink()
                path = _mnist_file(folder, name)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)  # torchvision sets no limit
    try:
        source(folder, download=True)
    finally:
        socket.setdefaulttimeout(before)


def _sklearn_digits():
    """scikit-learn's 1,797 digits of 8x8 in MNIST's style: 20x20 in the middle of 28x28; a fifth is for the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) * (255 / 16)
    images = F.pad(F.interpolate(images, size=20, mode="bicubic").clamp(0, 255), (4, 4, 4, 4)).round().to(torch.uint8)
    parts = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    labels = torch.tensor(labels, dtype=torch.int64)
    return Digits(*(TensorDataset(images[part], labels[part]) for part in parts), "scikit-learn")


def digit_loader(dataset, batch_size, shuffle, generator=None):
    """A DataLoader of (float32 images (B, 1, 28, 28) in [0, 1], int64 labels (B,)) over a uint8 dataset. Notebook 04.

    It takes a whole batch out of the tensors at once: several times as fast as picture by picture.
    """
    sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    return DataLoader(dataset, sampler=BatchSampler(sampler, batch_size, drop_last=False), batch_size=None,
                      collate_fn=lambda batch: (_as_float(batch[0]), batch[1]))


def _as_float(images):
    """uint8 pictures as float32 in [0, 1]; float pictures as they are."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()



# ---------------------------------------------------------------------------------------------------- model

class LeNet5(nn.Module):
    """LeNet-5 for 28x28 digits: images (N, 1, 28, 28) in [0, 1] -> logits (N, 10). Notebook 03 builds it.

    LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998), section II.B,
    with ReLU, max-pooling and plain logits; `padding=2` makes C1's maps 28x28, as the paper's 32x32 input does.
    """

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.s2 = nn.MaxPool2d(kernel_size=2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.s4 = nn.MaxPool2d(kernel_size=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)
        for layer in (self.c1, self.c3, self.fc1, self.fc2):  # ReLU halves a signal; He's start makes up for it
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.s2(F.relu(self.c1(x)))
        x = self.s4(F.relu(self.c3(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


class LayerRow(NamedTuple):
    """A row of `layer_table`; `shape` is the layer's output without the batch: (channels, height, width) or (n,)."""

    name: str
    layer: str
    shape: tuple
    parameters: int
    multiply_adds: int


class LayerTable(list):
    """`LayerRow`s, with the totals `.parameters` and `.multiply_adds`; printed, a table."""

    parameters = property(lambda self: sum(row.parameters for row in self))
    multiply_adds = property(lambda self: sum(row.multiply_adds for row in self))

    def __repr__(self):
        line = "{:<6} {:<40} {:>12} {:>10} {:>13}".format
        rows = [line(row.name, row.layer, "x".join(map(str, row.shape)), f"{row.parameters:,}",
                     f"{row.multiply_adds:,}") for row in self]
        total = line("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}")
        return "\n".join([line("name", "layer", "output", "parameters", "multiply-adds"), *rows, total])


def _one(size):
    return size if isinstance(size, int) else size[0]  # torch keeps some sizes as (height, width)


def layer_table(model, input_shape=(1, 28, 28)):
    """What each layer of a model makes and costs for one picture of `input_shape` (channels, n, n): a `LayerTable`.

    Counts convolutions, pooling and linear layers in the order in which the model defines them; sizes come from
    `ConvGeometry`. Raises ValueError where a layer does not fit the one before. Notebook 03.
    """
    rows, shape = LayerTable(), tuple(input_shape)
    for name, layer in model.named_modules():
        parameters = sum(p.numel() for p in layer.parameters(recurse=False))
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            k, s, p, d = map(_one, (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1)))
            n = conv_output_size(shape[-1], k, s, p, d)
            text = f"{type(layer).__name__} kernel_size={k} stride={s} padding={p}"
            if isinstance(layer, nn.Conv2d):
                if layer.in_channels != shape[0]:
                    raise ValueError(_text("layer_misfit", name=name, wants=layer.in_channels, gets=shape[0]))
                shape = (layer.out_channels, n, n)
                cost = math.prod(shape) * layer.in_channels // layer.groups * k * k
            else:
                shape, cost = (shape[0], n, n), 0
        elif isinstance(layer, nn.Linear):
            if layer.in_features != math.prod(shape):
                raise ValueError(_text("layer_misfit", name=name, wants=layer.in_features, gets=math.prod(shape)))
            shape, cost, text = (layer.out_features,), layer.weight.numel(), f"Linear {layer.in_features} -> " \
                f"{layer.out_features}"
        else:
            continue
        rows.append(LayerRow(name, text, shape, parameters, cost))
    return rows



# ------------------------------------------------------------------------------------------------- training

class EpochResult(NamedTuple):
    """One epoch: its number from 1, mean training loss, accuracy on the test set in [0, 1], seconds."""

    epoch: int
    loss: float
    accuracy: float
    seconds: float

    def __str__(self):
        return f"Epoch: {self.epoch} \tTraining Loss: {self.loss:.6f}"


def train_epoch(model, loader, optimizer, scheduler=None, on_batch=None):
    """One pass over `loader` as notebook 04 writes it out; returns the mean loss over its pictures.

    `scheduler` steps after each batch; `on_batch(batch, loss)` is called with the batch's number from 1.
    """
    model.train()
    place = next(model.parameters()).device
    total = pictures = 0
    for batch, (images, labels) in enumerate(loader, 1):
        images, labels = images.to(place), labels.to(place)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        total += loss.item() * len(labels)
        pictures += len(labels)
        if on_batch is not None:
            on_batch(batch, loss.item())
    return total / pictures


def _training(model, digits, epochs, *, batch_size=None, max_lr=0.1, seed=0, save=None, log=None, log_title="",
              on_batch=None):
    """The one training loop: a generator of EpochResults, each given when its weights and log are on disk.

    SGD with momentum, weight decay and the one-cycle schedule (Smith & Topin, "Super-Convergence", 2017).
    """
    batch_size = batch_size or _batch_size(digits)
    generator = torch.Generator()
    loader = digit_loader(digits.train, batch_size, shuffle=True, generator=generator)
    model.to(device, memory_format=torch.channels_last)  # pooling is faster so
    optimizer = torch.optim.SGD(model.parameters(), lr=max_lr, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=epochs * len(loader))
    history = []
    for path in filter(None, (save, log)):
        _check_writable(path)
    while len(history) < epochs:
        epoch = len(history) + 1
        generator.manual_seed(seed * 1_000_003 + epoch)  # an epoch's order depends on its number only
        started = time.perf_counter()
        loss = train_epoch(model, loader, optimizer, scheduler, on_batch)
        evaluation = evaluate(model, digits.test)
        history.append(EpochResult(epoch, loss, evaluation.accuracy, time.perf_counter() - started))
        if save:
            save_weights(model, save)
        if log:
            report = [str(evaluation)] if epoch == epochs else []
            lines = [log_title] * bool(log_title) + [str(result) for result in history] + report
            _write(log, "\n".join([*lines, ""]).encode())
        yield history[-1]


def _batch_size(digits):
    return 128 if len(digits.train) > 10_000 else 32  # 128 can die on scikit-learn's 1,437


def train(model, digits, epochs=20, **options):
    """Trains `model` on `digits` (a `Digits`) with a progress bar; returns a list of `EpochResult`s. Notebooks 04-06.

    Options: `batch_size` (128, or 32 for a small set), `max_lr=0.1` (the highest learning rate of the schedule),
    `seed=0` (order of the pictures), `save` (file for the weights after each epoch), `log` (file for the lesson's
    log). The model is moved to `lh.device`. The same start, seed, machine and data give the same weights.
    Raises ValueError for `epochs` below 1, OSError for a file that cannot be written.
    """
    if epochs < 1:
        raise ValueError(_text("no_epochs", epochs=epochs))
    batches = math.ceil(len(digits.train) / (options.get("batch_size") or _batch_size(digits)))
    history = []
    with tqdm(total=epochs * batches, unit="batch", leave=False) as bar:
        def on_batch(batch, loss):
            bar.set_description(f"epoch {len(history) + 1}/{epochs}", refresh=False)
            accuracy = {"accuracy": f"{history[-1].accuracy:.2%}"} if history else {}
            bar.set_postfix(loss=f"{loss:.3f}", **accuracy, refresh=False)
            bar.update()

        for result in _training(model, digits, epochs, on_batch=on_batch, **options):
            history.append(result)
            bar.write(str(result))  # stays in the saved notebook, where a bar would stand at 0% for ever
    return history


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A model's results on a dataset; printed, the lesson's report. Notebook 04.

    `loss` float; `accuracy` in [0, 1]; `correct`, `total` int64 (10,) by class; `confusion` int64 (10, 10), rows are
    the labels, columns the predictions; `predictions` int64 (N,); `logits` float32 (N, 10).
    """

    loss: float
    accuracy: float
    correct: np.ndarray
    total: np.ndarray
    confusion: np.ndarray
    predictions: torch.Tensor
    logits: torch.Tensor

    def __repr__(self):
        lines = [f"Test Accuracy of {digit:5}: {_percent(right, n)}"
                 for digit, (right, n) in enumerate(zip(self.correct, self.total))]
        overall = f"Test Accuracy (Overall): {_percent(self.correct.sum(), self.total.sum())}"
        return "\n".join([f"Test Loss: {self.loss:.6f}", "", *lines, "", overall])


def _percent(right, n):
    return f"{right * 100 // max(n, 1):2d}% ({right:2d}/{n:2d})"  # whole per cents, rounded down, as in the lesson's log


def evaluate(model, dataset):
    """Tests a model on a TensorDataset of images and labels: an `Evaluation`. Notebooks 04-06.

    The model is left as it is, its train/eval mode too, and may be in training meanwhile.
    """
    images, labels = dataset.tensors
    logits = _logits(model, images)
    predictions = logits.argmax(1)
    confusion = confusion_matrix(labels, predictions, labels=range(10))
    correct, total = confusion.diagonal(), confusion.sum(axis=1)
    return Evaluation(F.cross_entropy(logits, labels).item(), float(correct.sum() / total.sum()), correct, total,
                      confusion, predictions, logits)


@torch.no_grad()
def _logits(model, images):
    """Logits (N, 10), on the CPU, of images (N, 1, 28, 28), uint8 or float. Runs a copy of the model in eval mode, so
    that a training in another thread is not disturbed."""
    model = copy.deepcopy(model).eval()
    place = next(model.parameters()).device
    return torch.cat([model(_as_float(part.to(place))).cpu() for part in images.split(500)])


def save_weights(model, path):
    """Writes the model's `state_dict` to a file, which appears whole or not at all. Notebook 04."""
    content = io.BytesIO()
    torch.save({name: value.cpu().contiguous() for name, value in model.state_dict().items()}, content)
    _write(path, content.getvalue())


def _write(path, content):
    """Writes bytes beside the file and renames: a reader sees the old file or the new one, never half of one."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(_text("cannot_write", path=path, error=error.strerror or error)) from None


def _check_writable(path):
    """Raises OSError now for a file that could not be written after an epoch; makes its folder."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(_text("cannot_write", path=path, error=error.strerror or error)) from None
    if path.is_dir():
        raise OSError(_text("cannot_write", path=path, error=_text("is_folder")))
    _write(path.with_name(path.name + ".test"), b"")
    path.with_name(path.name + ".test").unlink()



# ------------------------------------------------------------------------------------------------- pictures

RIGHT, WRONG = "#117733", "#cc3311"  # green and red that the colour-blind can tell


def _figure(*args, **kwargs):
    """A figure and its axes, closed for pyplot: a notebook shows it once, as the cell's value."""
    fig, axes = plt.subplots(*args, layout="constrained", **kwargs)
    plt.close(fig)
    return fig, axes


def _show_digit(ax, image, title, color="black"):
    ax.imshow(image.squeeze(), cmap="gray_r")
    ax.set_title(title, color=color, fontsize=11)
    ax.set_axis_off()


def show_predictions(model, dataset, n=20):
    """The first `n` pictures of a dataset, each with "guess (label)": green if right, red with a cross if wrong.
    Returns a Figure. Notebook 04."""
    images, labels = (tensor[:n] for tensor in dataset.tensors)
    guesses = _logits(model, images).argmax(1)
    fig, axes = _figure(math.ceil(n / 10), min(n, 10), figsize=(11, 1.5 * math.ceil(n / 10)), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, image, guess, label in zip(axes.flat, images, guesses.tolist(), labels.tolist()):
        _show_digit(ax, image, f"{guess} ({label})" + " ✗" * (guess != label), RIGHT if guess == label else WRONG)
    return fig


def show_mistakes(evaluation, dataset, n=10):
    """The `n` worst mistakes (the surest wrong guesses): what the network thought of each. A Figure. Notebook 04."""
    images, labels = dataset.tensors
    probabilities = evaluation.logits.softmax(1)
    sure = probabilities.max(1).values.where(evaluation.predictions != labels, -1.0)
    worst = [i for i in sure.argsort(descending=True)[:n].tolist() if sure[i] >= 0]
    rows = max(1, math.ceil(len(worst) / 5))
    fig, axes = _figure(rows, 5, figsize=(11, 2.6 * rows), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, i in zip(axes.flat, worst):
        guess, label = int(evaluation.predictions[i]), int(labels[i])
        _show_digit(ax, images[i], f"#{i}: it is {label} ({probabilities[i, label]:.1%})\n"
                                   f"network says {guess} ({probabilities[i, guess]:.1%})", WRONG)
    return fig


def show_confusion(evaluation):
    """The confusion matrix: rows are the labels, columns the guesses. Returns a Figure. Notebook 04."""
    fig, ax = _figure(figsize=(7, 6))
    ConfusionMatrixDisplay(evaluation.confusion).plot(
        ax=ax, cmap="Blues", colorbar=False,
        im_kw={"norm": matplotlib.colors.PowerNorm(0.3)})  # else the few mistakes vanish beside the many right ones
    ax.set(xlabel="the network's guess", ylabel="true digit")
    return fig


def show_filters(model):
    """The kernels of the model's first convolution: blue below zero, red above. Returns a Figure. Notebook 04."""
    weights = next(m for m in model.modules() if isinstance(m, nn.Conv2d)).weight.detach().cpu()[:, 0]
    fig, axes = _figure(1, len(weights), figsize=(1.9 * len(weights), 2.1))
    limit = weights.abs().max()
    for number, (ax, weight) in enumerate(zip(axes, weights)):
        picture = ax.imshow(weight, cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set_title(f"filter {number}", fontsize=11)
        ax.set_axis_off()
    fig.colorbar(picture, ax=axes, shrink=0.8)
    return fig


def lenet5_diagram(path=None):
    """LeNet-5 layer by layer, sizes from `layer_table`. Returns a Figure; `path` (img/lenet5.svg) saves it as SVG.
    Notebook 03."""
    model = LeNet5()
    fig, ax = _figure(figsize=(12, 3.6))
    names = {"c1": "C1", "s2": "S2", "c3": "C3", "s4": "S4", "fc1": "F5", "fc2": "F6", "fc3": "output"}
    x, end, step = 0.0, None, 0.14  # step: from one map of a layer to the next behind it
    for name, shape in [("input", (1, 28, 28)), *((row.name, row.shape) for row in layer_table(model))]:
        copies, height, width = (shape[0], shape[1] / 9, shape[2] / 9) if len(shape) == 3 else (1, shape[0] / 30, 0.35)
        color = {"i": "white", "c": "#cfe3f5", "s": "#d9efd9", "f": "#fde0c5"}[name[0]]
        for k in range(copies):
            ax.add_patch(plt.Rectangle((x + k * step, (k - copies / 2) * step - height / 2), width, height,
                                       facecolor=color, edgecolor="#333333"))
        if end is not None:
            kind = {"c": "convolution\n{0}x{0}", "s": "max-pooling\n{0}x{0}", "f": "full\nconnection"}[name[0]]
            kind = kind.format(_one(getattr(getattr(model, name), "kernel_size", 0)))
            ax.annotate("", (x - 0.08, 0), (end + 0.08, 0), arrowprops={"arrowstyle": "->", "color": "#333333"})
            if name not in ("fc1", "fc3"):  # once is enough for three full connections
                ax.text((x + end) / 2, -2.4, kind, ha="center", va="top", fontsize=11)
        end = x + width + (copies - 1) * step
        size = "@".join([str(shape[0]), *(["x".join(map(str, shape[1:]))] if len(shape) == 3 else [])])
        ax.text((x + end) / 2, 2.4, f"{names.get(name, name)}\n{size}", ha="center", va="bottom", fontsize=13)
        x = end + 1.25
    ax.set(xlim=(-0.3, x - 0.8), ylim=(-3.5, 3.6), aspect="equal")
    ax.set_axis_off()
    if path is not None:
        fig.savefig(path, format="svg", metadata={"Date": None})
    return fig


# ------------------------------------------------------------------------------------------------- draw pad


# ------------------------------------------------------------------------------------------------ exercises


# ---------------------------------------------------------------------------------------------------- texts
# Every sentence that a reader meets, (Chinese, English), by section.

TEXTS = {
    # convolution
    "size_not_whole": ("{name} 应该是整数，现在是 {value}。",
                       "{name} must be a whole number, but it is {value}."),
    "size_too_small": ("{name} = {value} 不行：至少要是 {least}。",
                       "{name} = {value} is too small: it must be at least {least}."),
    "does_not_fit": (
        "卷积核放不下：它占 {g.span} 个像素，而输入加上 padding 只有 {g.n_in} + 2×{g.padding} = {g.padded} 个。"
        "请减小 kernel_size（现在 {g.kernel_size}）或 dilation（{g.dilation}），或者加大 padding。",
        "The kernel does not fit: it spans {g.span} pixels, but input and padding have only "
        "{g.n_in} + 2*{g.padding} = {g.padded}. "
        "Make kernel_size ({g.kernel_size}) or dilation ({g.dilation}) smaller, or padding larger."),
    "no_such_output": ("没有第 {i} 个输出：编号从 0 到 {last}。", "There is no output {i}: they go from 0 to {last}."),
    "no_such_input": ("没有第 {j} 个输入：编号从 0 到 {last}。", "There is no input {j}: they go from 0 to {last}."),
    "remainder": ("{free} ÷ {g.stride} = {quotient} 余 {g.unused}：向下取整（floor），最下面 {g.unused} 行和最右边 {g.unused} 列"
                  "没有窗口用到。",
                  "{free} ÷ {g.stride} = {quotient}, remainder {g.unused}: round down (floor). No window reaches the end: "
                  "rows and columns lost: {g.unused}."),
    "no_remainder": ("{free} ÷ {g.stride} = {quotient}，正好除尽。", "{free} ÷ {g.stride} = {quotient}, with no remainder."),
    # explorer
    "not_square": ("{name} 应该是正方形的数字表格，形状是 (n, n) 或 (1, n, n)，现在是 {found}。",
                   "{name} must be a square table of numbers of shape (n, n) or (1, n, n), but it is {found}."),
    "wrong_size": ("{name} 的边长是 {found}，geometry 里写的却是 {expected}。",
                   "{name} has {found} rows, but geometry says {expected}."),
    "not_offered": ("{name} = {value} 不行：可以选 {choices}。", "{name} = {value} is not offered: choose from {choices}."),
    "input": ("输入 {g.n_in}×{g.n_in}", "input {g.n_in}×{g.n_in}"),
    "padded_input": ("输入 {g.n_in}×{g.n_in}，加 padding 后 {g.padded}×{g.padded}",
                     "input {g.n_in}×{g.n_in}, with padding {g.padded}×{g.padded}"),
    "kernel": ("卷积核", "kernel"),
    "output": ("输出 {g.n_out}×{g.n_out}", "output {g.n_out}×{g.n_out}"),
    "output_cell": ("输出 第 {i} 行第 {j} 列：{value}", "output row {i}, column {j}: {value}"),
    "input_cell": ("输入 第 {i} 行第 {j} 列：{value}。{feeds}", "input row {i}, column {j}: {value}. {feeds}"),
    "weight_cell": ("权重 第 {i} 行第 {j} 列：{value}。{uses}", "weight row {i}, column {j}: {value}. {uses}"),
    "feeds": ("这个输入参与 {n} 个输出。", "Outputs that this input feeds: {n}."),
    "feeds_none": ("没有窗口用到这个输入。", "No window reaches this input."),
    "uses": ("这个权重要乘 {n} 个输入，每个输出一次。", "Inputs that this weight multiplies: {n}, one for each output."),
    "explorer_title": ("卷积：输入、卷积核、输出", "Convolution: input, kernel, output"),
    "explorer_hint": ("把鼠标移到任意一格上；点一下或按 Tab 键，可以让它停住。虚线格是 padding，斜线格没有窗口用到。"
                      "橙色：正的权重；蓝色：负的权重。",
                      "Point at any cell; a click or Tab keeps it. Dashed cells are padding, hatched ones are reached by "
                      "no window. Orange: positive weight; blue: negative."),
    "kernels_hint": ("白色是 0。特征图中有负数时：橙色为正，蓝色为负；否则越黑越大。虚线外是 padding。",
                     "White is 0. In a feature map with negative values orange is positive, blue negative; else black is the "
                     "largest. Outside the dashed line is padding."),
    "feature_map": ("特征图 {g.n_out}×{g.n_out}，从 {low} 到 {high}", "feature map {g.n_out}×{g.n_out}, from {low} to {high}"),
    "n_in": ("输入 n_in", "input n_in"),
    "preset": ("卷积核", "kernel"),
    "preset_random": ("随机整数", "random"),
    "preset_blur": ("模糊（全是 1）", "blur (all ones)"),
    "preset_vertical": ("竖直边缘", "vertical edge"),
    "preset_horizontal": ("水平边缘", "horizontal edge"),
    "preset_sharpen": ("锐化", "sharpen"),
    # data
    "data_found": ("数据：{folder}", "Data: {folder}"),
    "data_not_yet": ("数据：{folder} 里还没有完整的 MNIST，第一次用到时再处理。",
                     "Data: {folder} has no complete MNIST yet; that is seen to at first use."),
    "data_no_folder": ("找不到数据文件夹 {folder}。\n请改正路径；如果不指定文件夹（包括 LENET_DATA），程序会自己下载 MNIST。",
                       "There is no data folder {folder}.\nCorrect the path, or name none (LENET_DATA neither) to have "
                       "MNIST downloaded."),
    "data_no_file": ("{folder} 里缺少 {name}（或 {name}.gz）。\n请把 MNIST 的四个文件都放进这个文件夹，或放进其中的 MNIST/raw。",
                     "{folder} lacks {name} (or {name}.gz).\nPut the four files of MNIST into it, or into MNIST/raw in it."),
    "data_bad_gz": ("{path} 不完整，解压失败（{error}）。\n请删掉它，重新复制或下载。",
                    "{path} is damaged and does not unpack ({error}).\nDelete it, then copy or download it again."),
    "data_html": ("{path} 不是数据，而是一个网页（常见原因：下载时遇到了上网登录页）。\n请删掉它，连好网络后重新下载。",
                  "{path} is a web page, not data (often the login page of a network).\nDelete it, and download it again "
                  "once the network lets you."),
    "data_swapped": ("{path} 里装的其实是 {other}。\n请把文件改回正确的名字，或重新复制。",
                     "{path} holds the content of {other}.\nGive the files their right names, or copy them again."),
    "data_size": ("{path} 解压后有 {found:,} 字节，应该是 {size:,} 字节。\n请删掉它，重新复制或下载。",
                  "{path} has {found:,} bytes unpacked where {size:,} belong.\nDelete it, then copy or download it again."),
    "data_md5": ("{path} 的内容有错（MD5 是 {found}，应该是 {md5}）。\n请删掉它，重新复制或下载。",
                 "{path} has wrong content (MD5 {found}, not {md5}).\nDelete it, then copy or download it again."),
    "data_silent": ("网络 {seconds} 秒没有响应", "the network did not answer within {seconds} s"),
    "data_fall_back": ("没能下载 MNIST（{reason}），先用 scikit-learn 自带的 {n:,} 个手写数字代替；联网后重新运行，或把 MNIST "
                       "的四个文件放进 {folder}。",
                       "MNIST could not be downloaded ({reason}): using the {n:,} digits that scikit-learn ships. For all of "
                       "MNIST run this again with a network, or put its four files into {folder}."),
    # model
    "layer_misfit": ("{name} 这一层要 {wants} 个输入，前面送来的却是 {gets} 个。",
                     "{name} wants {wants} inputs, but {gets} arrive from the layer before."),
    # training
    "no_epochs": ("epochs 至少是 1，现在是 {epochs}。", "epochs must be at least 1, but it is {epochs}."),
    "cannot_write": ("写不了 {path}（{error}）。请换一个位置，或检查磁盘空间和权限。",
                     "{path} cannot be written ({error}). Choose another place, or see to disk space and permissions."),
    "is_folder": ("这是一个文件夹", "it is a folder"),
    "interrupted": ("已中断。已完成的各个 epoch 的权重和日志都在磁盘上。",
                    "Interrupted. The weights and the log of the epochs that were finished are on disk."),
    # pictures
    # draw pad
    # exercises
}


# --------------------------------------------------------------------------------------------- command line

def main(arguments=None):
    """`python lenet_helpers.py`: trains LeNet-5, prints and logs what the lesson's script does. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python lenet_helpers.py",
        description="Train LeNet-5 on MNIST: a line an epoch, then the test report, as in the lesson's log.")
    parser.error = lambda message: parser.exit(2, f"{parser.prog}: {message} (--help explains)\n")
    parser.add_argument("--epochs", type=int, default=20, metavar="N", help="passes over the training set (default: 20)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="start of the random numbers (default: 0)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the weights here after every epoch")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write the log here, too")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with MNIST (default: $LENET_DATA, else data/)")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(_text("no_epochs", epochs=options.epochs))
    title = " ".join(["python lenet_helpers.py"] + [f"--{name} {value.as_posix() if isinstance(value, Path) else value}"
                                                    for name, value in vars(options).items() if value is not None])
    try:
        digits = load_mnist(options.data)
        torch.manual_seed(options.seed)
        model = LeNet5()
        train(model, digits, options.epochs, seed=options.seed, save=options.save, log=options.log, log_title=title)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, _text("interrupted") + "\n")
    print(evaluate(model, digits.test))
    return 0


if __name__ == "__main__":
    sys.exit(main())
