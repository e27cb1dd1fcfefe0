"""What each map of a layer looks for: the patches of many pictures that excite it most."""

import math

import matplotlib
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from ..checks import checked
from ..network.copies import snapshot
from ..network.layer_table import layer_table
from ..network.lenet5 import TITLES
from ..network.predictions import as_float, as_input
from ..words.labels import label
from ..words.texts import text
from .images import blank_figure, number_text, show_table

IMAGES = 2000  # a second's work
PADDING_COLOR = "#cfe3f5"  # where a patch sees padding, its values are NaN


def receptive_field(model: nn.Module, layer: str, i: int) -> tuple[int, int]:
    """What row (or column) `i` of a layer's maps sees of a 28x28 picture: the first pixel, below 0
    if that is in the padding, and how many pixels. Raises ValueError for no convolution or pooling
    layer, and where one before it has no geometry."""
    table = layer_table(model)
    names, layers = [row.name for row in table], dict(model.named_modules(remove_duplicate=False))
    known = [row.name for row in table if row.geometry and row.name in layers]
    if layer not in known:
        raise ValueError(text("patches_layer", layer=repr(layer), names=", ".join(known)))
    rows = [row for row in table[: names.index(layer) + 1] if "Norm" not in row.layer]
    for row in rows:
        if not row.geometry:
            raise ValueError(text("patches_window", layer=layer, name=row.name, kind=row.layer))
    first, size = i, 1
    for row in reversed(rows):
        g = row.geometry
        first, size = first * g.stride - g.padding, (size - 1) * g.stride + g.span
    return first, size


@torch.no_grad()
def strongest_patches(
    model: nn.Module, images: torch.Tensor, layer: str = "c3", n: int = 9
) -> tuple[torch.Tensor, torch.Tensor]:
    """The `n` patches that excite each map of a layer most: patches (maps, n, k, k), each from
    another of the images (N, 1, 28, 28), the strongest first, NaN where one sees padding; and the
    layer's values there (maps, n). Raises as `receptive_field`."""
    (first, k), (second, _) = (receptive_field(model, layer, i) for i in (0, 1))
    model, outputs, images = snapshot(model), [], as_float(images)
    model.get_submodule(layer).register_forward_hook(lambda *call: outputs.append(call[2].cpu()))
    for part in images.split(500):
        model(as_input(model, part))
    maps = torch.cat(outputs)
    values, cells = maps.flatten(2).max(2)  # the best of each picture's cells, (N, maps)
    values, pictures = values.topk(min(n, len(images)), dim=0)
    starts = [first + i * (second - first) + k for i in range(maps.shape[-1])]
    padded = F.pad(images.cpu(), [k] * 4, value=float("nan"))

    def patch(picture, channel):
        row, column = divmod(cells[picture, channel].item(), maps.shape[-1])
        top, left = starts[row], starts[column]
        return padded[picture, 0, top : top + k, left : left + k]

    patches = [
        torch.stack([patch(picture, channel) for picture in pictures[:, channel]])
        for channel in range(maps.shape[1])
    ]
    return torch.stack(patches), values.T


@checked
def show_patches(model: nn.Module, dataset: TensorDataset, layer: str = "c3", n: int = 9) -> Figure:
    """For each map of a layer, a row of the `n` patches that excite it most, out of a dataset's
    first 2,000 images, blue where one sees padding; and the first and the last one's values.
    Notebook 05.

        lh.show_patches(model, digits.test, "c3")  # or "features.0": a name in `layer_table`

    Raises ValueError for no convolution or pooling, or one behind a layer with no square window.
    """
    from torchvision.utils import make_grid  # takes seconds to import

    patches, values = strongest_patches(model, dataset.tensors[0][:IMAGES], layer, n)
    lines = math.ceil(len(patches) / 2)
    figure = blank_figure(11, 0.78 * lines + 0.4)
    figure.suptitle(label("{layer}: where each map is largest", layer=TITLES.get(layer, layer)))
    axes = figure.subplots(lines, 2, squeeze=False).flatten("F")  # down, then across
    colors = matplotlib.colormaps["gray_r"].with_extremes(bad=PADDING_COLOR)
    for ax in axes:
        ax.set_axis_off()
    for channel, (ax, row, best) in enumerate(zip(axes, patches, values.tolist())):
        grid = make_grid(row[:, None], nrow=n, padding=1, pad_value=0.25)[0]
        first, last = number_text(best[0]), number_text(best[-1])
        title = label("map {n}: {first} to {last}", n=channel, first=first, last=last)
        show_table(ax, grid, title, (colors, 0, 1))
    return figure
