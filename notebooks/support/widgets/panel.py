"""The widget that shows a training in the background. Notebook 04."""

import traitlets
from matplotlib.figure import Figure

from ..words.labels import label
from ..words.texts import text
from .widget import Widget

STATES = "running", "done", "stopped", "failed", "gone"


class TrainingPanel(Widget):
    """Shows a training; its Stop sends {"stop": True}. `TrainingRun` keeps it up to date.

    `state` (gone: Python ends while it trains); `epochs` in all; `seconds` so far, and `left`;
    `losses`: points (epochs, mean loss), None for NaN; `accuracies` in [0, 1], one for each
    finished epoch; `log`: its last line; `error`: what ended the training.
    """

    NAME, TEXTS = "panel", ("run_",)
    state = traitlets.Enum(STATES, "running").tag(sync=True)
    epochs = traitlets.Int(1).tag(sync=True)
    fraction, seconds = (traitlets.Float().tag(sync=True) for _ in range(2))
    left = traitlets.Float(None, allow_none=True).tag(sync=True)
    losses, accuracies = (traitlets.List().tag(sync=True) for _ in range(2))
    note, log, error = (traitlets.Unicode().tag(sync=True) for _ in range(3))

    def figure(self) -> Figure | None:
        """Both curves, once there are epochs."""
        if not self.accuracies:
            return None
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
        """Also how to bring the widget back."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/plain": text("panel_as_text")}, metadata
