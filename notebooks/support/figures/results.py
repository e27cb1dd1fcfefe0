"""How good a network is, in pictures: its guesses, its mistakes, its first kernels."""

import math

import matplotlib
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import TensorDataset

from ..checks import checked
from ..data.pictures import grey_levels
from ..network.activations import refuse_scripted
from ..network.copies import first_convolution
from ..network.predictions import as_input, as_scores, predict_logits, say_what_is_nan
from ..words.labels import label
from ..words.texts import text
from .images import RIGHT, WRONG, blank_figure, color_scale, show_table, sign_scale


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


@checked
def show_predictions(model: nn.Module, dataset: TensorDataset, n: int = 20) -> Figure:
    """The first `n` images of a dataset, each with "guess (label)": green if right, red with a
    cross if wrong. `n` is at most 200; all are shown, if there are fewer. Notebook 07.

        lh.show_predictions(model, digits.test, n=10)
    """
    images, labels = (tensor[:n] for tensor in dataset.tensors)
    n = len(images)
    logits = predict_logits(model, images)
    say_what_is_nan(logits)
    guesses = logits.argmax(1)
    figure, axes = _digit_axes(math.ceil(n / 10), min(n, 10), 1.5)
    figure.suptitle(label("the network's guess (true digit)"))
    for ax, image, guess, truth in zip(axes, images, guesses.tolist(), labels.tolist()):
        right = guess == truth
        title = f"{guess} ({truth})" if right else f"{guess} ({truth}) ✗"
        _show_digit(ax, image, title, RIGHT if right else WRONG)
    return figure


@checked
def show_mistakes(evaluation, dataset: TensorDataset, n: int = 10) -> Figure:
    """The `n` worst mistakes (the surest wrong guesses): what the network thought of each. Raises
    ValueError where `evaluate` was given another dataset. Notebook 04.

        lh.show_mistakes(lh.evaluate(model, digits.test), digits.test)
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
    Notebooks 04 and 07.

        lh.show_confusion(lh.evaluate(model, digits.test))
    """
    from sklearn.metrics import ConfusionMatrixDisplay  # takes seconds to import

    figure = blank_figure(7, 6)
    ax = figure.subplots()
    norm = matplotlib.colors.PowerNorm(0.3)  # else the few mistakes vanish beside the many right
    shown = ConfusionMatrixDisplay(evaluation.confusion)
    shown.plot(ax=ax, cmap="Blues", colorbar=False, im_kw={"norm": norm})
    shades = norm(evaluation.confusion)  # sklearn chooses its colours without the norm
    for number, shade in zip(shown.text_.flat, shades.flat):
        number.set_color("white" if shade > 0.5 else "black")
    right, n = sum(evaluation.correct), sum(evaluation.total)
    title = label("{right:,} of {n:,} right", right=right, n=n)
    ax.set(title=title, xlabel=label("the network's guess"), ylabel=label("true digit"))
    return figure


@checked
@torch.no_grad()
def show_filters(model: nn.Module, image=None) -> Figure:
    """The kernels of the model's first convolution, blue below zero, orange above; given an image,
    below each its feature map, before ReLU. Notebook 05.

        lh.show_filters(model, digits.test.tensors[0][4])

    Raises ValueError for a model without a convolution.
    """
    refuse_scripted(model)
    layer = first_convolution(model)
    if layer is None:
        raise ValueError(text("no_convolution"))
    kernels = layer.weight[:, 0]
    shown = {"kernel {n}": ("weight", kernels, sign_scale(kernels))}
    if image is not None:
        levels = grey_levels(image, "image")[None, None]
        maps = layer(as_input(layer, levels))[0]
        shown["map {n}"] = "value before ReLU", maps, color_scale(maps)
    n = len(layer.weight)
    figure = blank_figure(1.9 * n, 2.1 * len(shown))
    rows = figure.subplots(len(shown), n, squeeze=False)
    for axes, (words, (values, tables, scale)) in zip(rows, shown.items()):
        for number, (ax, table) in enumerate(zip(axes, tables)):
            show_table(ax, table, label(words, n=number), scale)
        figure.colorbar(axes[-1].images[0], ax=axes, shrink=0.8, label=label(values))
    return figure
