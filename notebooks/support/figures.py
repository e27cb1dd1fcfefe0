"""The lesson's figures. A notebook shows a figure once, as the cell's value."""

import copy
import math

import matplotlib
import matplotlib.pyplot as plt
from torch import nn
from torch.nn import functional as F

from .images import RIGHT, WRONG, color_scale, layer_grid, minus_signs, show_table
from .inference import LAYERS, activations, images_and_labels, predict_logits
from .sizes import ConvGeometry, side
from .texts import text


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


def show_predictions(model, dataset, n=20):
    """The first `n` pictures of a dataset, each with "guess (label)": green if right, red with a cross if wrong.
    Returns a Figure. Notebook 04."""
    images, labels = (tensor[:n] for tensor in images_and_labels(dataset))
    guesses = predict_logits(model, images).argmax(1)
    fig, axes = _figure(
        math.ceil(n / 10), min(n, 10), figsize=(11, 1.5 * math.ceil(n / 10)), squeeze=False
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, image, guess, label in zip(axes.flat, images, guesses.tolist(), labels.tolist()):
        _show_digit(
            ax,
            image,
            f"{guess} ({label})" + " ✗" * (guess != label),
            RIGHT if guess == label else WRONG,
        )
    return fig


def show_mistakes(evaluation, dataset, n=10):
    """The `n` worst mistakes (the surest wrong guesses): what the network thought of each. A Figure. Notebook 04."""
    images, labels = images_and_labels(dataset)
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
        _show_digit(
            ax,
            images[i],
            f"#{i}: it is {label} ({probabilities[i, label]:.1%})\n"
            f"network says {guess} ({probabilities[i, guess]:.1%})",
            WRONG,
        )
    return fig


def show_confusion(evaluation):
    """The confusion matrix: rows are the labels, columns the guesses. Returns a Figure. Notebook 04."""
    from sklearn.metrics import ConfusionMatrixDisplay

    fig, ax = _figure(figsize=(7, 6))
    norm = matplotlib.colors.PowerNorm(
        0.3
    )  # else the few mistakes vanish beside the many right ones
    shown = ConfusionMatrixDisplay(evaluation.confusion).plot(
        ax=ax, cmap="Blues", colorbar=False, im_kw={"norm": norm}
    )
    for number, shade in zip(
        shown.text_.flat, norm(evaluation.confusion).flat
    ):  # sklearn's choice knows no norm
        number.set_color("white" if shade > 0.5 else "black")
    ax.set(xlabel="the network's guess", ylabel="true digit")
    return fig


def show_filters(model):
    """The kernels of the model's first convolution: blue below zero, orange above. Returns a Figure. Raises ValueError
    for a model without one. Notebook 04."""
    weights = next(
        (m.weight.detach().cpu()[:, 0] for m in model.modules() if isinstance(m, nn.Conv2d)), None
    )
    if weights is None:
        raise ValueError(text("no_convolution"))
    fig, axes = _figure(1, len(weights), figsize=(1.9 * len(weights), 2.1), squeeze=False)
    for number, (ax, weight) in enumerate(zip(axes.flat, weights)):
        show_table(ax, weight, f"kernel {number}", *color_scale(weights))
    fig.colorbar(ax.images[0], ax=axes, shrink=0.8)
    return fig


def network_diagram(table, path=None):
    """A network layer by layer, from its `layer_table`. Returns a Figure; `path` saves it as SVG. Notebook 03, in
    `lenet5_diagram`."""
    fig, ax = _figure(figsize=(12, 3.6))
    names = {
        "c1": "C1",
        "s2": "S2",
        "c3": "C3",
        "s4": "S4",
        "fc1": "F5",
        "fc2": "F6",
        "fc3": "output",
    }
    x, end, step = 0.0, None, 0.14  # step: from one map of a layer to the next behind it
    for name, shape, geometry in [
        ("input", (1, 28, 28), None),
        *((row.name, row.shape, row.geometry) for row in table),
    ]:
        copies, height, width = (
            (shape[0], shape[1] / 9, shape[2] / 9) if len(shape) == 3 else (1, shape[0] / 30, 0.35)
        )
        color = {"i": "white", "c": "#cfe3f5", "s": "#d9efd9", "f": "#fde0c5"}[name[0]]
        for k in range(copies):
            ax.add_patch(
                plt.Rectangle(
                    (x + k * step, (k - copies / 2) * step - height / 2),
                    width,
                    height,
                    facecolor=color,
                    edgecolor="#333333",
                )
            )
        if end is not None:
            kind = {
                "c": "convolution\n{0}x{0}",
                "s": "max-pooling\n{0}x{0}",
                "f": "full\nconnection",
            }[name[0]]
            kind = kind.format(geometry and geometry.kernel_size)
            ax.annotate(
                "",
                (x - 0.08, 0),
                (end + 0.08, 0),
                arrowprops={"arrowstyle": "->", "color": "#333333"},
            )
            if name not in ("fc1", "fc3"):  # once is enough for three full connections
                ax.text((x + end) / 2, -2.4, kind, ha="center", va="top", fontsize=11)
        end = x + width + (copies - 1) * step
        size = "@".join(
            [str(shape[0]), *(["x".join(map(str, shape[1:]))] if len(shape) == 3 else [])]
        )
        ax.text(
            (x + end) / 2,
            2.4,
            f"{names.get(name, name)}\n{size}",
            ha="center",
            va="bottom",
            fontsize=13,
        )
        x = end + 1.25
    ax.set(xlim=(-0.3, x - 0.8), ylim=(-3.5, 3.6), aspect="equal")
    ax.set_axis_off()
    if path is not None:
        with matplotlib.rc_context({"svg.hashsalt": "lenet5"}):  # the same file each time
            fig.savefig(path, format="svg", metadata={"Date": None})
    return fig


def layer_title(name, values, after_relu):
    size = (
        f"{len(values)}@{values.shape[1]}x{values.shape[2]}" if values.dim() == 3 else len(values)
    )
    return f"{name if name == 'input' else name.upper()}: {size}{after_relu if name in ('c1', 'c3', 'fc1', 'fc2') else ''}"


def show_layers(model, image):
    """What every layer makes of one picture (28, 28) or (1, 28, 28), uint8 or float in [0, 1], and the ten probabilities.

    C1, C3, FC1 and FC2 are shown after ReLU; white is 0, black the layer's largest value. Returns a Figure. Raises
    ValueError for a picture of another size and for a model that lacks a layer of that name. Notebook 03.
    """
    fig = _blank(11, 5.6)
    grid = fig.add_gridspec(4, 3, width_ratios=[1.7, 4, 3.2], height_ratios=[5, 5, 1, 1])
    places = {
        "input": grid[0, 0],
        "c1": grid[0, 1],
        "s2": grid[0, 2],
        "c3": grid[1, 1],
        "s4": grid[1, 2],
        "fc1": grid[2, 1:],
        "fc2": grid[3, 1:],
    }
    steps = activations(model, image)
    for name, place in places.items():
        show_table(
            fig.add_subplot(place),
            layer_grid(name, steps[name]),
            layer_title(name, steps[name], " after ReLU"),
            "gray_r",
            0,
            1,
            aspect="equal" if steps[name].dim() == 3 else "auto",
        )
    probabilities = steps["fc3"].softmax(0).numpy()
    ax = fig.add_subplot(grid[1:, 0])
    ax.barh(
        range(10),
        probabilities,
        color=["#c05a00" if p == probabilities.max() else "#999999" for p in probabilities],
    )
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
        raise ValueError(text("explain_layer", layer=repr(layer)))
    model = copy.deepcopy(
        model
    )  # one and the same weights for maps and sum, should it be in training
    steps, module = activations(model, image), getattr(model, layer)
    below = ["input", *LAYERS][LAYERS.index(layer)]
    source, maps = steps[below], steps[layer]
    for name, at, n in zip(("channel", "row", "column"), (channel, row, column), maps.shape):
        if not hasattr(at, "__index__") or at not in range(n):
            raise ValueError(text("explain_cell", name=name, at=repr(at), layer=layer, last=n - 1))
    g = ConvGeometry(
        source.shape[-1],
        *(side(getattr(module, name)) for name in ("kernel_size", "stride", "padding")),
    )
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
        reason = (
            f"{' '.join(f'{s:+.3f}' for s in sums)}   {bias:+.3f} (bias)   =  {sum(sums) + bias:.3f},   "
            f"after ReLU: {value:.3f}"
        )
    else:
        reason = f"the largest of {', '.join(f'{v:.3f}' for v in patch.flatten())} is {value:.3f}"

    alone = (
        len(numbers) == 1
    )  # one map: from left to right, with numbers; several: each from top to bottom
    fig = _blank(11, 3 if alone else 6.6)
    fig.suptitle(
        minus_signs(f"{layer.upper()}, map {channel}, row {row}, column {column}:   {reason}"),
        fontsize=12,
    )
    grid = fig.add_gridspec(
        *((1, len(stages) + 2) if alone else (len(stages) + 1, len(numbers) + 2))
    )

    def picture(place, table, whole, title, frame=None):
        show_table(
            fig.add_subplot(place),
            table,
            title,
            *color_scale(whole),
            frame,
            8 if alone and frame is None else 0,
        )

    for c, number in enumerate(numbers):
        title = "input" if below == "input" else f"{below.upper()}, map {number}"
        picture(
            grid[0, 0] if alone else grid[0, c],
            source[c],
            source,
            title,
            (g.window(column)[0], g.window(row)[0], g.span),
        )
        for k, (title, tables, whole) in enumerate(stages, 1):
            title += f"\nsum {sums[c]:+.3f}" if k == 3 else ""
            picture(grid[0, k] if alone else grid[k, c], tables[c], whole, title)
    picture(
        grid[0, -1] if alone else grid[1:3, -2:],
        maps[channel],
        maps,
        f"{layer.upper()}, map {channel}\nvalue {value:.3f}",
        (column, row, 1),
    )
    return fig
