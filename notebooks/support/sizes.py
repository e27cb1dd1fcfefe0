"""The sizes of convolutions and pooling: ConvGeometry is the one source of truth. Notebooks 01 to 03."""

import math
import operator
from dataclasses import dataclass
from typing import NamedTuple

from IPython.display import Markdown
from torch import nn

from .texts import text


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
        for name, least in (
            ("n_in", 1),
            ("kernel_size", 1),
            ("stride", 1),
            ("padding", 0),
            ("dilation", 1),
        ):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least))
        if self.span > self.padded:
            reducible = [
                f"{name} ({getattr(self, name)})"
                for name in ("kernel_size", "dilation")
                if getattr(self, name) > 1
            ]
            raise ValueError(text("does_not_fit", g=self, reducible=" / ".join(reducible)))

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
            raise IndexError(text("no_such_output", i=i, last=self.n_out - 1))
        return [i * self.stride + k * self.dilation for k in range(self.kernel_size)]

    def feeds(self, j):
        """The outputs that input `j` (counted before padding) feeds, as a list. Raises IndexError beyond n_in."""
        if not 0 <= j < self.n_in:
            raise IndexError(text("no_such_input", j=j, last=self.n_in - 1))
        return [i for i in range(self.n_out) if j + self.padding in self.window(i)]


def whole_number(name, value, least=-math.inf):
    """An integer, numpy's included, as an int; ValueError for 6.0, "6", True and what is below `least`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        raise ValueError(text("not_whole", name=name, value=repr(value))) from None
    if whole < least:
        raise ValueError(text("too_small", name=name, value=value, least=least))
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
    numbers, free = numerator(g).replace("×", r" \times "), g.padded - g.span
    fraction = r"\left\lfloor \frac{%s}{%s} \right\rfloor" if g.unused else r"\frac{%s}{%s}"
    steps = [
        rf"n_{{out}} &= \left\lfloor \frac{{{formula}}}{{s}} \right\rfloor + 1",
        f"&= {fraction % (numbers, g.stride)} + 1",
        f"&= {fraction % (free, g.stride)} + 1 = {g.n_out - 1} + 1 = {g.n_out}",
    ]
    return Markdown(
        "$$\\begin{aligned}\n" + " \\\\\n".join(steps) + "\n\\end{aligned}$$\n\n" + remainder(g)
    )


def numerator(g):
    """n_in + 2 padding - span with the numbers put in, as text."""
    span = g.kernel_size if g.dilation == 1 else f"{g.dilation}×({g.kernel_size} - 1) - 1"
    return f"{g.n_in} + 2×{g.padding} - {span}"


def remainder(g):
    return text(
        "remainder" if g.unused else "no_remainder",
        g=g,
        free=g.padded - g.span,
        quotient=g.n_out - 1,
    )


class LayerRow(NamedTuple):
    """A row of `layer_table`; `shape` is the layer's output without the batch: (channels, height, width) or (n,);
    `geometry` that of a convolution or pooling."""

    name: str
    layer: str
    shape: tuple
    parameters: int
    multiply_adds: int
    geometry: ConvGeometry | None = None


class LayerTable(list):
    """`LayerRow`s, with the totals `.parameters` and `.multiply_adds`; printed, a table."""

    parameters = property(lambda self: sum(row.parameters for row in self))
    multiply_adds = property(lambda self: sum(row.multiply_adds for row in self))

    def __repr__(self):
        line = "{:<6} {:<42} {:>10} {:>10} {:>13}".format
        rows = [
            line(
                row.name,
                row.layer,
                "x".join(map(str, row.shape)),
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
            )
            for row in self
        ]
        total = line("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}")
        return "\n".join(
            [line("name", "layer", "output", "parameters", "multiply-adds"), *rows, total]
        )


def side(size):
    return (
        size[0] if isinstance(size, (tuple, list)) else size
    )  # torch keeps some sizes as (height, width)


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
            k, s, p, d = map(
                side,
                (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1)),
            )
            if getattr(layer, "ceil_mode", False):
                raise ValueError(text("layer_ceil", name=name))
            geometry = ConvGeometry(shape[-1], k, s, p, d)
            n, layer_text = (
                geometry.n_out,
                f"{type(layer).__name__} kernel_size={k} stride={s} padding={p}",
            )
            if isinstance(layer, nn.Conv2d):
                if layer.in_channels != shape[0]:
                    raise ValueError(
                        text("layer_misfit", name=name, wants=layer.in_channels, gets=shape[0])
                    )
                shape = (layer.out_channels, n, n)
                cost = math.prod(shape) * layer.in_channels // layer.groups * k * k
            else:
                shape, cost = (shape[0], n, n), 0
        elif isinstance(layer, nn.Linear):
            if layer.in_features != math.prod(shape):
                raise ValueError(
                    text("layer_misfit", name=name, wants=layer.in_features, gets=math.prod(shape))
                )
            shape, cost, geometry = (layer.out_features,), layer.weight.numel(), None
            layer_text = f"Linear {layer.in_features} -> {layer.out_features}"
        else:
            continue
        rows.append(LayerRow(name, layer_text, shape, parameters, cost, geometry))
    return rows
