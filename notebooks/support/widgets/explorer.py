"""The explorer: a convolution in which every cell shows what it is made of.

Python makes the images and kernels and keeps the settings; explorer.js computes and draws the rest.
"""

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch.nn import functional as F

from ..checks import checked, whole_number
from ..data.pictures import number_table, one_table
from ..figures.images import color_scale, show_table, sign_scale
from ..sizes import ConvGeometry
from ..words.labels import label
from ..words.texts import text
from .widget import Offered, Widget

LIMITS = {"n_in": range(3, 13), "kernel_size": range(1, 8)}
LIMITS |= {"stride": range(1, 5), "padding": range(5), "dilation": range(1, 4)}
LARGEST = 256  # picture: more than that has no pixel to point at
OWN = "own"  # the preset of a kernel that was edited


def _random(k):
    return torch.randint(-2, 3, (k, k), generator=torch.Generator().manual_seed(67 + k))


def _vertical(k):
    return (2 * torch.arange(k) - (k - 1)).sign().expand(k, k)


def _sharpen(k):
    kernel = torch.zeros(k, k)
    kernel[k // 2, :] = kernel[:, k // 2] = -1
    kernel[k // 2, k // 2] = 2 * k - 1  # the weights add up to 1
    return kernel


PRESETS = {  # kernel_size -> kernel of whole numbers; an edge kernel of one pixel is 0
    "random": _random,
    "blur": lambda k: torch.ones(k, k),
    "vertical": _vertical,
    "horizontal": lambda k: _vertical(k).T,
    "sharpen": _sharpen,
}


def sample_image(n: int) -> torch.Tensor:
    """Whole numbers from 0 to 4, (n, n) float64: a bright square on a dark, uneven ground."""
    generator = torch.Generator().manual_seed(n)
    image = torch.randint(0, 2, (n, n), generator=generator, dtype=torch.float64)
    edge = (n + 2) // 4
    image[edge : n - edge, edge : n - edge] += 3
    return image


def _square(table, name):
    """The table, array or tensor (n, n); raises ValueError, naming it `name`, if not square."""
    if len(table) != table.shape[1]:
        raise ValueError(text("not_square", name=name, found=tuple(table.shape)))
    return table


def kernel_table(numbers) -> np.ndarray:
    """A kernel as (k, k) float64; ValueError for what is no square table of finite numbers."""
    return _square(one_table(numbers, "kernel").astype(float), "kernel")


def _resized(kernel: list[list[float]], k: int) -> list[list[float]]:
    """A kernel of another size: its centre (row and column k // 2) stays, new cells are 0."""
    shift, old = k // 2 - len(kernel) // 2, range(len(kernel))
    at = [i - shift for i in range(k)]
    return [[kernel[i][j] if i in old and j in old else 0.0 for j in at] for i in at]


class Kernel(traitlets.TraitType):
    """A square table of numbers, kept as lists, of a size that the explorer offers."""

    def validate(self, explorer, value):
        table = kernel_table(value)
        type(explorer).kernel_size.validate(explorer, len(table))
        return table.tolist()


class Explorer(Widget):
    """`n_in`, `kernel_size`, `stride`, `padding`, `dilation`, `preset` (of PRESETS, or "own") and
    `kernel` (any square table of numbers) can be read and set, and follow the page. ValueError for
    what `choices` does not offer. Another size keeps the centre of an own kernel."""

    NAME, TEXTS = "explorer", ("explorer_", "size_")
    n_in, kernel_size, stride, padding, dilation, preset = (
        Offered().tag(sync=True, echo_update=False) for _ in range(6)
    )
    kernel = Kernel([[0.0]]).tag(sync=True, echo_update=False)
    choices, images, kernels = (traitlets.Dict().tag(sync=True) for _ in range(3))

    def __init__(self, images: dict[int, torch.Tensor], *values):
        """images: {n_in: (n_in, n_in)}; values: what the sliders and the preset begin with."""
        kernels = {
            name: {str(k): make(k).tolist() for k in LIMITS["kernel_size"]}
            for name, make in PRESETS.items()
        }
        choices = {**LIMITS, "n_in": images, "preset": [*PRESETS, OWN]}
        super().__init__(
            choices={name: list(offered) for name, offered in choices.items()},
            images={str(n): image.tolist() for n, image in images.items()},
            kernels=kernels,
            **dict(zip(choices, values)),
        )

    @traitlets.observe("preset", "kernel_size")
    def _make_kernel(self, change):
        if self.preset != OWN:
            self.kernel = self.kernels[self.preset][str(self.kernel_size)]
        elif len(self.kernel) != self.kernel_size:
            self.kernel = _resized(self.kernel, self.kernel_size)

    @traitlets.observe("kernel")
    def _own_kernel(self, change):
        if self.preset != OWN and self.kernel == self.kernels[self.preset][str(self.kernel_size)]:
            return
        with self.hold_trait_notifications():
            self.preset, self.kernel_size = OWN, len(self.kernel)

    def figure(self) -> Figure:
        """The present settings and first window; ValueError for a kernel that does not fit."""
        g = ConvGeometry(*(getattr(self, name) for name in LIMITS))
        image, kernel = torch.tensor(self.images[str(g.n_in)]), torch.tensor(self.kernel)
        padded = F.pad(image, [g.padding] * 4)
        output = F.conv2d(padded[None], kernel[None, None], None, g.stride, 0, g.dilation)[0]
        fig = Figure(figsize=(11, 4), layout="constrained")
        widths = [max(n, g.padded / 3) for n in (g.padded, g.kernel_size, g.n_out)]
        settings = dict(k=g.kernel_size, stride=g.stride, dilation=g.dilation)
        titles = (
            label("input {n}×{n}, padding {padding}", n=g.n_in, padding=g.padding),
            label("kernel {k}×{k}\nstride {stride}, dilation {dilation}", **settings),
            label("output {n}×{n}", n=g.n_out),
        )
        axes, tables = fig.subplots(1, 3, width_ratios=widths), (padded, kernel, output)
        windows = (0, 0, g.span), None, (0, 0, 1)
        of_output = color_scale if len(self.images) == 1 else sign_scale  # as in the page
        scales = color_scale, sign_scale, of_output
        for ax, table, title, window, scale in zip(axes, tables, titles, windows, scales):
            numbers = 0 if len(table) > 20 else 8 if len(table) > 8 else 12
            show_table(ax, table, title, scale(table), window, numbers)
        return fig


@checked
def explore_convolution(
    n_in: int = 6,
    kernel_size: int = 3,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    preset: str = "random",
) -> Explorer:
    """Sliders, formula, and a convolution in which every cell shows what it is made of.

        explorer = lh.explore_convolution(n_in=7, stride=2)
        explorer.kernel = [[0, 1], [1, 0]]
        explorer.preset  # "own"

    Raises ValueError for what LIMITS and PRESETS do not offer. Notebook 01.
    """
    images = {n: sample_image(n) for n in LIMITS["n_in"]}
    return Explorer(images, n_in, kernel_size, stride, padding, dilation, preset)


@checked
def explore_kernels(image) -> Explorer:
    """An image (PIL image, array or tensor, as high as wide), a kernel to choose or edit, and the
    feature map that comes out. Grey levels become numbers from 0 to 1, floats and signed integers
    stay. Raises ValueError for other shapes and sizes. Notebook 01.

        lh.explore_kernels(digits.test.tensors[0][0]).preset = "sharpen"
    """
    table = _square(number_table(image, "image"), "image")
    n_in = whole_number("n_in", len(table), 1, LARGEST)
    return Explorer({n_in: table}, n_in, 3, 1, 1, 1, "vertical")
