"""The sizes of convolutions and pooling: ConvGeometry is the one source of truth."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from IPython.display import Markdown
from torch import nn

from .checks import checked, whole_number
from .texts import text


@dataclass(frozen=True)
class ConvGeometry:
    """The sizes of a convolution (or pooling) along one axis; images, kernels and maps are square.

    Arguments are integers, as in `torch.nn.Conv2d`: n_in, kernel_size, stride and dilation at least
    1, padding (on each side) at least 0. Raises ValueError, naming the numbers, for any other value
    and for a kernel that does not fit. Everything that has to do with sizes asks this class.
    Notebooks 01, 02 and 03.
    """

    n_in: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        least = {"n_in": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
        for name, smallest in least.items():
            value = whole_number(name, getattr(self, name), smallest)
            object.__setattr__(self, name, value)
        if self.span > self.padded:
            can_shrink = {"kernel_size": self.kernel_size, "dilation": self.dilation}
            reducible = [f"{name} ({value})" for name, value in can_shrink.items() if value > 1]
            raise ValueError(
                text(
                    "size_does_not_fit",
                    n_in=self.n_in,
                    padding=self.padding,
                    padded=self.padded,
                    span=self.span,
                    reducible=" / ".join(reducible),
                )
            )

    @property
    def padded(self) -> int:
        """Pixels of the input with the padding on both sides."""
        return self.n_in + 2 * self.padding

    @property
    def span(self) -> int:
        """Pixels from the kernel's first to its last, the gaps of dilation included."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def n_out(self) -> int:
        """Pixels of the output: how many positions the window has."""
        return (self.padded - self.span) // self.stride + 1

    @property
    def unused(self) -> int:
        """Pixels at the far end of the padded input that no window reaches."""
        return (self.padded - self.span) % self.stride

    def window(self, i: int) -> list[int]:
        """The padded input's indices that output `i` reads. Raises IndexError beyond n_out."""
        if not 0 <= i < self.n_out:
            raise IndexError(text("no_such_output", i=i, last=self.n_out - 1))
        return [i * self.stride + k * self.dilation for k in range(self.kernel_size)]

    def feeds(self, j: int) -> list[int]:
        """The outputs that input `j` (counted before padding) feeds. Raises IndexError beyond
        n_in."""
        if not 0 <= j < self.n_in:
            raise IndexError(text("no_such_input", j=j, last=self.n_in - 1))
        return [i for i in range(self.n_out) if j + self.padding in self.window(i)]


@checked
def conv_output_size(
    n_in: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """floor((n_in + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, as
    `torch.nn.Conv2d`.

    Takes and raises what `ConvGeometry` does. Notebooks 01 and 02.
    """
    return ConvGeometry(n_in, kernel_size, stride, padding, dilation).n_out


@checked
def output_size_steps(
    n_in: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Markdown:
    """The formula of the output size with the numbers put in, step by step, in LaTeX.

    Numbers that ConvGeometry refuses give its sentence instead. Notebook 02.
    """
    try:
        g = ConvGeometry(n_in, kernel_size, stride, padding, dilation)
    except ValueError as error:
        return Markdown(str(error))
    formula = r"n_{in} + 2p - k" if g.dilation == 1 else r"n_{in} + 2p - d(k - 1) - 1"
    numbers, free = _numerator(g).replace("×", r" \times "), g.padded - g.span
    fraction = r"\left\lfloor \frac{%s}{%s} \right\rfloor" if g.unused else r"\frac{%s}{%s}"
    steps = [
        rf"n_{{out}} &= \left\lfloor \frac{{{formula}}}{{s}} \right\rfloor + 1",
        f"&= {fraction % (numbers, g.stride)} + 1",
        f"&= {fraction % (free, g.stride)} + 1 = {g.n_out - 1} + 1 = {g.n_out}",
    ]
    aligned = "\\begin{aligned}\n" + " \\\\\n".join(steps) + "\n\\end{aligned}"
    return Markdown(f"$${aligned}$$\n\n{_remainder(g)}")


def _numerator(g: ConvGeometry) -> str:
    """n_in + 2 padding - span with the numbers put in."""
    span = g.kernel_size if g.dilation == 1 else f"{g.dilation}×({g.kernel_size} - 1) - 1"
    return f"{g.n_in} + 2×{g.padding} - {span}"


def _remainder(g: ConvGeometry) -> str:
    """A sentence on the division by the stride, and on what it leaves."""
    key, free = "size_remainder" if g.unused else "size_no_remainder", g.padded - g.span
    return text(key, free=free, stride=g.stride, quotient=g.n_out - 1, unused=g.unused)


class LayerRow(NamedTuple):
    """A row of `layer_table`.

    `shape` is the layer's output without the batch, (channels, height, width) or (n,); `geometry`
    belongs to a convolution or pooling layer.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    geometry: ConvGeometry | None = None


class LayerTable(list):
    """`LayerRow`s, with the totals `.parameters` and `.multiply_adds`; printed, a table."""

    parameters = property(lambda self: sum(row.parameters for row in self))
    multiply_adds = property(lambda self: sum(row.multiply_adds for row in self))

    def __repr__(self):
        line = "{:<6} {:<42} {:>10} {:>10,} {:>13,}".format
        heading = (
            f"{'name':<6} {'layer':<42} {'output':>10} {'parameters':>10} {'multiply-adds':>13}"
        )
        rows = [
            line(
                row.name,
                row.layer,
                "x".join(map(str, row.shape)),
                row.parameters,
                row.multiply_adds,
            )
            for row in self
        ]
        return "\n".join(
            [heading, *rows, line("total", "", "", self.parameters, self.multiply_adds)]
        )


@checked
def layer_table(model: nn.Module, input_shape: tuple[int, ...] = (1, 28, 28)) -> LayerTable:
    """What each layer of a model makes and costs for one image of `input_shape` (channels, n, n).

    Counts convolutions, pooling and linear layers in the order in which the model defines them;
    sizes come from `ConvGeometry`. Raises ValueError where a layer does not fit the one before, or
    has sizes of another kind (padding="same", ceil_mode). Notebook 03.
    """
    rows, shape = LayerTable(), tuple(input_shape)
    for name, layer in model.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            row = _window_row(name, layer, shape)
        elif isinstance(layer, nn.Linear):
            row = _linear_row(name, layer, shape)
        else:
            continue
        rows.append(row)
        shape = row.shape
    return rows


def _window_row(name, layer, shape):
    """The row of a convolution or pooling layer that is given `shape`."""
    if getattr(layer, "ceil_mode", False):
        raise ValueError(text("layer_ceil", name=name))
    g = layer_geometry(layer, shape[-1])
    words = f"kernel_size={g.kernel_size} stride={g.stride} padding={g.padding}"
    channels, cost = shape[0], 0
    if isinstance(layer, nn.Conv2d):
        _check_inputs(name, layer.in_channels, channels)
        channels = layer.out_channels
        cost = channels * g.n_out**2 * layer.weight[0].numel()
    shape = (channels, g.n_out, g.n_out)
    return LayerRow(name, f"{type(layer).__name__} {words}", shape, _parameters(layer), cost, g)


def _linear_row(name, layer, shape):
    _check_inputs(name, layer.in_features, math.prod(shape))
    words = f"Linear {layer.in_features} -> {layer.out_features}"
    return LayerRow(name, words, (layer.out_features,), _parameters(layer), layer.weight.numel())


def _parameters(layer):
    return sum(p.numel() for p in layer.parameters(recurse=False))


def _check_inputs(name, wanted, given):
    if wanted != given:
        raise ValueError(text("layer_misfit", name=name, wants=wanted, gets=given))


def layer_geometry(layer: nn.Module, n_in: int) -> ConvGeometry:
    """The sizes of a convolution or pooling layer that is given n_in x n_in pixels."""
    sizes = [layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1)]
    # torch keeps some sizes as (height, width)
    return ConvGeometry(n_in, *(s[0] if isinstance(s, (tuple, list)) else s for s in sizes))
