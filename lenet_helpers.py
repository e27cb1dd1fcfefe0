"""What the notebooks use but do not teach, in the order of the lesson: setup, convolution sizes, explorer,
data, model, training, pictures, draw pad, exercises, texts, command line.

In a notebook: `import lenet_helpers as lh`, then `lh.start("zh")` or `lh.start("en")`.
In a terminal: `python lenet_helpers.py --help` (the lesson's training script).
"""

from __future__ import annotations

import _thread
import argparse
import base64
import contextlib
import copy
import difflib
import gzip
import hashlib
import html
import importlib.metadata
import inspect
import io
import itertools
import math
import operator
import os
import queue
import random
import re
import reprlib
import socket
import sys
import threading
import time
import urllib.request
import uuid
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")  # torch and scikit-learn bring an OpenMP each (macOS, Windows)

import anywidget
import ipywidgets as widgets
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from IPython.display import Markdown, display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from packaging.version import Version
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset
from tqdm.auto import tqdm

# torchvision and scikit-learn take seconds to import: the functions that need them do it

HERE = Path(__file__).resolve().parent
MY_NETWORK = Path(os.environ.get("LENET_SAVE") or HERE / "data" / "my_lenet5.pt")  # 04 saves it, 00 draws for it


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
    torch.set_num_threads(_threads_beside_the_kernel())
    sys.setswitchinterval(1e-4)  # a cell of pure Python then leaves a training thread its share
    folder, named = _data_folder()
    found = all(_mnist_files(folder, name) for name in MNIST_FILES)
    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, torchvision {importlib.metadata.version('torchvision')}, "
          f"{device.type}, {torch.get_num_threads()} thread(s)")
    print(_text("data_found" if found else "data_misnamed" if named else "data_not_yet", folder=folder))


def _text(key, **values):
    """The sentence `key` of TEXTS in the language of `start`, with `values` filled in."""
    zh, en = TEXTS[key]
    return (zh if _language == "zh" else en).format(**values)


def ready():
    """What a teacher looks at the day before: versions, data, the trained network and the time of a training. Prints a
    line each, with a tick or what to do; raises nothing. Notebook 00."""
    for look in (_look_at_versions, _look_at_data, _look_at_network):
        try:
            print("✓", look())
        except Exception as error:  # a line, and on to the next
            print("✗", error)


def _look_at_versions():
    wanted = re.findall(r"^([\w-]+)>=([\d.]+)", (HERE / "requirements.txt").read_text(encoding="utf-8"), re.M)
    found = {}
    for name, least in wanted:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
        if name not in found or Version(found[name]) < Version(least):
            raise ValueError(_text("ready_version", name=name, least=least, found=found.get(name, "-")))
    return _text("ready_versions", n=len(found), torch=found["torch"])


def _look_at_data():
    digits = load_mnist()
    if digits.source != "MNIST":
        raise ValueError(_text("ready_small", folder=_data_folder()[0]))
    return _text("ready_data", n=len(digits.train) + len(digits.test))


def _look_at_network():
    """Reads the test digits with the trained network, and times a training on some of them."""
    digits = load_mnist()
    result = evaluate(load_weights(LeNet5(), HERE / "notebooks" / "trained" / "lenet5.pt"), digits.test)
    some = TensorDataset(*(tensor[:2560] for tensor in digits.test.tensors))
    model, seconds = LeNet5().to(device, memory_format=torch.channels_last), []
    for _ in range(2):  # the first is to warm up
        started = time.perf_counter()
        train_epoch(model, digit_loader(some, _batch_size(digits), shuffle=True), torch.optim.SGD(model.parameters(), 0.01))
        seconds.append(time.perf_counter() - started)
    minutes = 20 * seconds[-1] * len(digits.train) / len(some) / 60
    return _text("ready_network", right=result.correct.sum(), n=result.total.sum(), minutes=f"{minutes:.1f}")


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
            object.__setattr__(self, name, _whole(name, getattr(self, name), least))
        if self.span > self.padded:
            reducible = [f"{name} ({getattr(self, name)})" for name in ("kernel_size", "dilation") if getattr(self, name) > 1]
            raise ValueError(_text("does_not_fit", g=self, reducible=" / ".join(reducible)))

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


def _whole(name, value, least=-math.inf):
    """An integer, numpy's included, as an int; ValueError for 6.0, "6", True and what is below `least`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        raise ValueError(_text("not_whole", name=name, value=repr(value))) from None
    if whole < least:
        raise ValueError(_text("too_small", name=name, value=value, least=least))
    return whole


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
SIGNS = LinearSegmentedColormap.from_list("signs", [NEGATIVE, "white", POSITIVE])  # for matplotlib; notebook 01
LIMITS = {"n_in": range(3, 13), "kernel_size": range(1, 8), "stride": range(1, 5), "padding": range(0, 5),
          "dilation": range(1, 4)}
PRESETS = {  # kernel_size -> kernel of whole numbers; one pixel has no neighbours, so an edge kernel of 1x1 is 0
    "random": lambda k: torch.randint(-2, 3, (k, k), generator=torch.Generator().manual_seed(67 + k)),
    "blur": lambda k: torch.ones(k, k),
    "vertical": lambda k: (2 * torch.arange(k) - (k - 1)).sign().expand(k, k),
    "horizontal": lambda k: PRESETS["vertical"](k).T,
    "sharpen": lambda k: _sharpen(k),
}
WIDTH, HEIGHT, TITLE, GAP = 1132, 590, 28, 30  # pixels: picture, line of titles, between grids

STYLE = f"""<style>
.lh-svg {{ display: block; max-width: 100%; height: auto; font: 14px var(--jp-ui-font-family, sans-serif);
  fill: var(--jp-content-font-color1, currentColor) }}
.lh-svg text {{ pointer-events: none }}
.lh-lines, .lh-dashes {{ fill: none; stroke: var(--jp-border-color1, #999); shape-rendering: crispEdges }}
.lh-dashes {{ stroke-dasharray: 3 3 }}
.lh-zero {{ fill: #888 }}
.lh-pos {{ fill: {POSITIVE} }}
.lh-neg {{ fill: {NEGATIVE} }}
.lh-num {{ font-family: Arial, "Liberation Sans", Helvetica, "DejaVu Sans Condensed", sans-serif; text-anchor: middle;
  paint-order: stroke; stroke: var(--jp-layout-color0, Canvas); stroke-width: 2.5px }}
.lh-sum {{ font-family: var(--jp-code-font-family, monospace); white-space: pre }}
.lh-lit {{ fill: none; stroke: #009e73; stroke-opacity: .5 }}
.lh-frame {{ stroke: var(--jp-content-font-color1, currentColor); stroke-width: 2.5 }}
.lh-cell {{ outline: none; cursor: pointer }}
.lh-i {{ fill: transparent }}
.lh-cell:hover, .lh-cell:focus {{ stroke-width: 3; stroke: var(--jp-content-font-color1, currentColor) }}
.lh-reveal {{ display: none; pointer-events: none }}
.lh-cell:hover + .lh-reveal, .lh-cell:focus + .lh-reveal {{ display: inline }}
.lh-cells:hover .lh-cell:focus:not(:hover) + .lh-reveal {{ display: none }}
</style>"""  # one class a rule: what a <use> repeats knows nothing of the elements around it


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


def _tint(value, limit, kind=""):
    """Attributes of a cell in the colour of a number: orange above 0, blue below, the stronger the larger."""
    sign = "zero" if not value else "pos" if value > 0 else "neg"
    return f'class="{kind}lh-{sign}" fill-opacity="{.15 + .5 * min(1, abs(value) / limit) if value else .08:.2f}"'


def _box(x, y, size):
    return f'x="{x}" y="{y}" width="{size}" height="{size}"'


def _rect(x, y, size, attributes):
    return f'<rect {_box(x, y, size)} {attributes}/>'


def _hatch(name):
    return (f'<pattern id="{name}-h" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<path d="M0 0v7" stroke="#888" stroke-width="3"/></pattern>')


def _tinted(table, x, y, cell, dilation=1):
    """Cells at (x, y) in the colours of a table's numbers."""
    limit = table.abs().max().item() or 1
    return "".join(_rect(x + j * dilation * cell, y + i * dilation * cell, cell, _tint(value, limit))
                   for i, row in enumerate(table.tolist()) for j, value in enumerate(row))


def _lines(n, x, y, cell, look="lines"):
    """The lines of a grid of n x n cells at (x, y)."""
    return f'<path class="lh-{look}" d="' + "".join(
        f"M{x} {y + i * cell}h{n * cell}M{x + i * cell} {y}v{n * cell}" for i in range(n + 1)) + '"/>'


def _numbers(texts, x, y, cell, size):
    """A table's numbers, in the middle of its cells. Those of one character share an element a row: a page takes long
    over many."""
    middles, parts = [f"{x + j * cell + cell / 2:g}" for j in range(len(texts))], []
    for i, row in enumerate(texts):
        short = [(place, text) for place, text in zip(middles, row) if len(text) == 1]
        together = [(" ".join(place for place, _ in short), "".join(text for _, text in short))] if short else []
        for place, text in together + [(place, text) for place, text in zip(middles, row) if len(text) > 1]:
            parts.append(f'<text x="{place}" y="{y + (i + .5) * cell + size * .36:.0f}">{text}</text>')
    return f'<g class="lh-num" font-size="{size}" aria-hidden="true">{"".join(parts)}</g>'


def _svg(name, hint, body, width=WIDTH, height=HEIGHT):
    """The frame that both explorers' pictures share."""
    # a title right below <svg> would pop up over the cells: hence in a group of its own
    return (f'<svg id="{name}" class="lh-svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
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
    pixels, weights, values = image.tolist(), kernel.tolist(), output.tolist()
    brightest, heaviest, largest = (table.abs().max().item() or 1 for table in (image, kernel, output))
    xs, ws, ys = ([[_short(value) for value in row] for row in table] for table in (padded.tolist(), weights, values))
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
                   (WIDTH - GAP - 2 - letters * 8.54) / g.padded,
                   (HEIGHT - TITLE - 16 - 17 * (k + 1)) / max(k, n)))
    cell = max(cell, 25, 8 * longest + 2)
    size = max(14, min(24, int(cell * .45), int(cell / longest / .62)))
    x_k, y = 1 + g.padded * cell + GAP, TITLE
    x_o = x_k + k * cell + GAP
    y_sum = y + max(k, n) * cell + 12
    height = max(HEIGHT, y_sum + 17 * (k + 1) + 4)  # long numbers may need more than there is
    room = (height - y_sum - 4) / (k + 1)
    sum_size = max(14, min(20, int((WIDTH - x_k) / letters / .61), int(room / 1.15)))
    line = min(sum_size * 1.4, room)
    width = max(WIDTH, x_o + n * cell + 2, math.ceil(x_k + letters * sum_size * .61))

    def written(*lines):
        return f'<text class="lh-sum" y="{y_sum}" font-size="{sum_size}">' + "".join(
            f'<tspan x="{x_k}" dy="{line:.3g}">{text}</tspan>' for text in lines) + "</text>"

    def said(sentence):
        return f'<text x="{x_k}" y="{y_sum + 18}" font-size="16">{html.escape(sentence)}</text>'

    def target(i, j, x, look, label, reveal):
        # <svg>, not <g>: Chromium lays out what a hidden <g> holds, which takes longer than all that is seen
        hit = _rect(x + j * cell, y + i * cell, cell, f'{look} tabindex="0" role="img" aria-label="{html.escape(label)}"')
        return f'{hit}<svg class="lh-reveal">{reveal}</svg>'

    # what lies below, drawn once
    body = [f"<defs>{_hatch(name)}"]
    # each pixel of a window in the colour of its weight; the pixels that a weight meets, as `h1` strokes, 1 cell wide
    body += [f'<pattern id="{name}-w" width="1" height="1">',  # of the whole window; a page takes long over many <use>
             _tinted(kernel, 0, 0, cell, d), "</pattern>",
             f'<path id="{name}-l" class="lh-lit" d="',
             *(f"M{j * s} {i * s + .5:g}h1" for i in range(n) for j in range(n)), '"/></defs>',
             _titles(g, x_k, x_o, _text("output", g=g))]
    greys = {}
    for i, row in enumerate(pixels):
        for j, value in enumerate(row):
            greys.setdefault(f"{.03 + .25 * abs(value) / brightest:.2f}", []).append(
                f"M{1 + (j + p) * cell} {y + (i + p) * cell}h{cell}v{cell}h-{cell}z")
    body += [f'<path fill-opacity="{grey}" d="{"".join(squares)}"/>' for grey, squares in greys.items()]
    side = g.padded * cell
    body += [f'<path class="lh-lost" fill="url(#{name}-h)" d="',  # the rows and columns that no window reaches
             *(f"M1 {y + q * cell}h{side}v{cell}h-{side}zM{1 + q * cell} {y}h{cell}v{side}h-{cell}z"
               for q in sorted(set(range(g.padded)).difference(*windows))), '"/>',
             _lines(g.padded, 1, y, cell, "dashes"), _lines(g.n_in, 1 + p * cell, y + p * cell, cell),
             _lines(k, x_k, y, cell), _lines(n, x_o, y, cell)]

    # what can be pointed at: outputs, inputs, weights
    body.append('<g class="lh-cells">')
    for i, rows in enumerate(windows):
        for j, columns in enumerate(windows):
            lines = [" + ".join([x + w for x, w in zip(xs_wide[r][columns[0]:columns[-1] + 1:d], factors[a])])
                     for a, r in enumerate(rows)]
            lines = ["  " + lines[0], *("+ " + text for text in lines[1:]), f"{equals} {ys[i][j]}"]
            window = _rect(1 + j * s * cell, y + i * s * cell, g.span * cell, f'class="lh-frame" fill="url(#{name}-w)"')
            body.append(target(i, j, x_o, _tint(values[i][j], largest, f"lh-cell lh-o{i * n + j} "),
                               _text("output_cell", i=i, j=j, value=ys[i][j]), window + written(*lines)))
    fed = [g.feeds(q) for q in range(g.n_in)]
    for i, rows in enumerate(fed):
        for j, columns in enumerate(fed):
            count = len(rows) * len(columns)
            feeds = _text("feeds", n=count) if count else _text("feeds_none")
            runs = [(columns[0], count // len(rows))] if count and d == 1 else [(c, 1) for c in columns]
            path = "".join([f"M{c} {r}.5h{length}" for r in rows for c, length in runs])
            body.append(target(i + p, j + p, 1, 'class="lh-cell lh-i"',
                               _text("input_cell", i=i, j=j, value=xs[i + p][j + p], feeds=feeds),
                               f'<path class="lh-lit" transform="translate({x_o} {y}) scale({cell})" d="{path}"/>'
                               + said(feeds)))
    uses = _text("uses", n=n * n)
    for i, row in enumerate(ws):
        for j, w in enumerate(row):
            place = f"translate({1 + j * d * cell} {y + i * d * cell}) scale({cell})"
            body.append(target(i, j, x_k, _tint(weights[i][j], heaviest, "lh-cell lh-w "),
                               _text("weight_cell", i=i, j=j, value=w, uses=uses),
                               f'<use href="#{name}-l" transform="{place}"/>' + said(uses)))
    body.append("</g>")

    # the numbers, above all colours
    middle = y + k * cell / 2 + 8
    body += [f'<text x="{x - GAP / 2}" y="{middle:g}" font-size="24" text-anchor="middle">{sign}</text>'
             for x, sign in ((x_k, "∗"), (x_o, "="))]
    body += [_numbers(texts, x, y, cell, size) for texts, x in ((xs, 1), (ws, x_k), (ys, x_o))]
    return _svg(name, "explorer_hint", "".join(body), width, height)


def _picture(table):
    """A table of numbers as a PNG, a pixel each, 0 in white: grey, or blue and orange where there are negatives."""
    colors, low, high = _scale(table)
    return _base64(lambda file: matplotlib.image.imsave(file, table.numpy(), cmap=colors, vmin=low, vmax=high, format="png"))


def _scale(table):
    """Colour map, lowest and highest value of a picture."""
    limit = table.abs().max().item() or 1
    if table.min() >= 0:
        return matplotlib.colormaps["gray_r"], 0, limit
    return SIGNS, -limit, limit


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
        body.append(f'<image href="data:image/png;base64,{_picture(table)}" preserveAspectRatio="none" '
                    f'style="image-rendering: pixelated" {_box(x, y, len(table) * scale)}/>')
        body.append(_rect(x, y, len(table) * scale, 'class="lh-frame" fill="none"'))
    inside = g.padding * scale
    body.append(_rect(1 + inside, y + inside, g.n_in * scale, 'class="lh-dashes"'))
    texts = [[_short(value) for value in row] for row in kernel.tolist()]
    body += [_tinted(kernel, x_k, y, cell), _lines(g.kernel_size, x_k, y, cell), _numbers(texts, x_k, y, cell, 16)]
    return _svg(name, "kernels_hint", "".join(body))


def _explorer_figure(image, kernel, g, step):
    """Both explorers as a matplotlib Figure, with the window of output number `step`: what a saved notebook shows."""
    padded, output = _convolve(image, kernel, g)
    fig = Figure(figsize=(11, 4), layout="constrained")
    axes = fig.subplots(1, 3, width_ratios=[g.padded, *(max(n, g.padded / 3) for n in (g.kernel_size, g.n_out))])
    titles = (f"input {g.n_in}x{g.n_in}, padding {g.padding}",
              f"kernel {g.kernel_size}x{g.kernel_size}\nstride {g.stride}, dilation {g.dilation}",
              f"output {g.n_out}x{g.n_out}")
    i, j = divmod(step, g.n_out)
    frames = (j * g.stride, i * g.stride, g.span), None, (j, i, 1)
    for ax, table, title, frame in zip(axes, (padded, kernel, output), titles, frames):
        _show_table(ax, table, title, *_scale(table), frame, 0 if len(table) > 20 else 8 if len(table) > 8 else 12)
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
            # the picture first: what arrives after it shares its frame, what comes before has one to itself
            self.picture.value, self.formula.value = self._draw(image, kernel, g, self._name), _formula(g)
            self.play.value, self.play.max = 0, g.n_out ** 2 - 1
        except Exception as error:  # does not fit, or a fault: a page would not say anything by itself
            self.picture.value, self.formula.value = _message(error), ""

    def _point(self, change=None):
        """Reveals the window of output number `play.value` while the reader points at nothing."""
        cell = f"#{self._name} .lh-cells:not(:hover):not(:focus-within) .lh-o{self.play.value}"
        self.step.value = (f"<style>{cell} + .lh-reveal {{ display: inline }} {cell} {{ stroke-width: 3; "
                           "stroke: var(--jp-content-font-color1, currentColor) }</style>")

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for a page without a kernel (a saved notebook on GitHub) a PNG of its present state."""
        bundle = dict(super()._repr_mimebundle_(**kwargs))
        with contextlib.suppress(Exception):  # the widget itself says what is wrong
            bundle["image/png"] = _png(_explorer_figure(*self._convolution(), self.play.value))
        return bundle


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
    that was named is only read: FileNotFoundError says what is missing, ValueError which file is wrong,
    PermissionError what may not be read. Into data/
    torchvision downloads what is missing or faulty; with no network, scikit-learn's 1,797 digits take MNIST's place,
    and a line says so. A relative $LENET_DATA counts from this file's folder, since kernels run in the notebook's.
    """
    folder, named = _data_folder(root)
    if named:
        return _read_mnist(folder)
    try:
        return _read_mnist(folder)
    except (OSError, ValueError):
        try:
            _download_mnist(folder)
            return _read_mnist(folder)
        except (OSError, RuntimeError, ValueError) as error:  # no network, no room, a login page's answer
            digits = sklearn_digits()
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


def _mnist_files(folder, name):
    """The paths at which a folder has one of MNIST_FILES."""
    places = [place / (name + end) for place in (folder / "MNIST" / "raw", folder) for end in ("", ".gz")]
    return [path for path in places if os.path.isfile(path)]  # Path.is_file raises where one may not look


def _read_mnist(folder):
    try:
        for place in (folder, folder / "MNIST", folder / "MNIST" / "raw"):
            if place.is_dir() and not os.access(place, os.X_OK):  # a folder above may raise the same
                raise PermissionError
    except PermissionError:
        raise PermissionError(_text("not_readable", path=place)) from None
    if not folder.is_dir():
        raise FileNotFoundError(_text("data_no_folder", folder=folder))
    contents = []
    for name in MNIST_FILES:
        paths = _mnist_files(folder, name)
        if not paths:
            raise FileNotFoundError(_text("data_no_file", folder=folder, name=name))
        contents.append(_first_whole(paths, name))
    parts = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in contents]
    train, test = (TensorDataset(images[16:].view(-1, 1, 28, 28), labels[8:].long())  # behind the IDX headers
                   for images, labels in (parts[:2], parts[2:]))
    return Digits(train, test, "MNIST")


def _first_whole(paths, name):
    """The content of the first of these files that is whole; where none is, what is wrong with the first."""
    errors = []
    for path in paths:
        try:
            return _checked_bytes(path, name)
        except (PermissionError, ValueError) as error:
            errors.append(error)
    raise errors[0]


def _checked_bytes(path, name):
    """The plain content of one of MNIST_FILES; ValueError names the file, what is wrong and what to do."""
    size, md5 = MNIST_FILES[name]
    try:
        content = path.read_bytes()
    except PermissionError:
        raise PermissionError(_text("not_readable", path=path)) from None
    if path.suffix == ".gz" and content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, ValueError, zlib.error) as error:
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
    from torchvision.datasets import MNIST as source

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
        for path in _mnist_files(folder, name):  # torchvision trusts any file that exists
            try:
                _checked_bytes(path, name)
            except ValueError:
                path.unlink()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)  # torchvision sets no limit
    try:
        source(folder, download=True)
    finally:
        socket.setdefaulttimeout(before)


def sklearn_digits():
    """scikit-learn's 1,797 real digits as `Digits`: 8x8 pixels in MNIST's style, 20x20 in the middle of 28x28. A fifth,
    always the same, is for the test. Notebook 06, and wherever there is no MNIST."""
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
        line = "{:<6} {:<42} {:>10} {:>10} {:>13}".format
        rows = [line(row.name, row.layer, "x".join(map(str, row.shape)), f"{row.parameters:,}",
                     f"{row.multiply_adds:,}") for row in self]
        total = line("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}")
        return "\n".join([line("name", "layer", "output", "parameters", "multiply-adds"), *rows, total])


def _one(size):
    return size[0] if isinstance(size, (tuple, list)) else size  # torch keeps some sizes as (height, width)


def layer_table(model, input_shape=(1, 28, 28)):
    """What each layer of a model makes and costs for one picture of `input_shape` (channels, n, n): a `LayerTable`.

    Counts convolutions, pooling and linear layers in the order in which the model defines them; sizes come from
    `ConvGeometry`. Raises ValueError where a layer does not fit the one before, or has sizes of another kind
    (padding="same", ceil_mode). Notebook 03.
    """
    rows, shape = LayerTable(), tuple(input_shape)
    for name, layer in model.named_modules():
        parameters = sum(p.numel() for p in layer.parameters(recurse=False))
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            k, s, p, d = map(_one, (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1)))
            if getattr(layer, "ceil_mode", False):
                raise ValueError(_text("layer_ceil", name=name))
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
    """One epoch: its number from 1, mean training loss, accuracy on the test set in [0, 1], seconds of training."""

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
        value = loss.item()
        total += value * len(labels)
        pictures += len(labels)
        if on_batch is not None:
            on_batch(batch, value)
    return total / pictures


def _checked_options(model, digits, epochs, *, batch_size=None, max_lr=0.1, seed=0, save=None, log=None, log_title="", resume=None):
    """What `train` was asked for, as (plan, save, log, log_title, what is to be resumed or None). Raises what is wrong
    with it, and begins nothing: `model` may be in training."""
    if not isinstance(model, nn.Module) or not isinstance(digits, Digits):
        raise TypeError(_text("train_what", model=type(model).__name__, digits=type(digits).__name__))
    plan = {"epochs": _whole("epochs", epochs, 1), "seed": _whole("seed", seed), "max_lr": float(max_lr),
            "batch_size": _whole("batch_size", batch_size or _batch_size(digits), 1), "pictures": len(digits.train)}
    save = save or resume
    if save and log and Path(save).absolute() == Path(log).absolute():
        raise ValueError(_text("same_file", path=save))
    for path in filter(None, (save, log)):
        _check_writable(path)
    return plan, save, log, log_title, _resumable(model, _resume_file(resume), plan) if resume else None


def _training(model, digits, epochs, on_batch=None, **options):
    """The one training loop: a generator of EpochResults, each given when its weights and log are on disk; those of
    an earlier run come first if it is resumed. Raises at once what `train` says.

    SGD with momentum, weight decay and the one-cycle schedule (Smith & Topin, "Super-Convergence", 2017).
    """
    plan, save, log, log_title, saved = _checked_options(model, digits, epochs, **options)
    epochs = plan["epochs"]
    generator = torch.Generator()
    loader = digit_loader(digits.train, plan["batch_size"], shuffle=True, generator=generator)
    model.to(device, memory_format=torch.channels_last)  # pooling is faster so
    optimizer = torch.optim.SGD(model.parameters(), lr=plan["max_lr"], momentum=0.9, weight_decay=5e-4,
                                fused=device.type in ("cpu", "cuda"))
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan["max_lr"], total_steps=epochs * len(loader))
    state, history = {"model": model, "optimizer": optimizer, "scheduler": scheduler}, []
    if saved is not None:
        for name, part in state.items():
            part.load_state_dict(saved[name])
        history = [EpochResult(*result) for result in saved["history"]]

    def keep(evaluation):
        if save:
            content = {name: part.state_dict() for name, part in state.items()}
            _save(content | plan | {"history": [tuple(result) for result in history]}, _resume_file(save))
            save_weights(model, save)
        if log:
            report = [str(evaluation)] if len(history) == epochs else []
            lines = [log_title] * bool(log_title) + [str(result) for result in history] + report
            _write(log, "\n".join([*lines, ""]).encode())

    def epoch_results():
        if len(history) == epochs:  # the earlier run may have ended between two of its last files
            keep(evaluate(model, digits.test))
        yield from history[:]
        while len(history) < epochs:
            epoch = len(history) + 1
            generator.manual_seed((plan["seed"] * 1_000_003 + epoch) % 2**63)  # an epoch's order depends on nothing before it
            started = time.perf_counter()
            loss = train_epoch(model, loader, optimizer, scheduler, on_batch)
            seconds = time.perf_counter() - started
            evaluation = evaluate(model, digits.test)
            history.append(EpochResult(epoch, loss, evaluation.accuracy, seconds))
            keep(evaluation)
            yield history[-1]

    return epoch_results()


def _batch_size(digits):
    return 128 if len(digits.train) > 10_000 else 32  # 128 can die on scikit-learn's 1,437


def _batches(digits, options):
    return math.ceil(len(digits.train) / (options.get("batch_size") or _batch_size(digits)))


def _resume_file(path):
    """What resuming needs besides the weights lies beside them."""
    return Path(str(path).removesuffix(".pt") + ".resume.pt")


def _resumable(model, path, plan):
    """What `_training` saved of a run with this plan; raises what `train` says of other files."""
    saved = _load(path, "nothing_to_resume", "resume_damaged")
    if not isinstance(saved, dict) or not {*plan, "model", "optimizer", "scheduler", "history"} <= saved.keys():
        raise ValueError(_text("resume_damaged", path=path, error="KeyError"))
    old = {name: saved[name] for name in plan}
    if old != plan:
        raise ValueError(_text("resume_differs", old=old, new=plan))
    _check_fits(model, saved["model"], path)
    return saved


def train(model, digits, epochs=20, **options):
    """Trains `model` on `digits` (a `Digits`) with a progress bar; returns a list of `EpochResult`s. Notebooks 04-06.

    Options: `batch_size` (128, or 32 for a small set), `max_lr=0.1` (the highest learning rate of the schedule),
    `seed=0` (order of the pictures), `save` (file for the weights after each epoch), `log` (file for the lesson's
    log), `resume` (the `save` file of a run that was cut off: goes on after its last whole epoch, with the same epochs,
    seed, batch_size, max_lr and data). The model is moved to `lh.device`. The same start, seed, machine and data give
    the same weights, resumed or not. Raises ValueError for epochs, a seed or a batch_size that are no whole numbers or
    too small, one file for both `save` and `log`, and a run to resume that is damaged or another one; OSError for a
    file that cannot be read or written.
    """
    finished = 0

    def on_batch(batch, loss):
        bar.set_description(f"epoch {finished + 1}/{epochs}", refresh=False)
        bar.set_postfix(loss=f"{loss:.3f}", **accuracy, refresh=False)
        bar.update()

    history, accuracy = [], {}
    results = _training(model, digits, epochs, on_batch=on_batch, **options)
    batches = _batches(digits, options)
    with tqdm(total=epochs * batches, unit="batch", leave=False) as bar:
        for result in results:
            history.append(result)
            finished, accuracy = result.epoch, {"accuracy": f"{result.accuracy:.2%}"}
            bar.update(finished * batches - bar.n)
            bar.write(str(result))  # stays in the saved notebook, where a bar would stand at 0% for ever
    return history


class _Stopped(Exception):
    pass


class TrainingRun:
    """A training in the background; as a cell's value, its panel. `train_in_background` makes it. Notebook 04.

    `model`, `epochs`; `history`: the `EpochResult`s so far; `running`; `error`: what ended it, or None.
    """

    def __init__(self, model, digits, epochs, options):
        self.model, self.epochs, self.history, self.running, self.error = model, epochs, [], True, None
        self._results = _training(model, digits, epochs, on_batch=self._on_batch, **options)
        self._batches = _batches(digits, options)
        self._stop, self._done = threading.Event(), threading.Event()
        self._losses, self._recent = [], []  # (epochs, mean loss) for the curve; the losses since its last point
        self._batch = self._first = 0  # batches of the whole run; of an earlier run that this one resumes
        self._began, self._drawn = time.monotonic(), 0.0
        self._body = widgets.HTML()
        self._toggle = widgets.ToggleButton(description=_text("stop"), icon="stop")
        self._toggle.observe(lambda change: self._stop.set(), "value")
        self.panel = widgets.VBox([self._body, self._toggle])
        self._draw()
        threading.Thread(target=self._work, daemon=True).start()

    def wait(self):
        """Returns `history` when the training has ended; raises what ended it, if anything did. An interrupt (Ctrl-C, the
        square button) ends the waiting, not the training."""
        while not self._done.wait(0.2):  # not Thread.join: an interrupt in it leaves a broken state behind
            pass
        if self.error is not None:
            raise self.error
        return self.history

    def stop(self):
        """Ends the training after the batch at hand; returns when it has ended. The epochs finished stay as they are."""
        self._stop.set()
        self._done.wait()

    def _work(self):
        try:
            torch.set_num_threads(_threads_beside_the_kernel())
            for result in self._results:
                self.history.append(result)
                self._draw()
        except _Stopped:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.running = False
            self._draw()  # before `wait` returns
            self._done.set()
            with contextlib.suppress(Exception):
                self._shown.update(self._bundle(), raw=True)

    def _on_batch(self, batch, loss):
        if self._stop.is_set():
            raise _Stopped
        self._batch = len(self.history) * self._batches + batch
        self._first = self._first or self._batch - 1
        self._recent.append(loss)
        if len(self._recent) * 200 >= self.epochs * self._batches:  # 200 points are a curve
            self._losses.append((self._batch / self._batches, sum(self._recent) / len(self._recent)))
            self._recent = []
        if time.monotonic() - self._drawn > 0.25:
            self._draw()

    def _draw(self):
        """Writes the panel's text. Only widget values change: a print would land in whatever cell is running."""
        with contextlib.suppress(Exception):  # a fault in drawing must not end the training
            self._drawn = time.monotonic()
            self._body.value = _panel_html(self._status(), self.error, self._batch / self._batches / self.epochs,
                                           self._losses, self.history, self.epochs)
            self._toggle.disabled = not self.running

    def _status(self):
        done = len(self.history)
        if self.running:
            here = self._batch - self._first
            left = here and (time.monotonic() - self._began) / here * (self.epochs * self._batches - self._batch)
            return _text("run_running", epoch=min(done + 1, self.epochs), epochs=self.epochs,
                         left=f"{int(left) // 60}:{int(left) % 60:02d}" if here else "?",
                         clock=time.strftime("%H:%M:%S"))
        key = "run_failed" if self.error else "run_done" if done == self.epochs else "run_stopped"
        return _text(key, done=done, epochs=self.epochs, clock=time.strftime("%H:%M:%S"))

    def _ipython_display_(self):
        self._shown = display(self._bundle(), raw=True, display_id=True)

    def _bundle(self):
        """The panel, and once there are epochs a PNG of the curves for a page without a kernel (a saved notebook): the
        output of the start cell is given anew when the training ends."""
        bundle = self.panel._repr_mimebundle_()
        if self.history:
            fig = Figure(figsize=(9, 2.6), layout="constrained")
            loss, accuracy = fig.subplots(1, 2)
            loss.semilogy(*zip(*self._losses), color="#3070b0")
            accuracy.plot([r.epoch for r in self.history], [100 * r.accuracy for r in self.history], "o-", color="#c05a00")
            for ax, title in ((loss, "training loss"), (accuracy, "test accuracy (%)")):
                ax.set(title=title, xlabel="epoch")
                ax.locator_params(axis="x", integer=True, min_n_ticks=1)
            bundle["image/png"] = _png(fig)
        return bundle


def _threads_beside_the_kernel():
    """A core stays free for the kernel, so that sliders and cells answer while a training runs."""
    return max(1, (os.cpu_count() or 1) - 1)


_run = None  # the latest background training


def train_in_background(model, digits, epochs=20, **options):
    """Like `train`, but returns at once a `TrainingRun`, which goes on while other cells run. Notebook 04.

    Show it as a cell's value to see it train; `.wait()` for the end, `.stop()` to end it. Options as in `train`.
    A second start ends the first run.
    """
    global _run
    if _run is not None:
        _checked_options(model, digits, epochs, **options)  # a mistake does not end the first run
        _run.stop()
    _run = TrainingRun(model, digits, epochs, options)
    return _run


def _panel_html(status, error, fraction, losses, history, epochs):
    """The training panel: status, bar, two curves, the last line of the log. Built anew for each update (1 ms)."""
    width, height, left, gap = 300, 130, 58, 70

    def curve(x0, points, low, high, ticks, color, title):
        def at(x, y):
            return (x0 + width * x / epochs, 24 + height * (1 - (min(max(y, low), high) - low) / (high - low)))
        grid = "".join(f'<line x1="{x0}" x2="{x0 + width}" y1="{at(0, y)[1]:.0f}" y2="{at(0, y)[1]:.0f}" class="lh-grid"/>'
                       f'<text x="{x0 - 6}" y="{at(0, y)[1] + 4:.0f}" text-anchor="end">{text}</text>' for y, text in ticks)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
                       for x, y in (at(*point) for point in points[-1:]))
        axis = "".join(f'<text x="{at(e, low)[0]:.0f}" y="{height + 42}" text-anchor="middle">{e}</text>'
                       for e in range(0, epochs + 1, max(1, epochs // 5)))
        return (f'<text x="{x0}" y="14">{title}</text>{grid}{axis}'
                f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>{dots}')

    accuracies = [(result.epoch, result.accuracy) for result in history]
    floor = min([0.9, *(math.floor(accuracy * 10) / 10 for _, accuracy in accuracies)])
    charts = curve(left, [(x, math.log10(max(loss, 1e-9))) for x, loss in losses], -4, 0.5,
                   [(-y, f"{10 ** -y:g}") for y in range(5)], "#3070b0", _text("run_loss")) + curve(
        left + width + gap, accuracies, floor, 1.0,
        [(floor + (1 - floor) * k / 2, f"{floor + (1 - floor) * k / 2:.0%}") for k in range(3)], "#c05a00",
        _text("run_accuracy"))
    last = html.escape(str(history[-1])) if history else ""
    fault = f'<pre class="lh-fault">{html.escape(f"{type(error).__name__}: {error}")}</pre>' if error else ""
    return (f'<style>.lh-run {{font-size: 14px; line-height: 1.5; max-width: 740px}} .lh-run svg text {{font-size: 13px; '
            f'fill: var(--jp-content-font-color1, #222)}} .lh-grid {{stroke: var(--jp-border-color2, #ddd)}} '
            f'.lh-bar {{height: 10px; background: var(--jp-border-color2, #ddd)}} .lh-bar div {{height: 10px; '
            f'background: #3070b0}} .lh-fault {{color: #cc3311; white-space: pre-wrap; margin: 4px 0}}</style>'
            f'<div class="lh-run"><b>{html.escape(status)}</b>'
            f'<div class="lh-bar" role="progressbar" aria-valuenow="{fraction:.0%}">'
            f'<div style="width: {fraction:.1%}"></div></div>{fault}'
            f'<svg width="{left + 2 * width + gap + 20}" height="{height + 48}" role="img" '
            f'aria-label="{_text("run_loss")}, {_text("run_accuracy")}">{charts}</svg><pre>{last}</pre></div>')


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
    images, labels = _tensors(dataset)
    logits = _logits(model, images)
    predictions = logits.argmax(1)
    confusion = torch.bincount(10 * labels + predictions, minlength=100).view(10, 10).numpy()
    correct, total = confusion.diagonal(), confusion.sum(axis=1)
    return Evaluation(F.cross_entropy(logits, labels).item(), float(correct.sum() / total.sum()), correct, total,
                      confusion, predictions, logits)


def _tensors(dataset):
    if not isinstance(dataset, TensorDataset):
        raise TypeError(_text("which_dataset", found=type(dataset).__name__))
    return dataset.tensors


@torch.no_grad()
def _logits(model, images):
    """Logits (N, 10), on the CPU, of images (N, 1, 28, 28), uint8 or float. Runs a copy of the model in eval mode, so
    that a training in another thread is not disturbed."""
    model = copy.deepcopy(model).eval()
    place = next(model.parameters()).device
    return torch.cat([model(_as_float(part.to(place))).cpu() for part in images.split(500)])


def save_weights(model, path):
    """Writes the model's `state_dict` to a file, which appears whole or not at all. Notebook 04."""
    _save({name: value.cpu().contiguous() for name, value in model.state_dict().items()}, path)


def load_weights(model, path):
    """Loads what `save_weights` wrote into a model, and returns it. Notebooks 00, 06.

    Raises FileNotFoundError, PermissionError, or ValueError for a file that is damaged, is not this model's, or holds
    more than numbers (torch's weights_only: nothing in the file is run).
    """
    state = _load(Path(path), "no_weights", "weights_damaged")
    _check_fits(model, state, path)
    model.load_state_dict(state)
    return model


def _load(path, missing, damaged):
    """What `torch.save` wrote to a file, on the CPU, without running anything in it. Raises FileNotFoundError and
    ValueError with these texts, and PermissionError."""
    if not os.path.isfile(path):
        raise FileNotFoundError(_text(missing, path=path))
    try:
        content = path.read_bytes()
        if zipfile.ZipFile(io.BytesIO(content)).testzip():  # torch does not compare the checksums
            raise zipfile.BadZipFile
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except PermissionError:
        raise PermissionError(_text("not_readable", path=path)) from None
    except Exception as error:  # a damaged file raises whatever its first bad byte makes of it
        raise ValueError(_text(damaged, path=path, error=type(error).__name__)) from None


def _check_fits(model, state, path):
    """Raises ValueError where the weights `state`, read from a file, are another network's."""
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items() if isinstance(value, torch.Tensor)} \
        if isinstance(state, dict) else {}
    if found != wanted:
        name = next((name for name in wanted if found.get(name) != wanted[name]), next(iter(found.keys() - wanted), ""))
        raise ValueError(_text("weights_foreign", path=path, name=name, found=found.get(name), wanted=wanted.get(name)))


def _save(content, path):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    _write(path, buffer.getvalue())


def _write(path, content):
    """Writes bytes beside the file and renames: a reader sees the old file or the new one, never half of one."""
    path = Path(path)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")  # two kernels may write the same file
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OSError(_text("cannot_write", path=path, error=error.strerror or error)) from None


def _check_writable(path):
    """Raises OSError now for a file that could not be written after an epoch; makes its folder."""
    path = Path(path)
    test = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.test")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError(_text("no_file"))
        test.write_bytes(b"")
        test.unlink()
    except OSError as error:
        raise OSError(_text("cannot_write", path=path, error=error.strerror or error)) from None


# ------------------------------------------------------------------------------------------------- pictures

RIGHT, WRONG = "#117733", "#cc3311"  # green and red that the colour-blind can tell


def _base64(write):
    """What `write(file)` writes, as text for a page."""
    file = io.BytesIO()
    write(file)
    return base64.b64encode(file.getvalue()).decode()


def _png(fig, **options):
    return _base64(lambda file: fig.savefig(file, format="png", **options))


def _blank(*size):
    """An empty figure of a size in inches, closed for pyplot: a notebook shows it once, as the cell's value."""
    fig = plt.figure(figsize=size, layout="constrained")
    plt.close(fig)
    return fig


def _figure(*args, figsize, **kwargs):
    """A `_blank` figure and its axes."""
    fig = _blank(*figsize)
    return fig, fig.subplots(*args, **kwargs)


def _show_digit(ax, image, title, color="black"):
    ax.imshow(image.squeeze().numpy(), cmap="gray_r")
    ax.set_title(title, color=color, fontsize=11)
    ax.set_axis_off()


def _show_table(ax, table, title, colors, low, high, frame=None, numbers=0, **options):
    """A table of numbers (height, width) as a picture. frame: (column, row, pixels) of a window to mark; numbers: font
    size of the values to write into the cells, 0 for none."""
    ax.imshow(table.numpy(), cmap=colors, vmin=low, vmax=high, **options)
    ax.set(xticks=[], yticks=[])
    ax.set_title(_minus(title), fontsize=11)
    if frame is not None:
        column, row, pixels = frame
        ax.add_patch(plt.Rectangle((column - 0.5, row - 0.5), pixels, pixels, fill=False, ec="#d55e00", lw=3))
    if numbers:
        for (i, j), value in np.ndenumerate(table.numpy()):
            dark = abs(value) > high / 2 and low == 0  # a grey's; orange and blue are never dark
            ax.text(j, i, _short(round(value.item(), 2)), ha="center", va="center", fontsize=numbers, color="white" if dark else "black")


def show_predictions(model, dataset, n=20):
    """The first `n` pictures of a dataset, each with "guess (label)": green if right, red with a cross if wrong.
    Returns a Figure. Notebook 04."""
    images, labels = (tensor[:n] for tensor in _tensors(dataset))
    guesses = _logits(model, images).argmax(1)
    fig, axes = _figure(math.ceil(n / 10), min(n, 10), figsize=(11, 1.5 * math.ceil(n / 10)), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, image, guess, label in zip(axes.flat, images, guesses.tolist(), labels.tolist()):
        _show_digit(ax, image, f"{guess} ({label})" + " ✗" * (guess != label), RIGHT if guess == label else WRONG)
    return fig


def show_mistakes(evaluation, dataset, n=10):
    """The `n` worst mistakes (the surest wrong guesses): what the network thought of each. A Figure. Notebook 04."""
    images, labels = _tensors(dataset)
    probabilities = evaluation.logits.softmax(1)
    sure = probabilities.nan_to_num().max(1).values.where(evaluation.predictions != labels, -1.0)
    worst = [i for i in sure.argsort(descending=True)[:n].tolist() if sure[i] >= 0]
    rows = max(1, math.ceil(len(worst) / 5))
    fig, axes = _figure(rows, 5, figsize=(11, 2.6 * rows), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    if not worst:
        fig.suptitle(f"no mistake in {len(labels)} pictures")
    for ax, i in zip(axes.flat, worst):
        guess, label = int(evaluation.predictions[i]), int(labels[i])
        _show_digit(ax, images[i], f"#{i}: it is {label} ({probabilities[i, label]:.1%})\n"
                                   f"network says {guess} ({probabilities[i, guess]:.1%})", WRONG)
    return fig


def show_confusion(evaluation):
    """The confusion matrix: rows are the labels, columns the guesses. Returns a Figure. Notebook 04."""
    from sklearn.metrics import ConfusionMatrixDisplay

    fig, ax = _figure(figsize=(7, 6))
    norm = matplotlib.colors.PowerNorm(0.3)  # else the few mistakes vanish beside the many right ones
    shown = ConfusionMatrixDisplay(evaluation.confusion).plot(ax=ax, cmap="Blues", colorbar=False, im_kw={"norm": norm})
    for text, shade in zip(shown.text_.flat, norm(evaluation.confusion).flat):  # sklearn's choice knows no norm
        text.set_color("white" if shade > 0.5 else "black")
    ax.set(xlabel="the network's guess", ylabel="true digit")
    return fig


def show_filters(model):
    """The kernels of the model's first convolution: blue below zero, orange above. Returns a Figure. Raises ValueError
    for a model without one. Notebook 04."""
    weights = next((m.weight.detach().cpu()[:, 0] for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    if weights is None:
        raise ValueError(_text("no_convolution"))
    fig, axes = _figure(1, len(weights), figsize=(1.9 * len(weights), 2.1), squeeze=False)
    for number, (ax, weight) in enumerate(zip(axes.flat, weights)):
        _show_table(ax, weight, f"kernel {number}", *_scale(weights))
    fig.colorbar(ax.images[0], ax=axes, shrink=0.8)
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
        with matplotlib.rc_context({"svg.hashsalt": "lenet5"}):  # the same file each time
            fig.savefig(path, format="svg", metadata={"Date": None})
    return fig


LAYERS = ["c1", "s2", "c3", "s4", "fc1", "fc2", "fc3"]
MAPS_IN_A_ROW = {"input": 1, "c1": 6, "s2": 6, "c3": 8, "s4": 8}


@torch.no_grad()
def _activations(model, image):
    """What each layer hands on for one picture, caught by forward hooks of the model's own pass: {"input": (1, 28, 28),
    "c1": (6, 28, 28), ..., "fc3": (10,)} on the CPU. c1, c3, fc1 and fc2 are given as the next layer takes them: after
    ReLU. Raises ValueError for a picture of another size and for a model that lacks one of LAYERS."""
    image = torch.as_tensor(image)
    if image.numel() != 28 * 28:
        raise ValueError(_text("image_shape", found=tuple(image.shape)))
    model = copy.deepcopy(model).eval()  # hooks on the model itself would catch the batches of a training, too
    taken, given = {}, {}
    for name in LAYERS:
        def keep(layer, inputs, output, name=name):
            taken[name], given[name] = inputs[0][0].cpu(), output[0].cpu()
        if not hasattr(model, name):
            raise ValueError(_text("no_layer", name=name))
        getattr(model, name).register_forward_hook(keep)
    steps = {"input": _as_float(image.reshape(1, 28, 28))}
    model(steps["input"].to(next(model.parameters()).device)[None])
    for name, following in zip(LAYERS, [*LAYERS[1:], None]):
        steps[name] = given[name] if name in ("s2", "s4", "fc3") else taken[following]
    return steps


def _grid(name, values):
    """A layer's maps (n, h, w), or neurons (n,), in one picture (H, W) from 0 to 1, their largest value (the input: 1)."""
    values = (values if name == "input" else values / values.max().clamp(min=1e-9)).clamp(0, 1)
    if values.dim() == 1:
        return values[None]
    from torchvision.utils import make_grid

    return make_grid(values[:, None], nrow=MAPS_IN_A_ROW[name], padding=1, pad_value=0.25)[0]


def _layer_title(name, values, after_relu):
    size = f"{len(values)}@{values.shape[1]}x{values.shape[2]}" if values.dim() == 3 else len(values)
    return f"{name if name == 'input' else name.upper()}: {size}{after_relu if name in ('c1', 'c3', 'fc1', 'fc2') else ''}"


def show_layers(model, image):
    """What every layer makes of one picture (28, 28) or (1, 28, 28), uint8 or float in [0, 1], and the ten probabilities.

    C1, C3, FC1 and FC2 are shown after ReLU; white is 0, black the layer's largest value. Returns a Figure. Raises
    ValueError for a picture of another size and for a model that lacks a layer of that name. Notebook 03.
    """
    fig = _blank(11, 5.6)
    grid = fig.add_gridspec(4, 3, width_ratios=[1.7, 4, 3.2], height_ratios=[5, 5, 1, 1])
    places = {"input": grid[0, 0], "c1": grid[0, 1], "s2": grid[0, 2], "c3": grid[1, 1], "s4": grid[1, 2],
              "fc1": grid[2, 1:], "fc2": grid[3, 1:]}
    steps = _activations(model, image)
    for name, place in places.items():
        _show_table(fig.add_subplot(place), _grid(name, steps[name]), _layer_title(name, steps[name], " after ReLU"),
                    "gray_r", 0, 1, aspect="equal" if steps[name].dim() == 3 else "auto")
    probabilities = steps["fc3"].softmax(0).numpy()
    ax = fig.add_subplot(grid[1:, 0])
    ax.barh(range(10), probabilities, color=["#c05a00" if p == probabilities.max() else "#999999" for p in probabilities])
    ax.set(xlim=(0, 1), ylim=(9.6, -0.6), yticks=range(10), xticks=[0, 1])
    ax.set_title(f"guess: {probabilities.argmax()} ({probabilities.max():.1%})", fontsize=11)
    return fig


def explain_cell(model, image, layer, channel, row, column):
    """Why a cell of a feature map has its value: the patch that it looked at, times the kernel, channel by channel, the
    bias, the sum and ReLU; for a pooling layer, the patch and its largest value. All numbers count from 0.

    layer: "c1", "s2", "c3" or "s4"; image as in `show_layers`, whose maps have the same values. Returns a Figure. Raises
    ValueError for another layer or picture, and for a cell that the map does not have. Notebook 00.
    """
    if layer not in ("c1", "s2", "c3", "s4"):
        raise ValueError(_text("explain_layer", layer=repr(layer)))
    model = copy.deepcopy(model)  # one and the same weights for maps and sum, should it be in training
    steps, module = _activations(model, image), getattr(model, layer)
    below = ["input", *LAYERS][LAYERS.index(layer)]
    source, maps = steps[below], steps[layer]
    for name, at, n in zip(("channel", "row", "column"), (channel, row, column), maps.shape):
        if not hasattr(at, "__index__") or at not in range(n):
            raise ValueError(_text("explain_cell", name=name, at=repr(at), layer=layer, last=n - 1))
    g = ConvGeometry(source.shape[-1], *(_one(getattr(module, name)) for name in ("kernel_size", "stride", "padding")))
    source = F.pad(source, [g.padding] * 4).double()
    value = maps[channel, row, column].item()
    if isinstance(module, nn.Conv2d):
        numbers = range(len(source))  # of the maps that it looks at
        weights = module.weight.detach().cpu().double()[channel]
    else:
        numbers, source = [channel], source[[channel]]
    patch = source[:, g.window(row)][:, :, g.window(column)]
    stages = [("patch", patch, source)]  # title, tables, what their colours are to be scaled by
    if isinstance(module, nn.Conv2d):
        products = patch * weights
        sums = products.sum((1, 2)).tolist()
        bias = 0 if module.bias is None else module.bias[channel].item()
        stages += [("kernel", weights, weights), ("patch x kernel", products, products)]
        reason = (f"{' '.join(f'{s:+.3f}' for s in sums)}   {bias:+.3f} (bias)   =  {sum(sums) + bias:.3f},   "
                  f"after ReLU: {value:.3f}")
    else:
        reason = f"the largest of {', '.join(f'{v:.3f}' for v in patch.flatten())} is {value:.3f}"

    alone = len(numbers) == 1  # one map: from left to right, with numbers; several: each from top to bottom
    fig = _blank(11, 3 if alone else 6.6)
    fig.suptitle(_minus(f"{layer.upper()}, map {channel}, row {row}, column {column}:   {reason}"), fontsize=12)
    grid = fig.add_gridspec(*((1, len(stages) + 2) if alone else (len(stages) + 1, len(numbers) + 2)))

    def picture(place, table, whole, title, frame=None):
        _show_table(fig.add_subplot(place), table, title, *_scale(whole), frame, 8 if alone and frame is None else 0)

    for c, number in enumerate(numbers):
        title = "input" if below == "input" else f"{below.upper()}, map {number}"
        picture(grid[0, 0] if alone else grid[0, c], source[c], source, title,
                (g.window(column)[0], g.window(row)[0], g.span))
        for k, (title, tables, whole) in enumerate(stages, 1):
            title += f"\nsum {sums[c]:+.3f}" if k == 3 else ""
            picture(grid[0, k] if alone else grid[k, c], tables[c], whole, title)
    picture(grid[0, -1] if alone else grid[1:3, -2:], maps[channel], maps, f"{layer.upper()}, map {channel}\n"
            f"value {value:.3f}", (column, row, 1))
    return fig


def _minus(text):
    return text.replace("-", "−")


# ------------------------------------------------------------------------------------------------- draw pad

SIDE, PEN = 112, 7  # of a drawing, and of its pen, in pixels

SAMPLES = {  # a digit's strokes; each point is xxyy, in hundredths of the pad
    0: "5417 4817 4219 3624 3232 2941 2850 2960 3270 3777 4382 5083 5680 6275 6767 7058 7148 7038 6730 6224 5719 5217 4817",
    1: "4030 4427 4822 5317 5328 5340 5251 5162 5173 5084",
    2: "3034 3228 3522 4118 4816 5617 6220 6626 6734 6542 6050 5259 4467 3675 2982 3981 5080 6180 7381",
    3: "3125 3720 4317 5116 5818 6323 6629 6436 6042 5445 4648 5348 6050 6655 7062 6970 6577 5882 4984 4182 3278",
    4: "3618 3427 3336 3244 3052 3953 4853 5952 7051, 6022 5937 5852 5768 5684",
    5: "6818 6018 5219 4520 3820 3726 3633 3540 3546 4344 5043 5845 6450 6756 6764 6472 5879 5083 4284 3682 3078",
    6: "6216 5522 4828 4237 3746 3455 3364 3573 4080 4783 5483 6180 6674 6767 6660 6155 5553 4854 4258 3863 3568",
    7: "2920 3820 4820 5920 7119 6531 6042 5652 5262 4973 4784",
    8: "6528 6022 5517 4817 4119 3724 3531 3837 4343 5048 5753 6359 6666 6474 6080 5383 4684 3981 3475 3468 3761 4355 5050 5745 6240 6434 6628",
    9: "6430 6023 5518 4817 4220 3726 3533 3741 4247 4848 5545 6039 6432 6345 6258 6171 5984",
}


def sample_drawing(digit):
    """A digit from 0 to 9 drawn by hand, as `DrawPad.drawing` takes it: uint8 (112, 112). Notebook 00."""
    strokes = [[(int(point[:2]) / 100, int(point[2:]) / 100) for point in stroke.split()]
               for stroke in SAMPLES[digit].split(",")]
    return _drawing(strokes)


def _drawing(strokes, pen=PEN):
    """Polylines of points (x, y) in the unit square, drawn with a round pen: uint8 (112, 112)."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    distance = np.full((SIDE, SIDE), np.inf)
    for stroke in strokes:
        points = np.array(stroke, float) * SIDE
        for (x0, y0), (dx, dy) in zip(points, [*np.diff(points, axis=0), (0, 0)]):  # a lone point is a dot
            along = (((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9)).clip(0, 1)
            distance = np.minimum(distance, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.rint(255 * (pen / 2 + 0.5 - distance).clip(0, 1)).astype(np.uint8)


def to_mnist_style(drawing):
    """A drawing as MNIST's makers would have stored it: its longer side scaled to 20 pixels (averaging, not picking
    pixels), then its centre of mass put in the middle of 28x28. Float tensor (1, 28, 28) in [0, 1]. Notebook 00.

    drawing: grey levels (H, W), each side at least 28, 0 is empty; uint8, or floats up to 1 or up to 255, array or
    tensor. Raises ValueError for other shapes and levels, NaN, and an empty drawing.
    """
    ink = _grey(drawing)
    rows, columns = (np.flatnonzero(ink.amax(axis).numpy() > ink.max().item() / 10) for axis in (1, 0))  # faint is not ink
    if not ink.any():
        raise ValueError(_text("drawing_empty"))
    ink = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    height, width = (max(1, round(20 * n / max(ink.shape))) for n in ink.shape)
    ink = F.interpolate(ink[None, None], (height, width), mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
    top, left = (_offset(ink.sum(axis)) for axis in (1, 0))
    return F.pad(ink, (left, 28 - width - left, top, 28 - height - top))[None]


def _offset(ink):
    """Where a row of ink (n,) begins so that its centre of mass is at 14 of 28, as in MNIST, but none of it is lost."""
    mass = (ink * torch.arange(len(ink))).sum().item() / ink.sum().item()
    return min(max(round(14 - mass), 0), 28 - len(ink))


def _grey(drawing):
    """Grey levels as a float32 tensor (H, W) in [0, 1]; raises what `to_mnist_style` says, but for an empty drawing."""
    try:
        ink = torch.as_tensor(drawing).detach().cpu()
        unit = ink.dtype == torch.bool or ink.is_floating_point() and ink.numel() and not ink.max() > 1
        ink = ink.to(torch.float32) / (1 if unit else 255)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(_text("drawing_type", found=type(drawing).__name__)) from None
    if ink.dim() != 2 or min(ink.shape) < 28:
        raise ValueError(_text("drawing_shape", found=tuple(ink.shape)))
    if not (ink.min() >= 0 and ink.max() <= 1):  # NaN is neither
        raise ValueError(_text("drawing_levels"))
    return ink


PAD_JS = """
function render({ model, el }) {
  el.innerHTML = model.get("_page");
  const SIDE = Math.sqrt(model.get("_ink").byteLength);
  const part = name => el.querySelector(".lh-pad-" + name);
  const canvas = part("canvas"), ink = canvas.getContext("2d"), scale = canvas.width / SIDE;
  const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE })
    .getContext("2d", { willReadFrequently: true });
  small.imageSmoothingQuality = "high";
  let tool = "pen", pointer = null, last = null, sent = null, timer = 0, patience = 0;

  const levels = () => {
    const view = model.get("_ink");
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  };
  const expect = () => {  // no answer: a cell runs, or the kernel is gone
    clearTimeout(patience);
    patience = setTimeout(() => { part("waiting").hidden = false; }, 2500);
  };
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    small.clearRect(0, 0, SIDE, SIDE);
    small.drawImage(canvas, 0, 0, SIDE, SIDE);
    const rgba = small.getImageData(0, 0, SIDE, SIDE).data, old = levels();
    const now = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => rgba[4 * i + 3]);
    if (now.every((level, i) => level === old[i])) return;
    sent = new DataView(now.buffer);
    model.set("_ink", sent);
    model.save_changes();
    expect();
  };
  const show = () => {
    if (model.get("_ink") === sent) return;  // drawn here
    const picture = new ImageData(SIDE, SIDE);
    levels().forEach((level, i) => { picture.data[4 * i + 3] = level; });
    small.putImageData(picture, 0, 0);
    ink.globalCompositeOperation = "copy";
    ink.drawImage(small.canvas, 0, 0, canvas.width, canvas.height);
  };
  const follow = () => {
    part("view").innerHTML = model.get("_view");
    clearTimeout(patience);
    part("waiting").hidden = true;
  };
  const settings = () => {
    part("centre").checked = model.get("centre");
    part("network").value = model.get("network");
  };
  const set = (name, value) => { model.set(name, value); model.save_changes(); expect(); };
  const line = event => {
    const box = canvas.getBoundingClientRect(), zoom = canvas.width / box.width;
    const point = [(event.clientX - box.left) * zoom, (event.clientY - box.top) * zoom];
    ink.beginPath();
    ink.moveTo(...(last ?? [point[0] - 0.1, point[1]]));
    ink.lineTo(...point);
    ink.stroke();
    last = point;
  };

  canvas.onpointerdown = event => {
    const rubber = tool === "eraser" || event.buttons & 32;  // a pen's other end
    if (pointer !== null || event.button > 0 && !rubber) return;
    event.preventDefault();
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    ink.globalCompositeOperation = rubber ? "destination-out" : "source-over";
    ink.lineWidth = scale * model.get("_pen") * (rubber ? 2.5 : 1);
    ink.lineCap = ink.lineJoin = "round";
    last = null;
    line(event);
  };
  canvas.onpointermove = event => {
    if (event.pointerId !== pointer) return;
    const steps = event.getCoalescedEvents?.() ?? [];
    (steps.length ? steps : [event]).forEach(line);
    timer ||= setTimeout(send, 200);
  };
  canvas.onpointerup = canvas.onpointercancel = event => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    send();
  };
  const tools = [...el.querySelectorAll("[data-tool]")];
  tools.forEach(button => {
    button.onclick = () => {
      tool = button.dataset.tool;
      tools.forEach(other => other.setAttribute("aria-pressed", other === button));
      canvas.style.cursor = tool === "eraser" ? "cell" : "crosshair";
    };
  });
  part("clear").onclick = () => {
    ink.clearRect(0, 0, canvas.width, canvas.height);
    tools[0].click();
    send();
  };
  el.querySelectorAll("[data-sample]").forEach(button => {
    button.onclick = () => { model.send({ sample: Number(button.dataset.sample) }); expect(); };
  });
  part("centre").onchange = event => set("centre", event.target.checked);
  part("network").onchange = event => set("network", event.target.value);
  const listeners = { "change:_ink": show, "change:_view": follow, "change:centre change:network": settings };
  for (const [event, act] of Object.entries(listeners)) { model.on(event, act); act(); }
  return () => { for (const [event, act] of Object.entries(listeners)) model.off(event, act); };
}
export default { render };
"""

PAD_CSS = """
.lh-pad { display: grid; grid-template: "options options" "board answer" "maps maps" / 280px 1fr; gap: 8px 24px;
  width: 980px; max-width: 100%; padding: 2px; font: 14px/1.35 var(--jp-ui-font-family, sans-serif);
  color: var(--jp-content-font-color1, #222) }
.lh-pad [hidden] { display: none !important }
.lh-pad-options { grid-area: options; display: flex; flex-wrap: wrap; gap: 4px 22px; align-items: center }
.lh-pad-board { grid-area: board; position: relative }
.lh-pad-answer { grid-area: answer; display: flex; gap: 26px; min-height: 318px }
.lh-pad-maps { grid-area: maps; display: flex; flex-wrap: wrap; gap: 6px 24px; align-content: flex-start; min-height: 292px }
.lh-pad-view { display: contents }
.lh-pad canvas { display: block; width: 280px; height: 280px; background: white; touch-action: none; cursor: crosshair;
  outline: 1px solid #888 }
.lh-pad-tools { display: flex; gap: 6px; margin-top: 8px }
.lh-pad-tools button { flex: 1 }
.lh-pad button, .lh-pad select { font: inherit; min-width: 28px; min-height: 30px; padding: 0 8px; cursor: pointer;
  color: inherit; background: var(--jp-layout-color2, #eee); border: 1px solid var(--jp-border-color1, #bbb);
  border-radius: 3px }
.lh-pad button:hover { background: var(--jp-layout-color3, #ddd) }
.lh-pad button[aria-pressed="true"] { background: #2b6cb0; border-color: #2b6cb0; color: white }
.lh-pad :focus-visible { outline: 2px solid #2b6cb0; outline-offset: 2px }
.lh-pad-samples { display: flex; gap: 3px; align-items: center }
.lh-pad label { display: flex; gap: 6px; align-items: center; cursor: pointer }
.lh-pad img { display: block; image-rendering: pixelated; outline: 1px solid #999 }
.lh-pad figure { margin: 0 }
.lh-pad figcaption { white-space: nowrap; font-size: 13px; margin-bottom: 2px; color: var(--jp-content-font-color2, #555) }
.lh-pad-sentence { font-size: 22px; max-width: 420px; align-self: center }
.lh-pad-guess { width: 150px }
.lh-pad-guess b { font-size: 92px; line-height: 1.05; font-weight: 600; margin-right: 8px }
.lh-pad-guess p { margin: 0 0 14px }
.lh-pad-guess .lh-pad-second b { font-size: 38px }
.lh-pad table { border-collapse: collapse; align-self: flex-start }
.lh-pad th { font-weight: normal; font-size: 13px; color: var(--jp-content-font-color2, #555); padding: 0 5px }
.lh-pad td { padding: 0 5px; height: 27px; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.lh-pad td div { height: 16px; min-width: 1px; background: #888 }
.lh-pad-best td { font-weight: 600 }
.lh-pad-best td div { background: #d55e00 }
.lh-pad-waiting { position: absolute; top: 0; padding: 6px 8px; background: white; color: #cc3311; pointer-events: none }
.lh-pad-fault { align-self: flex-start; margin: 0; padding: 8px; background: white; color: #cc3311; white-space: pre-wrap }
"""


class DrawPad(anywidget.AnyWidget):
    """A pad to draw a digit on and, as one draws, what a network makes of it: the picture it sees, its guesses, the ten
    probabilities and the maps of every layer. Notebook 00.

    models: a model with the layers of `LeNet5`, or {name: model} to choose from. A model may be in training meanwhile:
    a copy of it runs. `drawing`: uint8 (112, 112), 0 is empty, a copy; set it, and the page follows; it takes what
    `to_mnist_style` takes, of that size, and may be empty. `centre`: whether `to_mnist_style` is used. `network`: the
    chosen name. `image`: float (1, 28, 28), what the network sees. Raises ValueError for anything else.
    """

    _esm, _css = PAD_JS, PAD_CSS
    centre = traitlets.Bool(True).tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    _ink = traitlets.Bytes(bytes(SIDE * SIDE)).tag(sync=True, from_json=lambda value, _: bytes(value or b""),
                                                   echo_update=False)
    _pen = traitlets.Int(PEN).tag(sync=True)
    _page, _view = traitlets.Unicode().tag(sync=True), traitlets.Unicode().tag(sync=True)

    def __init__(self, models):
        self._models = {str(name): model for name, model in models.items()} if isinstance(models, dict) else {"": models}
        if not self._models or not all(isinstance(model, nn.Module) for model in self._models.values()):
            raise ValueError(_text("pad_models"))
        self._busy, self._updates = threading.RLock(), 0  # a page's message may come in a thread of its own
        super().__init__(network=next(iter(self._models)), _page=_pad_page(self._models))
        self.observe(self._update, ["_ink", "centre", "network"])
        self.on_msg(lambda pad, content, buffers: setattr(pad, "drawing", sample_drawing(content["sample"])))
        self._update()

    @property
    def drawing(self):
        return np.frombuffer(self._ink, np.uint8).reshape(SIDE, SIDE).copy()

    @drawing.setter
    def drawing(self, value):
        ink = _grey(value)
        if ink.shape != (SIDE, SIDE):
            raise ValueError(_text("pad_drawing", found=tuple(ink.shape), side=SIDE))
        self._ink = (ink * 255).round().to(torch.uint8).numpy().tobytes()

    @property
    def image(self):
        drawing = self.drawing
        return to_mnist_style(drawing) if self.centre and drawing.any() else F.interpolate(
            _grey(drawing)[None, None], 28, mode="area")[0]

    @traitlets.validate("network")
    def _known_network(self, proposal):
        if proposal["value"] not in self._models:
            raise ValueError(_text("pad_network_unknown", name=repr(proposal["value"]), names=", ".join(self._models)))
        return proposal["value"]

    def _update(self, change=None):
        with self._busy:
            try:
                view = _pad_view(self._models[self.network], self.drawing, self.image)
            except Exception as error:  # a page would not say anything by itself
                view = _pad_parts(f'<pre class="lh-pad-fault">{html.escape(f"{type(error).__name__}: {error}")}</pre>')
            self._updates += 1
            self._view = f"{view}<!-- {self._updates} -->"  # always another text: the page waits for it

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for a page without a kernel (a saved notebook on GitHub) a PNG of its present state."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        with contextlib.suppress(Exception):  # the widget itself says what is wrong
            fig = _pad_figure(self._models[self.network], self.drawing, self.image)
            data = {**data, "image/png": _png(fig, bbox_inches="tight")}
        return data, metadata


def _no_guess(drawing):
    """Why a drawing is not worth a guess (a key of TEXTS), or None."""
    if not drawing.any():
        return "pad_empty"
    rows, columns = np.nonzero(drawing > 25)
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) < 2 * PEN:
        return "pad_dot"
    return "pad_full" if drawing.mean() > 255 / 2 else None


def _pad_figure(model, drawing, image):
    """The draw pad as a matplotlib Figure: what a saved notebook shows."""
    if not _no_guess(drawing):
        return show_layers(model, image)
    fig = Figure(figsize=(4, 4))
    ax = fig.subplots()
    ax.imshow(drawing, cmap="gray_r", vmin=0, vmax=255)
    ax.set(xticks=[], yticks=[], title="Draw pad: run this cell, then draw a digit")
    return fig


def _pad_page(models):
    """The part of the draw pad that stays: HTML."""
    def button(attributes, text):
        return f'<button type="button" {attributes}>{text}</button>'

    samples = "".join(button(f'data-sample="{digit}"', digit) for digit in SAMPLES)
    names = "".join(f'<option value="{html.escape(name)}">{html.escape(name)}</option>' for name in models)
    tools = button('data-tool="pen" aria-pressed="true"', _text("pad_draw")) + button(
        'data-tool="eraser" aria-pressed="false"', _text("pad_erase")) + button('class="lh-pad-clear"', _text("pad_clear"))
    # the attribute keeps JupyterLab's shortcuts (Enter: edit the cell) off the buttons
    return (f'<div class="lh-pad" data-lm-suppress-shortcuts="true"><div class="lh-pad-options">'
            f'<div class="lh-pad-samples" role="group" aria-label="{_text("pad_samples")}">{_text("pad_samples")} {samples}'
            f'</div><label><input type="checkbox" class="lh-pad-centre">{_text("pad_centre")}</label>'
            f'<label{" hidden" * (len(models) == 1)}>{_text("pad_network")}<select class="lh-pad-network">{names}</select>'
            f'</label></div><div class="lh-pad-board"><canvas class="lh-pad-canvas" width="560" height="560" role="img" '
            f'aria-label="{_text("pad_label")}"></canvas><div class="lh-pad-tools">{tools}</div>'
            f'<div class="lh-pad-waiting" role="status" hidden>{_text("pad_waiting")}</div></div>'
            '<div class="lh-pad-view"></div></div>')


def _pad_view(model, drawing, image):
    """The part of the draw pad that changes with the drawing: HTML."""
    def picture(title, name, values, zoom):
        grid = 1 - _grid(name, values)  # 0 is white, as in the figures
        pixels = Image.fromarray((grid * 255).round().to(torch.uint8).numpy())
        height, width = (16, zoom * len(values)) if values.dim() == 1 else (zoom * n for n in grid.shape)
        return (f'<figure><figcaption>{title}</figcaption><img alt="" width="{width}" height="{height}" '
                f'src="data:image/png;base64,{_base64(lambda file: pixels.save(file, "PNG"))}"></figure>')

    sees = picture(_text("pad_sees"), "input", image, 6)
    reason = _no_guess(drawing)
    if reason:
        return _pad_parts(f'{sees}<div class="lh-pad-sentence" role="status">{_text(reason)}</div>')
    steps = _activations(model, image)
    outputs, probabilities = steps["fc3"], steps["fc3"].softmax(0)
    first, second = probabilities.topk(2).indices.tolist()
    rows = "".join(
        f'<tr{" class=lh-pad-best" * (digit == first)}><td>{digit}</td><td>{_minus(f"{output:z.1f}")}</td><td style="width: 150px">'
        f'<div style="width: {p:.1%}"></div></td><td>{p:.1%}</td></tr>'
        for digit, (output, p) in enumerate(zip(outputs.tolist(), probabilities.tolist())))
    guesses = "".join(f'<p class="lh-pad-{key}">{_text(f"pad_{key}")}<br><b>{digit}</b>{probabilities[digit]:.1%}</p>'
                      for key, digit in (("first", first), ("second", second)))
    maps = "".join(picture(_layer_title(name, steps[name], _text("pad_relu")), name, steps[name], zoom)
                   for name, zoom in (("c1", 3), ("s2", 4), ("c3", 4), ("s4", 7), ("fc1", 8), ("fc2", 8)))
    return _pad_parts(f'{sees}<div class="lh-pad-guess" role="status">{guesses}</div><table><tr><th></th>'
                      f'<th>{_text("pad_output")}</th><th colspan="2">{_text("pad_probability")}</th></tr>{rows}</table>', maps)


def _pad_parts(answer, maps=""):
    """The two places that a view fills, beside the pad and below it, both of them always: the page is not to jump."""
    return f'<div class="lh-pad-answer">{answer}</div><div class="lh-pad-maps">{maps}</div>'


# ------------------------------------------------------------------------------------------------ exercises

CODE_SECONDS = 10  # a student's function that needs longer is taken for an endless loop


@dataclass(frozen=True)
class _Exercise:
    """`why`, `hint` (for any wrong answer) and the keys of `mistakes` are keys of TEXTS; `values` fill in those texts."""

    right: object  # the answer; the output size that `unknowns` must give; where there are `cases`, a function
    why: str
    mistakes: dict  # key of the hint: the answer (or function) to which this mistake leads
    hint: str = "hint_explorer"
    values: dict = field(default_factory=dict)
    tolerance: float = 1e-6
    known: tuple = ()  # the first arguments of ConvGeometry ...
    unknowns: tuple = ()  # ... and the names of those that the answer gives
    cases: tuple = ()  # the arguments of each call of a student's function
    read: object = None  # turns what that function returned into what is compared


def check(name, answer=..., *more):
    """Prints one line on `answer`: a number, a pair of numbers or a function, as the exercise asks; of none, and of
    several (`more`), it says so. Notebooks 01-04.

    A number may be an int, a float, numpy's or a tensor of one element; `None` and `...` are no answer yet. A function
    is tried on many cases, for CODE_SECONDS in all; what it prints is not shown. No answer raises an error.
    """
    name, exercises = str(name), _exercises()
    if name not in exercises:
        near = difflib.get_close_matches(name, exercises, n=3, cutoff=0)
        mark, sentence = "✗", _text("check_unknown", names=", ".join(near))
    elif more:
        shown = ", ".join(map(_brief, (answer, *more)))
        mark, sentence = "✗", _text("check_one_answer", shown=shown)
    elif _is_blank(answer):
        mark, sentence = "…", _text("check_blank")
    else:
        judge = _judge_function if exercises[name].cases else _judge_numbers
        mark, sentence = judge(name, exercises[name], answer)
    print(f"{mark} {' '.join(name.split())[:40]}: {sentence}")


def _exercises():
    with torch.random.fork_rng(devices=[]):  # the layers made here leave a notebook's random numbers alone
        return {**_about_pixels(), **_about_sizes(), **_about_code(), **_about_lenet5(), **_about_training()}


def _about_pixels():
    (corner, middle), (more, _) = ([len(ConvGeometry(28, 5, padding=p).feeds(j)) for j in (0, 14)] for p in (0, 2))
    small, large = (nn.Conv2d(1, 1, k).weight.numel() for k in (3, 5))
    g = ConvGeometry(7, 3)
    reach = len({j for i in g.window(0) for j in g.window(i)})
    return {
        "corner_pixel": _Exercise(corner**2, "why_pixel", {"hint_edge": corner * middle, "hint_middle": middle**2}, "hint_point",
                                  values={"n": corner}),
        "corner_pixel_padding": _Exercise(more**2, "why_pixel", {
            "hint_one_axis": more, "hint_padding_ignored": corner**2, "hint_middle": middle**2}, "hint_point",
                                          {"n": more}),
        "two_3x3_weights": _Exercise(2 * small, "why_weights", {
            "hint_one_layer": small, "hint_product": small**2, "hint_5x5": large}, "hint_again",
            {"small": small, "large": large}),
        "two_3x3_reach": _Exercise(reach, "why_reach", {
            "hint_one_layer": g.span, "hint_reach_sum": 2 * g.span, "hint_product": g.span**2}, "hint_again", {"g": g}),
    }


def _about_sizes():
    same = {k: next(p for p in range(k) if conv_output_size(28, k, padding=p) == 28) for k in (3, 5)}
    g = ConvGeometry(12, 5, stride=3)
    steps = g.padded - g.span
    return {
        "size_lesson": _size_exercise(6, 3),
        "size_padding": _size_exercise(7, 5, padding=3),
        "size_remainder": _size_exercise(11, 5, stride=4),
        "size_dilation": _size_exercise(12, 3, dilation=3),
        "same_padding": _Exercise(28, "why_size", {"hint_both_sides": 2 * same[5], "hint_other_kernel": same[3]},
                                  "hint_gives", known=(28, 5), unknowns=("padding",)),
        "which_stride": _Exercise(g.n_out, "why_size", {
            "hint_ratio": g.n_in // g.n_out, "hint_first_window": steps // g.n_out}, "hint_gives",
            known=(g.n_in, g.kernel_size), unknowns=("stride",)),
        "padding_and_stride": _Exercise(3, "why_size", {"hint_order": [2, 1], "hint_half": [0, 2]}, "hint_gives",
                                        {"half": conv_output_size(6, 3, 2)}, known=(6, 3), unknowns=("padding", "stride")),
    }


def _size_exercise(*args, **kwargs):
    """How large is the output of this convolution? A mistake that makes no difference here is left out."""
    g = ConvGeometry(*args, **kwargs)
    mistakes = {key: n for key, n in _size_mistakes(g).items() if n != g.n_out}
    return _Exercise(g.n_out, "why_size", mistakes, values={"g": g})


def _size_mistakes(g):
    return {
        "hint_no_floor": 1 + (g.padded - g.span) / g.stride,
        "hint_ceil": g.n_out + bool(g.unused),
        "hint_no_plus_one": g.n_out - 1,
        "hint_no_minus_one": replace(g, n_in=g.n_in + 1).n_out,
        "hint_unchanged": g.n_in,
        "hint_stride_ignored": replace(g, stride=1).n_out,
        "hint_padding_once": replace(g, n_in=g.n_in + g.padding, padding=0).n_out,
        "hint_padding_ignored": replace(g, padding=0).n_out,
        "hint_dilation_ignored": replace(g, dilation=1).n_out,
        "hint_dilation_span": replace(g, kernel_size=g.kernel_size * g.dilation, dilation=1).n_out,
    }


def _about_code():
    def size(n_in, kernel_size, stride, padding):
        return conv_output_size(n_in, kernel_size, stride, padding)

    def convolution(image, kernel):
        return F.conv2d(image[None, None], kernel[None, None])[0, 0]

    draw = torch.Generator().manual_seed(0)
    return {
        "my_output_size": _Exercise(
            size, "why_code", {key: lambda *case, key=key: _size_mistakes(ConvGeometry(*case))[key]
                               for key in _size_mistakes(ConvGeometry(6, 3)) if "dilation" not in key},
            cases=((6, 3, 1, 0), *itertools.product(range(7, 13), range(1, 8), range(1, 5), range(4))), read=_number),
        "my_convolution": _Exercise(
            convolution, "why_code", read=_map,
            mistakes={"hint_flipped": lambda image, kernel: convolution(image, kernel.flip(0, 1)),
                      "hint_transposed": lambda image, kernel: convolution(image, kernel.T),
                      "hint_last_window": lambda image, kernel: convolution(image, kernel)[:-1, :-1]},
            cases=tuple((torch.randint(10, (n, n), generator=draw) / 1, torch.randint(-4, 5, (k, k), generator=draw) / 2)
                        for n in range(1, 9) for k in range(1, min(n, 5) + 1))),  # halves: sums without rounding
    }


def _about_lenet5():
    model = LeNet5()
    c1, s2, c3, s4 = layer_table(model)[:4]
    unpadded = layer_table(nn.Sequential(nn.Conv2d(1, 6, 5), model.s2, model.c3, model.s4))[-1]
    w1, w3, inputs = model.c1.weight, model.c3.weight, model.c3.in_channels
    return {
        "c1_parameters": _Exercise(c1.parameters, "why_parameters", {
            "hint_no_bias": w1.numel(), "hint_one_map": c1.parameters // len(w1)}, "hint_layer",
            {"shape": tuple(w1.shape), "bias": len(w1)}),
        "c3_parameters": _Exercise(c3.parameters, "why_parameters", {
            "hint_no_bias": w3.numel(), "hint_one_map": c3.parameters // len(w3),
            "hint_no_channels": w3.numel() // inputs + len(w3)}, "hint_layer",
            {"shape": tuple(w3.shape), "bias": len(w3)}),
        "c3_multiply_adds": _Exercise(c3.multiply_adds, "why_multiply_adds", {
            "hint_no_channels": c3.multiply_adds // inputs, "hint_one_position": w3.numel(),
            "hint_input_size": w3.numel() * math.prod(s2.shape[1:])}, "hint_work",
            {"outputs": math.prod(c3.shape), "each": w3[0].numel()}),
        "fc1_inputs": _Exercise(model.fc1.in_features, "why_flatten", {
            "hint_c1_padding": math.prod(unpadded.shape), "hint_no_maps": math.prod(s4.shape[1:]),
            "hint_no_s4": math.prod(c3.shape)}, "hint_again", {"shape": s4.shape}),
    }


def _about_training():
    chance = 1 / LeNet5().fc3.out_features
    loss = F.cross_entropy(torch.zeros(1, 10), torch.tensor([0])).item()
    batches, whole, test = (len(BatchSampler(range(n), 128, drop_last)) for n, drop_last in (
        (60_000, False), (60_000, True), (10_000, False)))
    return {
        "batches_per_epoch": _Exercise(
            batches, "why_batches", {"hint_last_batch": whole, "hint_test_set": test}, "hint_again", {"whole": whole}),
        "untrained_loss": _Exercise(loss, "why_loss", {
            "hint_chance": chance, "hint_log10": -math.log10(chance), "hint_sign": -loss}, "hint_again", tolerance=0.01),
    }


def _judge_numbers(name, exercise, answer):
    """(mark, sentence) for a number, or for a pair where there are two unknowns."""
    try:
        answers = list(answer) if len(exercise.unknowns) == 2 else [answer]
        if all(map(_is_blank, answers)):
            return "…", _text("check_blank")
        numbers = [_number(value) for value in answers]
        if len(numbers) != max(1, len(exercise.unknowns)):
            raise TypeError
        values = {"answer": ", ".join(map(str, numbers)), "right": exercise.right, **exercise.values}
        for key, mistake in exercise.mistakes.items():
            if _same(numbers, np.atleast_1d(mistake), exercise.tolerance):
                return "✗", _text(key, **values)
        if exercise.unknowns:
            values["g"] = ConvGeometry(*exercise.known, **dict(zip(exercise.unknowns, numbers)))
            numbers = [values["g"].n_out]
    except TypeError:
        return "✗", _text("check_pair", names=", ".join(exercise.unknowns))
    except ValueError as error:
        return "✗", str(error)
    right = _same(numbers, [exercise.right], exercise.tolerance)
    return ("✓", _text(exercise.why, **values)) if right else ("✗", _text(exercise.hint, **values))


def _judge_function(name, exercise, function):
    """(mark, sentence) for a student's function: what it does in each case, and the first that is wrong."""
    try:
        inspect.signature(function).bind(*exercise.cases[0])
    except (TypeError, ValueError):
        return "✗", _text("check_function", call=f"{name}({', '.join(inspect.signature(exercise.right).parameters)})")
    results, trouble, printed = [], "", io.StringIO()
    limit = threading.Timer(CODE_SECONDS, _thread.interrupt_main)  # like the kernel's interrupt, which works, too
    limit.start()
    try:
        with contextlib.redirect_stdout(printed):
            for case in exercise.cases:
                results.append(_call(exercise, function, case))
    except KeyboardInterrupt:
        trouble = _text("check_endless")
    except ValueError as error:
        trouble = str(error)
    finally:
        limit.cancel()
    calls = [f"{name}({', '.join(map(_brief, case))})" for case in exercise.cases]
    if not trouble and all(map(_is_blank, results)):
        return ("✗", _text("check_printed", call=calls[0])) if printed.getvalue() else ("…", _text("check_blank"))
    for call, case, result in zip(calls, exercise.cases, results):
        right = exercise.right(*case)
        if not _same(result, right):
            for key, mistake in exercise.mistakes.items():
                if all(_same(result, mistake(*case)) for case, result in zip(exercise.cases, results)):
                    return "✗", _text(key)
            return "✗", _text("check_differs", call=call, result=_brief(result), right=_brief(right))
    return ("✗", f"{calls[len(results)]}: {trouble}") if trouble else ("✓", _text(exercise.why, n=len(results)))


def _call(exercise, function, case):
    """What a student's function makes of one case; ValueError says what is wrong with that."""
    given = copy.deepcopy(case)
    try:
        result = function(*given)
    except (Exception, SystemExit) as error:
        message = " ".join([type(error).__name__, *str(error).splitlines()[:1]])
        raise ValueError(_text("check_raised", error=message)) from None
    if not all(map(_same, given, case)):
        raise ValueError(_text("check_changed"))
    return result if _is_blank(result) else exercise.read(result)


def _is_blank(answer):
    return answer is None or answer is ...


def _number(answer):
    """An answer as an int, or a float where it is not whole; ValueError for what is no number."""
    try:
        value = answer.item() if hasattr(answer, "item") else answer  # tensors, numpy's arrays and numbers
        if isinstance(value, (bool, str, bytes)) or not math.isfinite(value):
            raise TypeError
        return int(value) if value == int(value) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(_text("check_number", answer=_brief(answer))) from None


def _map(result):
    if not isinstance(result, torch.Tensor) or result.is_complex():
        raise ValueError(_text("check_tensor", result=_brief(result)))
    return result.detach().cpu().double()


def _same(a, b, tolerance=1e-6):
    """Whether numbers, lists or tensors have the same shape and values."""
    if _is_blank(a):
        return False
    a, b = (np.asarray(value.detach() if isinstance(value, torch.Tensor) else value, dtype=float) for value in (a, b))
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=1e-6)


def _brief(value):
    if isinstance(value, torch.Tensor):
        return f"tensor({reprlib.repr(value.tolist())})"
    return " ".join(reprlib.repr(value).split())


# ---------------------------------------------------------------------------------------------------- texts
# Every sentence that a reader meets, (Chinese, English), by section.

TEXTS = {
    # setup
    "ready_version": ("{name} 的版本是 {found}，至少要 {least}：请在项目文件夹里运行 pip install -U -r requirements.txt",
                      "{name} is at {found} and must be at least {least}: run pip install -U -r requirements.txt in the "
                      "project's folder"),
    "ready_versions": ("{n} 个软件包都装好了，版本够新（torch {torch}）", "all {n} packages are there and new enough (torch {torch})"),
    "ready_small": ("没有完整的 MNIST，只有 scikit-learn 的小数据集：课也能上，但结果会不同。请联网后再运行一次，或把 MNIST 的四个文件放进 {folder}",
                    "full MNIST is not there, only scikit-learn's small set: the lesson works, with other results. Run this "
                    "again with an internet connection, or put MNIST's four files into {folder}"),
    "ready_data": ("MNIST 的 {n:,} 张图片都在，内容无误", "MNIST's {n:,} pictures are there and as they should be"),
    "ready_network": ("训练好的网络认对了 {n:,} 张考试图片中的 {right:,} 张；在这台电脑上训练 20 个 epoch 大约要 {minutes} 分钟",
                      "the trained network reads {right:,} of {n:,} test digits; 20 epochs of training take about {minutes} "
                      "minutes on this computer"),
    # convolution
    "not_whole": ("{name} 应该是整数，现在是 {value}。",
                       "{name} must be a whole number, but it is {value}."),
    "too_small": ("{name} = {value} 不行：至少要是 {least}。",
                       "{name} = {value} is too small: it must be at least {least}."),
    "does_not_fit": (
        "卷积核放不下：它占 {g.span} 个像素，而输入加上 padding 只有 {g.n_in} + 2×{g.padding} = {g.padded} 个。"
        "请减小 {reducible}，或者加大 padding。",
        "The kernel does not fit: it spans {g.span} pixels, but input and padding have only "
        "{g.n_in} + 2*{g.padding} = {g.padded}. "
        "Make {reducible} smaller, or padding larger."),
    "no_such_output": ("没有第 {i} 个输出：编号从 0 到 {last}。", "There is no output {i}: they go from 0 to {last}."),
    "no_such_input": ("没有第 {j} 个输入：编号从 0 到 {last}。", "There is no input {j}: they go from 0 to {last}."),
    "remainder": ("{free} ÷ {g.stride} = {quotient} 余 {g.unused}：向下取整（floor），最下面 {g.unused} 行和最右边 {g.unused} 列"
                  "没有窗口碰到。",
                  "{free} ÷ {g.stride} = {quotient}, remainder {g.unused}: round down (floor). No window reaches the last "
                  "rows and columns ({g.unused} of each)."),
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
    "feeds": ("这个输入影响 {n} 个输出。", "Outputs that this input feeds: {n}."),
    "feeds_none": ("没有窗口碰到这个输入。", "No window reaches this input."),
    "uses": ("这个权重和 {n} 个输入相乘：每算一个输出用一次。", "Inputs that this weight multiplies: {n}, one for each output."),
    "explorer_title": ("卷积：输入、卷积核、输出", "Convolution: input, kernel, output"),
    "explorer_hint": ("把鼠标移到任意一格上；点一下或按 Tab 键，可以让它停住。虚线格是 padding，斜线格没有窗口碰到。"
                      "橙色：正的权重；蓝色：负的权重。",
                      "Point at any cell; a click or Tab pins it. Dashed cells are padding, hatched ones are reached by "
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
    "data_not_yet": ("数据：{folder} 里还没有完整的 MNIST，第一次用到时会自动下载。",
                     "Data: {folder} has no complete MNIST yet; it is downloaded at first use."),
    "data_misnamed": ("数据：LENET_DATA 指向 {folder}，那里没有完整的 MNIST：请改正路径，或去掉 LENET_DATA，再重启内核。",
                      "Data: LENET_DATA names {folder}, where MNIST is not complete: correct it or unset it, then restart."),
    "data_no_folder": ("找不到数据文件夹 {folder}。\n请改正路径；如果不指定文件夹（包括 LENET_DATA），程序会自己下载 MNIST。",
                       "There is no data folder {folder}.\nCorrect the path. Or name no folder and unset LENET_DATA: "
                       "then MNIST is downloaded."),
    "data_no_file": ("{folder} 里缺少 {name}（或 {name}.gz）。\n请把 MNIST 的四个文件都放进这个文件夹，或放进其中的 MNIST/raw。",
                     "{folder} lacks {name} (or {name}.gz).\nPut the four files of MNIST into it, or into MNIST/raw in it."),
    "data_bad_gz": ("{path} 不完整，解压失败（{error}）。\n请删掉它，重新复制或下载。",
                    "{path} is damaged and does not unpack ({error}).\nDelete it, then copy or download it again."),
    "data_html": ("{path} 不是数据，而是一个网页（常见原因：下载时遇到了上网登录页）。\n请删掉它，连好网络后重新下载。",
                  "{path} is a web page, not data (often the login page of a Wi-Fi).\nDelete it, and download it again "
                  "once you are online."),
    "data_swapped": ("{path} 里装的其实是 {other}。\n请把文件改回正确的名字，或重新复制。",
                     "{path} holds the content of {other}.\nGive the files their right names, or copy them again."),
    "data_size": ("{path} 解压后有 {found:,} 字节，应该是 {size:,} 字节。\n请删掉它，重新复制或下载。",
                  "{path} has {found:,} bytes unpacked where {size:,} belong.\nDelete it, then copy or download it again."),
    "data_md5": ("{path} 的内容有错（MD5 是 {found}，应该是 {md5}）。\n请删掉它，重新复制或下载。",
                 "{path} has wrong content (MD5 {found}, not {md5}).\nDelete it, then copy or download it again."),
    "not_readable": ("没有权限读取 {path}。\n请检查它和它所在文件夹的权限，或换一个位置。",
                       "{path} cannot be read: no permission.\nCheck its permissions and its folder's, or choose another place."),
    "data_silent": ("网络 {seconds} 秒没有响应", "the internet did not answer within {seconds} s"),
    "data_fall_back": ("没能下载 MNIST（{reason}），先用 scikit-learn 自带的 {n:,} 个手写数字代替，所以结果会和笔记里写的不同。"
                       "想用完整的 MNIST：联网后重新运行，或把它的四个文件放进 {folder}。",
                       "MNIST could not be downloaded ({reason}): using the {n:,} digits that scikit-learn ships, so results "
                       "differ from what the notebooks say. For all of MNIST, run this again with an internet "
                       "connection, or put its four files into {folder}."),
    # model
    "layer_misfit": ("{name} 这一层要 {wants} 个输入，前面送来的却是 {gets} 个。",
                     "{name} wants {wants} inputs, but {gets} arrive from the layer before."),
    "layer_ceil": ("{name} 用了 ceil_mode=True，是向上取整的，公式只管向下取整。",
                   "{name} has ceil_mode=True: it rounds up, where the formula rounds down."),
    # training
    "train_what": ("训练要一个网络和一份数据，例如 train(LeNet5(), load_mnist())；现在给的是 {model} 和 {digits}。"
                   "是不是少写了括号？",
                   "Training takes a network and data, as in train(LeNet5(), load_mnist()), but this is {model} and "
                   "{digits}. Are the parentheses missing?"),
    "which_dataset": ("这里要一组图片和标签，例如 digits.test，现在是 {found}。",
                      "This takes pictures with labels, such as digits.test, but it is {found}."),
    "same_file": ("save 和 log 是同一个文件 {path}：权重和记录要分开放。",
                  "save and log are the same file, {path}: weights and log need one each."),
    "cannot_write": ("写不了 {path}（{error}）。请换一个位置，或检查磁盘空间和权限。",
                     "{path} cannot be written ({error}). Choose another place, or check disk space and permissions."),
    "no_file": ("那里是文件夹或设备，不是文件", "it is a folder or a device, not a file"),
    "no_weights": ("找不到权重文件 {path}。自己的网络要先在第 4 本笔记里训练，才会有这个文件。",
                   "There is no file of weights {path}. One of your own comes from training in notebook 04."),
    "weights_damaged": ("{path} 不是权重文件，或者已经损坏（{error}）。请重新训练，或重新复制。",
                        "{path} is no file of weights, or it is damaged ({error}). Train again, or copy it again."),
    "weights_foreign": ("{path} 是另一个网络的权重：{name} 在文件里是 {found}，这个网络要 {wanted}。请换回那个网络，或把文件改名、删掉。",
                        "{path} belongs to another network: its {name} is {found}, this one's is {wanted}. Use that network, "
                        "or rename or delete the file."),
    "nothing_to_resume": ("没有可以接着跑的训练：找不到 {path}。去掉 resume=，从头开始即可。",
                          "There is no training to resume: {path} does not exist. Start anew, without resume=."),
    "resume_damaged": ("{path} 读不出来（{error}）。去掉 resume=，从头开始即可。",
                       "{path} cannot be read ({error}). Start anew, without resume=."),
    "resume_differs": ("原来的训练是 {old}，这次却是 {new}：接着跑时这些要相同。",
                       "The training to resume had {old}, this one has {new}: they must be the same."),
    "stop": ("停止", "Stop"),
    "run_running": ("训练中：第 {epoch} / {epochs} 个 epoch，大约还要 {left}（{clock}）",
                    "Training: epoch {epoch} of {epochs}, about {left} left ({clock})"),
    "run_done": ("训练完成：{done} 个 epoch（{clock}）", "Training finished: {done} epochs ({clock})"),
    "run_stopped": ("已停止：完成了 {done} / {epochs} 个 epoch（{clock}）",
                    "Stopped: {done} of {epochs} epochs finished ({clock})"),
    "run_failed": ("训练出错：完成了 {done} / {epochs} 个 epoch（{clock}）",
                   "Training failed: {done} of {epochs} epochs finished ({clock})"),
    "run_loss": ("训练损失（training loss）", "training loss"),
    "run_accuracy": ("测试正确率（test accuracy）", "test accuracy"),
    "interrupted": ("已中断。已完成的各个 epoch 的权重和训练记录都在磁盘上。",
                    "Interrupted. The weights and the log of the epochs that were finished are on disk."),
    # pictures and draw pad
    "no_convolution": ("这个模型没有卷积层，没有卷积核可看。", "This model has no convolution, so there are no kernels to show."),
    "image_shape": ("图片应该是 28×28 个像素，现在的形状是 {found}。",
                    "The picture must have 28x28 pixels, but its shape is {found}."),
    "no_layer": ("这个模型没有名叫 {name} 的层：画板要用的七层是 c1、s2、c3、s4、fc1、fc2、fc3。",
                 "The model has no layer named {name}: c1, s2, c3, s4, fc1, fc2 and fc3 are needed."),
    "explain_layer": ("layer 应该是 \"c1\"、\"s2\"、\"c3\" 或 \"s4\"，现在是 {layer}。",
                      "layer must be \"c1\", \"s2\", \"c3\" or \"s4\", but it is {layer}."),
    "explain_cell": ("{name} = {at} 不存在：{layer} 的 {name} 从 0 到 {last}。",
                     "There is no {name} {at}: in {layer} they go from 0 to {last}."),
    "drawing_type": ("drawing 应该是一张灰度图（numpy 数组或 tensor），现在是 {found}。",
                     "A drawing is a table of grey levels (numpy array or tensor), but this is {found}."),
    "drawing_shape": ("drawing 的形状应该是 (高, 宽)，每边至少 28 个像素，现在是 {found}。",
                      "A drawing has shape (height, width), each at least 28 pixels, but this one has {found}."),
    "drawing_levels": ("灰度值应该是 0 到 255 的整数，或 0 到 1 的小数；这里有负数、太大的数或 NaN。",
                       "Grey levels are whole numbers from 0 to 255 or fractions from 0 to 1; some here are negative, too "
                       "large or NaN."),
    "drawing_empty": ("drawing 是空的：所有像素都是 0。", "The drawing is empty: all its pixels are 0."),
    "pad_drawing": ("画板的 drawing 应该是 {side}×{side}，现在的形状是 {found}。",
                    "The pad's drawing must be {side}x{side}, but its shape is {found}."),
    "pad_models": ("DrawPad(model) 或 DrawPad({{\"名字\": model, ...}})：要给它至少一个模型。",
                   "DrawPad(model) or DrawPad({{\"name\": model, ...}}): it needs at least one model."),
    "pad_network_unknown": ("没有名叫 {name} 的网络，可选的有：{names}。", "There is no network {name}; choose from: {names}."),
    "pad_label": ("画板：用鼠标、触控笔或手指写一个数字", "Draw pad: draw a digit with mouse, pen or finger"),
    "pad_draw": ("画笔", "Draw"),
    "pad_erase": ("橡皮", "Erase"),
    "pad_clear": ("清空", "Clear"),
    "pad_samples": ("示例：", "Samples:"),
    "pad_centre": ("像 MNIST 那样居中", "Centre like MNIST"),
    "pad_network": ("选一个网络：", "Network:"),
    "pad_sees": ("网络看到的（28×28）", "The network sees (28x28)"),
    "pad_first": ("它认为是", "first guess"),
    "pad_second": ("其次是", "second guess"),
    "pad_output": ("输出", "output"),
    "pad_probability": ("概率（softmax）", "probability (softmax)"),
    "pad_relu": ("（ReLU 之后）", " (after ReLU)"),
    "pad_empty": ("画板是空的：写一个 0 到 9 的数字，或者点一个示例。",
                  "The pad is empty: draw a digit from 0 to 9, or choose a sample."),
    "pad_dot": ("笔迹太小了，像一个点，看不出是什么数字。请写大一点。",
                "This is too small, no more than a dot: no guess. Draw a larger digit."),
    "pad_full": ("画板几乎涂满了，看不出是什么数字。请清空后重新写。",
                 "The pad is almost full: no guess. Clear it and draw again."),
    "pad_waiting": ("Python 还没有回应。有单元格在运行的话，等它运行完；重启过内核的话，请重新运行这一格。",
                    "No answer from Python yet. If a cell is running, wait for it; if Python was restarted "
                    "(Restart Kernel), run this cell again."),
    # exercises
    "check_unknown": ("没有这道练习。名字相近的有：{names}。", "there is no such exercise. Names like it: {names}."),
    "check_blank": ("还没有作答。", "not answered yet."),
    "check_number": ("答案应该是一个普通的数（不加引号），现在是 {answer}。",
                     "the answer must be a plain number (no quotes), but it is {answer}."),
    "check_one_answer": ("一次只能交一个答案，现在是 {shown}。两个数要用括号括起来：(1, 2)；大数里不要写逗号：60000。",
                         "give one answer, not {shown}. A pair stands in parentheses, (1, 2); a large number has no comma: 60000."),
    "check_pair": ("答案应该是两个数：({names})。", "the answer must be two numbers: ({names})."),
    "check_function": ("请把函数本身交给 check（不加括号），它要能这样调用：{call}。",
                       "give check the function itself, without parentheses; one must be able to call {call}."),
    "check_tensor": ("应该返回一个 tensor，现在是 {result}。", "it must return a tensor, but it returns {result}."),
    "check_raised": ("运行出错（{error}）。", "it fails ({error})."),
    "check_changed": ("函数改动了传给它的参数；请另建一个 tensor 来放结果。",
                      "it changes its arguments; make a new tensor for the result."),
    "check_endless": ("等了很久没有结果，已中断。是不是有一个不会结束的循环？",
                      "interrupted, for it took too long. Is there a loop that never ends?"),
    "check_printed": ("{call} 没有返回值。print 只是显示，请用 return 交出结果。",
                      "{call} returns nothing. print only shows a value: hand it over with return."),
    "check_differs": ("{call} 得到 {result}，应该是 {right}。", "{call} gives {result}; it should be {right}."),
    "why_code": ("试了 {n} 种情况，全部正确！", "right in all {n} cases that were tried!"),
    "why_pixel": ("对！每个方向有 {n} 个窗口位置盖住它，{n} × {n} = {right}。",
                  "yes! In each direction the number of windows that cover it is {n}, {n} × {n} = {right}."),
    "why_weights": ("对！2 × {small} = {right}，比一个 5×5 的 {large} 个少。",
                    "yes! 2 × {small} = {right}, fewer than the {large} of one 5x5."),
    "why_reach": ("对！第一层的窗口看到 {g.span} 个；第二层让它再走 {g.kernel_size} − 1 步，每步多看 1 个：一共 {right} 个，和一个 5×5 "
                  "一样远。",
                  "yes! A window of the first layer sees {g.span}; the second layer moves it {g.kernel_size} − 1 steps, one "
                  "more pixel each: {right} in all, as far as one 5x5."),
    "why_size": ("对！⌊({g.padded} − {g.span}) / {g.stride}⌋ + 1 = {g.n_out}。",
                 "yes! ⌊({g.padded} − {g.span}) / {g.stride}⌋ + 1 = {g.n_out}."),
    "why_parameters": ("对！weight 的形状是 {shape}，再加 {bias} 个偏置，共 {right:,} 个。",
                       "yes! The weight's shape is {shape}; with {bias} biases that makes {right:,}."),
    "why_multiply_adds": ("对！{outputs:,} 个输出，每个要 {each} 次乘加，共 {right:,} 次。",
                          "yes! {outputs:,} outputs, {each} multiply-adds each: {right:,}."),
    "why_flatten": ("对！S4 输出 {shape}，展平后是 {right} 个数。", "yes! S4 makes {shape}; flattened, {right} numbers."),
    "why_batches": ("对！{whole} 个完整的批，最后还有一批不满的，共 {right} 批。",
                    "yes! {whole} full batches and a last one that is not full: {right}."),
    "why_loss": ("对！十个数字的概率各是 1/10，损失是 −ln(1/10) = ln 10 ≈ {right:.4f}。",
                 "yes! Each of the ten digits has probability 1/10: the loss is −ln(1/10) = ln 10 ≈ {right:.4f}."),
    "hint_explorer": ("{answer} 不对。用 lh.explore_convolution() 摆一摆，数数窗口有几个位置。",
                      "it is not {answer}. Try it in lh.explore_convolution(): count the window's positions."),
    "hint_point": ("{answer} 不对。在 lh.explore_convolution() 里指一指角上的输入，数数它影响几个输出。",
                   "it is not {answer}. Point at a corner of the input in lh.explore_convolution() and count its outputs."),
    "hint_work": ("{answer} 不对。先数一数输出有几个数，再乘每个数要做的乘加次数。",
                  "it is not {answer}. Count the numbers in the output first, then the multiply-adds that each takes."),
    "hint_layer": ("{answer} 不对。先写出 weight 的形状（输出通道 × 输入通道 × 高 × 宽），再算一遍。",
                   "it is not {answer}. Write down the weight's shape (out channels × in channels × height × width) first."),
    "hint_again": ("{answer} 不对，再想一想。", "it is not {answer}. Think again."),
    "hint_gives": ("这样输出是 {g.n_out}×{g.n_out}，要的是 {right}×{right}。",
                   "that makes {g.n_out}x{g.n_out}, and {right}x{right} is wanted."),
    "hint_edge": ("{answer} 是边上（不在角上）的像素被看到的次数；角上的像素在两个方向都靠边。",
                  "{answer} is for a pixel on an edge; one in a corner is at the border in both directions."),
    "hint_middle": ("{answer} 是中间的像素被看到的次数；能盖住角上像素的窗口少得多。",
                    "{answer} is for a pixel in the middle; far fewer windows reach a corner."),
    "hint_one_axis": ("{answer} 只数了一个方向；窗口左右、上下都能移动。",
                      "{answer} counts one direction only; the window moves across and down."),
    "hint_one_layer": ("{answer} 是只有一层 3×3 时的答案；这里有两层。", "{answer} is for one 3x3 layer; there are two."),
    "hint_product": ("两层是先后进行的，不要相乘。", "the layers come one after the other: do not multiply."),
    "hint_5x5": ("{answer} 是一个 5×5 的权重数；问的是两个 3×3。", "{answer} is one 5x5; the question is about two 3x3."),
    "hint_reach_sum": ("不能直接相加：相邻的窗口互相重叠。", "do not just add: neighbouring windows overlap."),
    "hint_no_floor": ("窗口位置的个数是整数：除不尽时向下取整（//）。",
                      "positions are whole: where the division leaves a remainder, round down (//)."),
    "hint_ceil": ("你向上取整了。最后一步放不下完整的窗口，就不算：要向下取整。",
                  "you rounded up. A last step without room for the whole window does not count: round down."),
    "hint_no_plus_one": ("少了 1：走几步之外，还有起点那个位置（最后的“+1”）。",
                         "one is missing: besides the steps there is the first position (the “+1” at the end)."),
    "hint_no_minus_one": ("多了 1：先减去卷积核占的像素，除以 stride，最后只加一次 1。",
                          "one too many: take away the pixels that the kernel spans, divide by stride, then add 1 once."),
    "hint_unchanged": ("这是输入的大小；窗口必须完整地放在图里，输出一般会变。",
                       "that is the input's size; the window must fit inside, so the output's size changes."),
    "hint_stride_ignored": ("你没有用上 stride：窗口每次要挪 stride 个像素。",
                            "you left out the stride: the window moves by stride pixels each time."),
    "hint_padding_once": ("padding 只算了一边；两边都要加：2 × padding。",
                          "you counted the padding once; it is added on both sides: 2 × padding."),
    "hint_padding_ignored": ("你没有算上 padding。", "you left out the padding."),
    "hint_dilation_ignored": ("你没有算上 dilation：卷积核的格子被隔开了，占的地方更大。",
                              "you left out the dilation: it spreads the kernel's pixels over more room."),
    "hint_dilation_span": ("卷积核占 dilation × (kernel_size − 1) + 1 个像素：间隔比格子少 1 个。",
                           "the kernel spans dilation × (kernel_size − 1) + 1 pixels: there is one gap fewer than pixels."),
    "hint_both_sides": ("{answer} 是两边加起来的；padding 指的是每一边。",
                        "{answer} is both sides together; padding means each side."),
    "hint_other_kernel": ("{answer} 适合 3×3 的卷积核；5×5 更大。", "{answer} is for a 3x3 kernel; 5x5 is larger."),
    "hint_ratio": ("不能只用输入除以输出：窗口本身也占地方。",
                   "do not just divide input by output: the window itself takes room."),
    "hint_first_window": ("{right} 个位置之间只有 {right} − 1 步。", "between {right} positions there are only {right} − 1 steps."),
    "hint_order": ("看看顺序：先 padding，后 stride。", "mind the order: padding first, then stride."),
    "hint_half": ("stride=2 不一定正好是一半：没有 padding 时，输出只有 {half}×{half}。",
                  "stride=2 is not always exactly half: without padding the output is only {half}x{half}."),
    "hint_flipped": ("你把卷积核翻转了（数学里的卷积）；PyTorch 不翻转，直接逐格相乘。",
                     "you flipped the kernel, as mathematics does; PyTorch does not flip it."),
    "hint_transposed": ("行和列弄反了：kernel 的行对应 image 的行。",
                        "rows and columns are swapped: the kernel's rows go with the image's rows."),
    "hint_last_window": ("少了最后一行和最后一列：窗口有 n − k + 1 个位置。",
                         "the last row and column are missing: the window has n − k + 1 positions."),
    "hint_no_bias": ("忘了偏置（bias）：每个输出通道还有一个。", "you forgot the biases: one for each output channel."),
    "hint_one_map": ("{answer} 只是一个输出通道的；这一层有好几个。", "{answer} is for one output channel; the layer has several."),
    "hint_no_channels": ("忘了输入通道：每个卷积核要看上一层的所有特征图。",
                         "you forgot the input channels: each kernel looks at every map of the layer before."),
    "hint_one_position": ("{answer} 是权重的个数；每个输出位置都要用一遍。",
                          "{answer} is the number of weights; each position of the output uses them all."),
    "hint_input_size": ("你用了输入图的大小；要数的是输出的位置。", "you took the input's size; count the output's positions."),
    "hint_c1_padding": ("{answer} 是 C1 没有 padding 时的结果；这里 C1 的 padding=2。",
                        "{answer} comes out if C1 has no padding; here it has padding=2."),
    "hint_no_maps": ("{answer} 只是一张特征图里的个数；S4 有好几张。", "{answer} is one map only; S4 has several."),
    "hint_no_s4": ("{answer} 是 S4 池化之前的。", "{answer} is before S4's pooling."),
    "hint_last_batch": ("最后不满的那一批也要算。", "the last batch counts, too, though it is not full."),
    "hint_test_set": ("{answer} 是测试集（10,000 张）的；训练集有 60,000 张。",
                      "{answer} is for the test set (10,000); the training set has 60,000."),
    "hint_chance": ("{answer} 是猜对的概率；损失是它的 −ln。", "{answer} is the chance to be right; the loss is its −ln."),
    "hint_log10": ("你用的是 log10；PyTorch 用自然对数 ln（math.log）。", "that is log10; PyTorch takes the natural logarithm (math.log)."),
    "hint_sign": ("符号反了：概率小于 1，它的 ln 是负数，前面还有一个负号。",
                  "mind the sign: the ln of a probability is negative, and a minus stands before it."),
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
        parser.error(_text("too_small", name="epochs", value=options.epochs, least=1))
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
