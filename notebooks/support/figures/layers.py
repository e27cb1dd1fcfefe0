"""What every layer of LeNet-5 makes of one image."""

import math

from matplotlib.figure import Figure
from torch import nn

from ..checks import checked
from ..data.pictures import dark_on_light
from ..network.activations import Step, activations
from ..network.lenet5 import TITLES
from ..network.predictions import say_what_is_nan
from ..words.labels import label
from ..words.texts import text
from .images import SIGNS, blank_figure, layer_grid, show_table


def _layer_title(name: str, step: Step, sizes: bool) -> str:
    """ "C1: 6@28×28 after ReLU": a layer's name and size, and what its values have gone through."""
    layer, size = label(TITLES[name]), "×".join(map(str, step.activation.shape[1:]))
    if sizes:
        size = f"{len(step.activation)}@{size}" if size else len(step.activation)
        layer = label("{layer}: {size}", layer=layer, size=size)
    if step.between:
        return label("{layer} after {between}", layer=layer, between=label(step.between))
    return layer


@checked
def show_layers(model: nn.Module, image, sizes: bool = True) -> Figure:
    """What every layer makes of an image of 28x28 pixels (array, tensor or PIL image), as the next
    layer takes it, and the ten probabilities. White is 0, black the layer's largest value; where
    there are negative ones, orange is above 0 and blue below. Notebook 03.

        lh.show_layers(model, digits.test.tensors[0][4])

    `sizes=False` leaves the sizes out of the titles. Raises ValueError for another size and for a
    model without LeNet5's layers.
    """
    steps = activations(model, image)
    say_what_is_nan(steps["fc3"].activation)
    if dark_on_light(steps["input"].activation[0]):
        print(text("picture_paper"))
    figure = blank_figure(11, 5.6)
    grid = figure.add_gridspec(4, 3, width_ratios=[1.7, 4, 3.2], height_ratios=[5, 5, 1, 1])
    cells = {"input": grid[0, 0], "c1": grid[0, 1], "s2": grid[0, 2], "c3": grid[1, 1]}
    cells |= {"s4": grid[1, 2], "fc1": grid[2, 1:], "fc2": grid[3, 1:]}
    for name, cell in cells.items():
        ax, values = figure.add_subplot(cell, facecolor="0.75"), steps[name].activation
        scale = (SIGNS, -1, 1) if values.min() < 0 else ("gray_r", 0, 1)
        aspect = "equal" if values.dim() == 3 else "auto"
        title = _layer_title(name, steps[name], sizes)
        show_table(ax, layer_grid(name, values), title, scale, aspect=aspect)
    _show_probabilities(figure.add_subplot(grid[1:, 0]), steps["fc3"].activation.softmax(0).numpy())
    return figure


def _show_probabilities(ax, probabilities):
    best = probabilities.argmax()
    colors = ["#c05a00" if p == probabilities[best] else "#999999" for p in probabilities]
    ax.barh(range(10), probabilities, color=colors)
    ax.set(xlim=(0, 1), ylim=(9.6, -0.6), yticks=range(10), xticks=[0, 1])
    ax.set(xlabel=label("probability"), ylabel=label("digit"))
    sure = probabilities[best]
    words = "no guess: NaN" if math.isnan(sure) else "guess: {digit} ({share:.1%})"
    ax.set_title(label(words, digit=best, share=sure), fontsize=11)
