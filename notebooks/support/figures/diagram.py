"""A network as a diagram, layer by layer."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..network.layer_table import LayerTable
from ..network.lenet5 import ACTIVATED, TITLES
from ..words.labels import label
from .images import blank_figure

DIAGRAM = {  # first letter of a layer's name: colour, what leads to it
    "i": ("white", ""),
    "c": ("#cfe3f5", "convolution\n{k}×{k}"),
    "s": ("#d9efd9", "max-pooling\n{k}×{k}"),
    "f": ("#fde0c5", "fully\nconnected"),
}


def network_diagram(table: LayerTable, sizes: bool = True) -> Figure:
    """A network for (1, 28, 28) images layer by layer, from its `layer_table`. Layers are named,
    and pass through ReLU, as LeNet5's."""
    figure = blank_figure(12, 3.6)
    ax = figure.subplots()
    end = _draw_layer(ax, 0, "input", (1, 28, 28), sizes)
    for row in table:
        start = end + 1.25
        _draw_arrow(ax, end, start, row)
        end = _draw_layer(ax, start, row.name, row.shape, sizes)
    ax.set(xlim=(-0.3, end + 0.45), ylim=(-3.5, 3.6), aspect="equal")
    ax.set_axis_off()
    return figure


def _draw_layer(ax, x, name, shape, sizes):
    """Draws a layer's maps, or neurons, from `x` on; returns where they end."""
    step = 0.14  # from one map to the next behind it
    maps = len(shape) == 3
    copies, height, width = (
        (shape[0], shape[1] / 9, shape[2] / 9) if maps else (1, shape[0] / 30, 0.35)
    )
    for k in range(copies):
        corner = x + k * step, (k - copies / 2) * step - height / 2
        look = {"facecolor": DIAGRAM[name[0]][0], "edgecolor": "#333333"}
        ax.add_patch(Rectangle(corner, width, height, **look))
    end = x + width + (copies - 1) * step
    size = f"{shape[0]}@{shape[1]}×{shape[2]}" if maps else shape[0]
    words = label(TITLES.get(name, name)).split()[0]  # there is no room for "(fc1)"
    words += f"\n{size}" if sizes else ""
    ax.text((x + end) / 2, 2.4, words, ha="center", va="bottom", fontsize=13)
    return end


def _draw_arrow(ax, end, start, row):
    """Draws the arrow to a layer, and what it stands for."""
    look = {"arrowstyle": "->", "color": "#333333"}
    ax.annotate("", (start - 0.08, 0), (end + 0.08, 0), arrowprops=look)
    if row.name in ACTIVATED:
        ax.text((start + end) / 2, 0.15, "ReLU", ha="center", color="#c05a00", fontsize=11)
    if row.name not in ("fc1", "fc3"):  # once is enough for three full connections
        geometry = row.geometry
        words = label(DIAGRAM[row.name[0]][1], k=geometry and geometry.kernel_size)
        words += f"\npadding {geometry.padding}" if geometry and geometry.padding else ""
        ax.text((start + end) / 2, -2.4, words, ha="center", va="top", fontsize=11)
