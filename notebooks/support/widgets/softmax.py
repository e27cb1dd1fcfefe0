"""Softmax and cross-entropy: ten scores, their shares, and the loss. softmax.js draws them."""

import torch
import traitlets
from matplotlib.figure import Figure

from ..checks import checked
from ..network.predictions import as_scores
from ..words.labels import label
from ..words.texts import text
from .widget import Widget


class SoftmaxExplorer(Widget):
    """Scores to slide, exp, share and loss of each. scores: as the sliders stand, may be set;
    logits: as they were at first; label: the right one."""

    NAME, TEXTS = "softmax", ("softmax_",)
    scores, logits = traitlets.List().tag(sync=True), traitlets.List().tag(sync=True)
    label = traitlets.Int().tag(sync=True)

    def figure(self) -> Figure:
        """Shares and loss, for a page without a kernel."""
        shares = torch.tensor(self.scores).softmax(0)
        fig = Figure(figsize=(6, 2.6), layout="constrained")
        ax = fig.subplots()
        bars = ax.bar(range(len(shares)), shares.tolist(), color="#999999")
        bars[self.label].set_color("#009e73")
        ax.bar_label(bars, [f"{share:.1%}" for share in shares.tolist()], fontsize=8)
        loss = -shares[self.label].log().item()
        title = label("-ln(share of {digit}) = {loss:.3f}", digit=self.label, loss=loss)
        ax.set(title=title, ylim=(0, 1.1), xticks=range(len(shares)))
        ax.set(xlabel=label("digit"), ylabel=label("share"))
        return fig


@checked
def explore_softmax(logits, label: int) -> SoftmaxExplorer:
    """A picture's scores as sliders: exp of each, its share of the sum (softmax), and the loss
    (cross-entropy), which is -ln of the right one's share.

        lh.explore_softmax(model(image[None])[0], label=6)

    logits: ten numbers. Raises TypeError or ValueError for anything else. Notebook 04.
    """
    scores = as_scores(logits)
    if scores is not logits:
        print(text("already_shares"))
    scores = scores.tolist()
    return SoftmaxExplorer(scores=scores, logits=scores, label=label)
