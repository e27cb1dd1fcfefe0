"""The widget that shows a training in the background. Notebook 04."""

import torch
import traitlets
from matplotlib.figure import Figure
from torch import nn

from ..figures.images import SIGNS, layer_grid, show_table
from ..words.labels import label
from ..words.texts import text
from .widget import Widget

STATES = "running", "done", "stopped", "failed", "gone"


class TrainingPanel(Widget):
    """Shows a training, which `TrainingRun` tells it of; its Stop sends {"stop": True}. `losses`:
    points (epochs, mean loss), None for NaN; `accuracies` in [0, 1], one for each finished epoch.
    At the start and after each: `kernels`, {"shape": [n, height, width], "values": float32}, {} if
    the input has no one channel; `answers`, the probability, None for NaN, of the label of each of
    `watched`, {"label", "image": 28x28 bytes}."""

    NAME, TEXTS = "panel", ("run_",)
    state = traitlets.Enum(STATES, "running").tag(sync=True)
    epochs = traitlets.Int(1).tag(sync=True)
    fraction, seconds = (traitlets.Float().tag(sync=True) for _ in range(2))
    left = traitlets.Float(None, allow_none=True).tag(sync=True)
    losses, accuracies = (traitlets.List().tag(sync=True) for _ in range(2))
    watched, answers = (traitlets.List().tag(sync=True) for _ in range(2))
    kernels = traitlets.Dict().tag(sync=True)
    note, log, error = (traitlets.Unicode().tag(sync=True) for _ in range(3))

    def show_digits(self, pairs: list[tuple[torch.Tensor, int]]) -> None:
        levels = [image.clamp(0, 1).mul(255).byte().numpy().tobytes() for image, _ in pairs]
        self.watched = [dict(label=pair[1], image=image) for pair, image in zip(pairs, levels)]

    def show_kernels(self, layers: list[nn.Conv2d | None]) -> None:
        """layers: the first convolution, if there is one, at the start and after each epoch."""
        if layers[0] and layers[0].weight.shape[1] == 1:
            values = torch.stack([layer.weight.detach()[:, 0].float() for layer in layers])
            self.kernels = {"shape": [*values.shape[1:]], "values": values.numpy().tobytes()}

    def figure(self) -> Figure | None:
        """Both curves, the last kernels and answers, once there are epochs."""
        if not self.accuracies:
            return None
        fig = Figure(figsize=(9, 3.6), layout="constrained")
        (loss, accuracy), below = fig.subplots(2, 2, height_ratios=(2.6, 1))
        for ax in below:
            ax.axis("off")
        if self.kernels:
            values = torch.frombuffer(bytearray(self.kernels["values"]), dtype=torch.float32)
            last = layer_grid("c1", values.view(-1, *self.kernels["shape"])[-1])
            title = label("first layer's kernels after epoch {n}", n=len(self.accuracies))
            show_table(below[0], last, title, (SIGNS, -1, 1))
        for i, (digit, share) in enumerate(zip(self.watched, (self.answers or [[]])[-1])):
            levels = torch.frombuffer(bytearray(digit["image"]), dtype=torch.uint8).view(28, 28)
            ax = below[1].inset_axes((i / 3, 0, 0.3, 1))
            said = "NaN" if share is None else f"{share:.1%}"
            show_table(ax, levels, f"{digit['label']}: {said}", ("gray_r", 0, 255))
        loss.plot(*zip(*self.losses), color="#3070b0")  # None makes a gap
        loss.set(yscale="log", title=label("training loss"))
        percent = [100 * value for value in self.accuracies]
        accuracy.plot(range(1, len(percent) + 1), percent, "o-", color="#c05a00")
        accuracy.set(title=label("test accuracy (%)"))
        for ax in (loss, accuracy):
            ax.set(xlabel=label("epoch"))
            ax.locator_params(axis="x", integer=True, min_n_ticks=1)
        return fig

    def _repr_mimebundle_(self, **kwargs):
        """Also how to bring the widget back."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/plain": text("panel_as_text")}, metadata
