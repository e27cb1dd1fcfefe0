"""Colours, and numbers and tables as pictures."""

import base64
import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

POSITIVE, NEGATIVE = "#e69f00", "#56b4e9"  # orange and sky blue: the colour-blind tell them apart
SIGNS = LinearSegmentedColormap.from_list(
    "signs", [NEGATIVE, "white", POSITIVE]
)  # for matplotlib; notebook 01
RIGHT, WRONG = "#117733", "#cc3311"  # green and red that the colour-blind can tell
MAPS_IN_A_ROW = {"input": 1, "c1": 6, "s2": 6, "c3": 8, "s4": 8}


def number_text(value):
    """A number in few characters: 3, −2, 0.13, 12.5, −4e−3."""
    if value.is_integer() and abs(value) < 1e5:
        text = str(int(value))
    elif 0.01 <= abs(value) < 1e5:
        text = f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("-", "−")


def minus_signs(text):
    return text.replace("-", "−")


def base64_text(write):
    """What `write(file)` writes, as text for a page."""
    file = io.BytesIO()
    write(file)
    return base64.b64encode(file.getvalue()).decode()


def png(fig, **options):
    return base64_text(lambda file: fig.savefig(file, format="png", **options))


def color_scale(table):
    """Colour map, lowest and highest value of a picture."""
    limit = table.abs().max().item() or 1
    if table.min() >= 0:
        return matplotlib.colormaps["gray_r"], 0, limit
    return SIGNS, -limit, limit


def show_table(ax, table, title, colors, low, high, frame=None, numbers=0, **options):
    """A table of numbers (height, width) as a picture. frame: (column, row, pixels) of a window to mark; numbers: font
    size of the values to write into the cells, 0 for none."""
    ax.imshow(table.numpy(), cmap=colors, vmin=low, vmax=high, **options)
    ax.set(xticks=[], yticks=[])
    ax.set_title(minus_signs(title), fontsize=11)
    if frame is not None:
        column, row, pixels = frame
        ax.add_patch(
            plt.Rectangle((column - 0.5, row - 0.5), pixels, pixels, fill=False, ec="#d55e00", lw=3)
        )
    if numbers:
        for (i, j), value in np.ndenumerate(table.numpy()):
            dark = abs(value) > high / 2 and low == 0  # a grey's; orange and blue are never dark
            ax.text(
                j,
                i,
                number_text(round(value.item(), 2)),
                ha="center",
                va="center",
                fontsize=numbers,
                color="white" if dark else "black",
            )


def layer_grid(name, values):
    """A layer's maps (n, h, w), or neurons (n,), in one picture (H, W) from 0 to 1, their largest value (the input: 1)."""
    values = (values if name == "input" else values / values.max().clamp(min=1e-9)).clamp(0, 1)
    if values.dim() == 1:
        return values[None]
    from torchvision.utils import make_grid

    return make_grid(values[:, None], nrow=MAPS_IN_A_ROW[name], padding=1, pad_value=0.25)[0]
