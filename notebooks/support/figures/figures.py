"""The lesson's figures, each closed for pyplot: a notebook shows it once, as the cell's value."""

import math

import matplotlib
import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import TensorDataset

from ..checks import checked
from ..data.pictures import dark_on_light, grey_levels
from ..network.calls import refuse_scripted
from ..network.forward import as_scores
from ..network.inference import (
    LAYERS,
    Step,
    activations,
    as_input,
    first_convolution,
    predict_logits,
)
from ..words.labels import label
from ..words.texts import text
from .images import RIGHT, SIGNS, WRONG, color_scale, layer_grid, show_table


def blank_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches."""
    figure = plt.figure(figsize=(width, height), layout="constrained")
    plt.close(figure)
    return figure


def _digit_axes(rows, columns, row_height):
    """A figure and its axes, flat, for a digit each."""
    figure = blank_figure(11, row_height * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes:
        ax.set_axis_off()
    return figure, axes


def _show_digit(ax, image, title, color):
    ax.imshow(image.squeeze().numpy(), cmap="gray_r")
    ax.set_title(title, color=color, fontsize=11)


def _say_what_is_nan(logits):
    if not logits.isfinite().all():
        print(text("pad_nan"))


@checked
def show_predictions(model: nn.Module, dataset: TensorDataset, n: int = 20) -> Figure:
    """The first `n` images of a dataset, each with "guess (label)": green if right, red with a
    cross if wrong. `n` is at most 200; all are shown, if there are fewer. Notebooks 04 and 06."""
    images, labels = (tensor[:n] for tensor in dataset.tensors)
    n = len(images)
    logits = predict_logits(model, images)
    _say_what_is_nan(logits)
    guesses = logits.argmax(1)
    figure, axes = _digit_axes(math.ceil(n / 10), min(n, 10), 1.5)
    for ax, image, guess, truth in zip(axes, images, guesses.tolist(), labels.tolist()):
        right = guess == truth
        title = f"{guess} ({truth})" if right else f"{guess} ({truth}) ✗"
        _show_digit(ax, image, title, RIGHT if right else WRONG)
    return figure


@checked
def show_mistakes(evaluation, dataset: TensorDataset, n: int = 10) -> Figure:
    """The `n` worst mistakes (the surest wrong guesses): what the network thought of each.

    evaluation: what `evaluate` returned for this dataset; raises ValueError for another's. `n` is
    at most 200. Notebook 04.
    """
    images, labels = dataset.tensors
    _check_results(evaluation, labels)
    probabilities = as_scores(evaluation.logits).softmax(1)
    sure = probabilities.nan_to_num().max(1).values.where(evaluation.predictions != labels, -1.0)
    worst = [i for i in sure.argsort(descending=True)[:n].tolist() if sure[i] >= 0]
    figure, axes = _digit_axes(max(1, math.ceil(len(worst) / 5)), 5, 2.6)
    if not worst:
        figure.suptitle(label("no mistake in {n} pictures", n=len(labels)))
    for ax, i in zip(axes, worst):
        guess, truth = int(evaluation.predictions[i]), int(labels[i])
        p, q = probabilities[i, truth].item(), probabilities[i, guess].item()
        words = "#{i}: it is {truth} ({p:.1%})\nnetwork says {guess} ({q:.1%})"
        title = label(words, i=i, truth=truth, guess=guess, p=p, q=q)
        _show_digit(ax, images[i], title, WRONG)
    return figure


def _check_results(evaluation, labels):
    """Raises ValueError where what `evaluate` returned is not of pictures with these labels."""
    found, n = len(evaluation.predictions), len(labels)
    pairs = 10 * labels + evaluation.predictions if found == n else labels[:0]
    if not (pairs.bincount(minlength=100).numpy() == evaluation.confusion.flat).all():
        raise ValueError(text("foreign_results", found=found, n=n))


@checked
def show_confusion(evaluation) -> Figure:
    """The confusion matrix of what `evaluate` returned: rows are the labels, columns the guesses.
    Notebooks 04 and 06."""
    from sklearn.metrics import ConfusionMatrixDisplay  # takes seconds to import

    figure = blank_figure(7, 6)
    ax = figure.subplots()
    norm = matplotlib.colors.PowerNorm(0.3)  # else the few mistakes vanish beside the many right
    shown = ConfusionMatrixDisplay(evaluation.confusion)
    shown.plot(ax=ax, cmap="Blues", colorbar=False, im_kw={"norm": norm})
    shades = norm(evaluation.confusion)  # sklearn chooses its colours without the norm
    for number, shade in zip(shown.text_.flat, shades.flat):
        number.set_color("white" if shade > 0.5 else "black")
    ax.set(xlabel=label("the network's guess"), ylabel=label("true digit"))
    return figure


@checked
@torch.no_grad()
def show_filters(model: nn.Module, image=None) -> Figure:
    """The kernels of the model's first convolution: blue below zero, orange above.

    image: what `grey_levels` takes; below each kernel there is then the feature map that it makes
    of it, before ReLU. Raises ValueError for a model without a convolution. Notebook 04.
    """
    refuse_scripted(model)
    layer = first_convolution(model)
    if layer is None:
        raise ValueError(text("no_convolution"))
    tables = {"kernel {n}": layer.weight[:, 0]}
    if image is not None:
        levels = grey_levels(image, "image")[None, None]
        tables["map {n}"] = layer(as_input(layer, levels))[0]
    n = len(layer.weight)
    figure = blank_figure(1.9 * n, 2.1 * len(tables))
    rows = figure.subplots(len(tables), n, squeeze=False)
    for axes, (words, row) in zip(rows, tables.items()):
        for number, (ax, table) in enumerate(zip(axes, row)):
            show_table(ax, table, label(words, n=number), color_scale(row))
        figure.colorbar(axes[-1].images[0], ax=axes, shrink=0.8)
    return figure


LAYER_NAMES = {"input": "input", "c1": "C1", "s2": "S2", "c3": "C3", "s4": "S4"}
LAYER_NAMES |= {"fc1": "F5 (fc1)", "fc2": "F6 (fc2)", "fc3": "output"}


def next_layer(name: str, names: list[str] = LAYERS) -> str:
    """How the layer behind one of `names` is called."""
    after = [*names, "fc3"][names.index(name) + 1]  # behind the last, the output
    return label(LAYER_NAMES.get(after, after))


def _layer_title(name: str, step: Step) -> str:
    """ "C1: 6@28x28 after ReLU": a layer's name and size, and what its values have gone through."""
    size = "x".join(map(str, step.passed.shape[1:]))
    size = f"{len(step.passed)}@{size}" if size else len(step.passed)
    values = {"layer": label(LAYER_NAMES[name]), "size": size}
    if step.between:
        return label("{layer}: {size} after {between}", between=step.between, **values)
    if step.between is None and step.passed is not step.made:
        return label("{layer}: {size} as {next} takes it", next=next_layer(name), **values)
    return label("{layer}: {size}", **values)


@checked
def show_layers(model: nn.Module, image) -> Figure:
    """What every layer makes of one image, and the ten probabilities.

    image: 28x28 pixels: an array, tensor or PIL image, grey or in colour; a line says so if it is
    dark on light, which the network never saw. Each layer is shown as the next one takes it, C1,
    C3, F5 and F6 of LeNet-5 after ReLU; white is 0, black the layer's largest value; where there
    are negative ones, orange is above 0 and blue below. Raises ValueError for an image of another
    size and for a model without LeNet5's layers, in their order. Notebook 03.
    """
    steps = activations(model, image)
    _say_what_is_nan(steps["fc3"].passed)
    if dark_on_light(steps["input"].passed[0]):
        print(text("picture_paper"))
    figure = blank_figure(11, 5.6)
    grid = figure.add_gridspec(4, 3, width_ratios=[1.7, 4, 3.2], height_ratios=[5, 5, 1, 1])
    cells = {"input": grid[0, 0], "c1": grid[0, 1], "s2": grid[0, 2], "c3": grid[1, 1]}
    cells |= {"s4": grid[1, 2], "fc1": grid[2, 1:], "fc2": grid[3, 1:]}
    for name, cell in cells.items():
        ax, values = figure.add_subplot(cell, facecolor="0.75"), steps[name].passed
        scale = (SIGNS, -1, 1) if values.min() < 0 else ("gray_r", 0, 1)
        aspect = "equal" if values.dim() == 3 else "auto"
        title = _layer_title(name, steps[name])
        show_table(ax, layer_grid(name, values), title, scale, aspect=aspect)
    _show_probabilities(figure.add_subplot(grid[1:, 0]), steps["fc3"].passed.softmax(0).numpy())
    return figure


def _show_probabilities(ax, probabilities):
    best = probabilities.argmax()
    colors = ["#c05a00" if p == probabilities[best] else "#999999" for p in probabilities]
    ax.barh(range(10), probabilities, color=colors)
    ax.set(xlim=(0, 1), ylim=(9.6, -0.6), yticks=range(10), xticks=[0, 1])
    sure = probabilities[best]
    words = "no guess: NaN" if math.isnan(sure) else "guess: {digit} ({share:.1%})"
    ax.set_title(label(words, digit=best, share=sure), fontsize=11)
