"""Empty figures, colours, and numbers, tables and maps as images."""

import base64
import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..network.lenet5 import MAPS_IN_A_ROW

POSITIVE, NEGATIVE = "#e69f00", "#56b4e9"  # orange and sky blue: the colour-blind tell them apart
SIGNS = LinearSegmentedColormap.from_list("signs", [NEGATIVE, "white", POSITIVE])
RIGHT, WRONG = "#117733", "#cc3311"  # green and red that the colour-blind can tell


def number_text(value: float) -> str:
    """A number in few characters: 3, −2, 0.13, 12.5, −4e−3."""
    if value.is_integer() and abs(value) < 1e5:
        text = str(int(value))
    elif 0.01 <= abs(value) < 1e5:
        digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
        text = f"{value:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return minus_signs(text)


def minus_signs(text: str) -> str:
    return text.replace("-", "−")


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, closed for pyplot: a notebook then shows it once."""
    figure = plt.figure(figsize=(width, height), layout="constrained")
    plt.close(figure)
    return figure


def png(figure: Figure, **options) -> str:
    """A figure as a PNG, in base64; options as in `Figure.savefig`."""
    file = io.BytesIO()
    figure.savefig(file, format="png", **options)
    return base64.b64encode(file.getvalue()).decode()


def sign_scale(table: torch.Tensor) -> tuple[Colormap, float, float]:
    """SIGNS, lowest and highest value for weights and products, though none be negative."""
    limit = table.abs().max().item() or 1
    return SIGNS, -limit, limit


def color_scale(table: torch.Tensor) -> tuple[Colormap, float, float]:
    """The same for pictures and maps: grey, or SIGNS where there are negatives."""
    colors, low, high = sign_scale(table)
    return (matplotlib.colormaps["gray_r"], 0, high) if table.min() >= 0 else (colors, low, high)


def show_table(
    ax: Axes,
    table: torch.Tensor,
    title: str,
    scale: tuple[Colormap | str, float, float],
    window: tuple[int, int, int] | None = None,
    numbers: int = 0,
    **options,
) -> None:
    """Draws a table of numbers (height, width), a pixel each. scale: as of `color_scale`; window:
    (column, row, pixels) of a window to frame; numbers: the font size of the values, 0 for none."""
    colors, low, high = scale
    ax.imshow(table.numpy(), cmap=colors, vmin=low, vmax=high, **options)
    ax.set(xticks=[], yticks=[])
    ax.set_title(minus_signs(title), fontsize=11)
    if window is not None:
        column, row, pixels = window
        corner = column - 0.5, row - 0.5
        ax.add_patch(Rectangle(corner, pixels, pixels, fill=False, ec="#d55e00", lw=3))
    for (i, j), value in np.ndenumerate(table.numpy()) if numbers else ():
        dark = abs(value) > high / 2 and low == 0  # a grey's; orange and blue are never dark
        word = number_text(round(value.item(), 2))
        style = {"fontsize": numbers, "color": "white" if dark else "black"}
        ax.text(j, i, word, ha="center", va="center", **style)


def layer_grid(name: str, values: torch.Tensor) -> torch.Tensor:
    """A layer's maps (n, h, w), or neurons (n,), side by side in one image (H, W) from -1 to 1: 1
    is the layer's largest value, whatever its sign; of the input, 1. NaN between the maps."""
    largest = 1 if name == "input" else values.abs().max().clamp(min=1e-9)
    values = (values / largest).clamp(-1, 1)
    if values.dim() == 1:
        return values[None]
    from torchvision.utils import make_grid  # takes seconds to import

    columns = MAPS_IN_A_ROW[name]
    return make_grid(values[:, None], nrow=columns, padding=1, pad_value=float("nan"))[0]
