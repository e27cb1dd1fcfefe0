"""The widget that shows a training in the background. Notebook 04."""

import contextlib
from pathlib import Path

import anywidget
import traitlets
from matplotlib.figure import Figure

from ..figures.images import png
from ..words.labels import label
from ..words.texts import page_texts, text

STATES = "running", "done", "stopped", "failed", "gone"


class TrainingPanel(anywidget.AnyWidget):
    """Shows a training; its Stop sends {"stop": True}. `TrainingRun` keeps it up to date.

    `state` (gone: Python ends while it trains); `epochs` in all; `fraction` done; `seconds` so far,
    and `left`, None at the start; `note`: a network that only guesses, a
    model that is not as its copy; `losses`: points (epochs, mean loss), None for NaN; `accuracies`
    in [0, 1], one for each finished epoch; `log`: its last line; `error`: what ended the training.
    """

    _esm = Path(__file__).with_name("panel.js")
    _css = Path(__file__).with_name("panel.css")
    texts = traitlets.Dict().tag(sync=True)
    state = traitlets.Enum(STATES, "running").tag(sync=True)
    epochs = traitlets.Int(1).tag(sync=True)
    fraction, seconds = traitlets.Float().tag(sync=True), traitlets.Float().tag(sync=True)
    left = traitlets.Float(None, allow_none=True).tag(sync=True)
    losses, accuracies = traitlets.List().tag(sync=True), traitlets.List().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    log, error = traitlets.Unicode().tag(sync=True), traitlets.Unicode().tag(sync=True)

    def __init__(self, epochs: int):
        super().__init__(epochs=epochs, texts=page_texts("run_"))

    def figure(self) -> Figure:
        """Both curves, for a page without a kernel."""
        fig = Figure(figsize=(9, 2.6), layout="constrained")
        loss, accuracy = fig.subplots(1, 2)
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
        """The widget; how to bring it back; and, once there are epochs, a PNG of the curves."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data = {**data, "text/plain": text("panel_as_text")}
        if self.accuracies:
            with contextlib.suppress(Exception):  # the widget is there all the same
                data["image/png"] = png(self.figure())
        return data, metadata
