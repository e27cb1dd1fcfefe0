"""One step downhill, in numbers: the loss as one weight varies, and after one step of all weights.

downhill.js draws them.
"""

import torch
import traitlets
from matplotlib.figure import Figure
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from ..checks import checked
from ..network.activations import refuse_scripted
from ..network.copies import snapshot
from ..network.learning import check_learning
from ..network.predictions import as_input, check_batch
from ..words.labels import label
from ..words.texts import text
from .widget import Widget

PICTURES = 500  # of a dataset: the loss is their mean
RATES = [float(f"{step}e{power}") for power in range(-2, 2) for step in (1, 1.5, 2, 3, 5, 7)]


class Downhill(Widget):
    """The loss along one weight, a valley, and after one step of all. weights: where the weight has
    stood, now last; learning_rate: one of RATES; both may be set. losses: after a step of all
    weights at each of RATES, None where it is no number."""

    NAME, TEXTS = "downhill", ("downhill_",)
    weights = traitlets.List(traitlets.Float(), minlen=1).tag(sync=True)
    learning_rate = traitlets.Enum(RATES, 1.0).tag(sync=True)
    digit, n_weights = traitlets.Int().tag(sync=True), traitlets.Int().tag(sync=True)
    valley, before = traitlets.Dict().tag(sync=True), traitlets.Float().tag(sync=True)
    losses, rates = traitlets.List().tag(sync=True), traitlets.List(RATES).tag(sync=True)

    def loss(self, weight: float) -> float:
        """The pictures' mean loss if the weight were `weight` and all others as they are."""
        margins = torch.tensor(self.valley["margins"], dtype=torch.float64)
        curved = F.softplus(margins + weight).mean().item()
        return curved - self.valley["share"] * weight + self.valley["rest"]

    def figure(self) -> Figure:
        """Both curves, for a page without a kernel."""
        fig = Figure(figsize=(9, 3), layout="constrained")
        one, every = fig.subplots(1, 2)
        for places, look in ((range(-10, 11), "-"), (self.weights, "o-")):
            one.plot(places, [self.loss(place) for place in places], look)
        weight = label("bias of digit {digit}'s score", digit=self.digit)
        one.set(title=label("loss as this bias varies"), xlabel=weight)
        known = [(rate, loss) for rate, loss in zip(self.rates, self.losses) if loss is not None]
        every.semilogx(*zip(*known))
        every.axhline(self.before, color="#888888", linestyle="--")
        title = label("loss after one step of all parameters")
        every.set(title=title, xlabel=label("learning rate"), ylim=(0, 2 * self.before))
        return fig


@checked
def downhill(model: nn.Module, dataset: TensorDataset, digit: int = 0) -> Downhill:
    """One step downhill on a dataset's first 500 pictures: of one weight, the bias of output
    `digit` (the loss is convex in it: a valley), and of all weights along the gradient.

        down = lh.downhill(model, digits.train, digit=0)
        down.learning_rate = 0.5
        down.loss(-2.5)  # if the bias were -2.5

    Raises ValueError for a model that lacks `fc3`, learns nothing or gives no numbers. Notebook 04.
    """
    refuse_scripted(model)
    check_learning(model)
    model = snapshot(model).cpu()
    if not hasattr(model, "fc3"):
        raise ValueError(text("no_layer", name="fc3", names="fc3"))
    images, labels = (tensor[:PICTURES].cpu() for tensor in dataset.tensors)
    images = as_input(model, images)
    logits = model(images)
    check_batch(logits, labels)
    if not logits.isfinite().all():
        raise ValueError(text("not_finite"))
    bias = model.fc3.bias[digit].item()
    model.zero_grad()
    before = F.cross_entropy(logits, labels)
    before.backward()
    return Downhill(
        weights=[bias],
        digit=digit,
        n_weights=sum(parameter.numel() for parameter in model.parameters()),
        valley=_valley(logits.detach().double(), labels, digit, bias),
        before=before.item(),
        losses=[_loss_after_a_step(model, images, labels, rate) for rate in RATES],
    )


def _valley(logits, labels, digit, bias):
    """What makes the loss for any bias of output `digit`: the mean of log(1 + exp(margin + bias)),
    less the share of the digit times bias, and the rest, which no bias changes."""
    others = torch.cat([logits[:, :digit], logits[:, digit + 1 :]], 1).logsumexp(1)
    margins, right = logits[:, digit] - bias - others, logits.gather(1, labels[:, None])[:, 0]
    rest = torch.where(labels == digit, -margins, others - right).mean().item()
    share = (labels == digit).double().mean().item()
    return {"margins": margins.tolist(), "share": share, "rest": rest}


@torch.no_grad()
def _loss_after_a_step(model, images, labels, rate):
    """After one step of plain SGD along the gradients that the model holds, which stays."""
    moved = {
        name: weight - rate * weight.grad
        for name, weight in model.named_parameters()
        if weight.grad is not None
    }
    loss = F.cross_entropy(functional_call(model, moved, images), labels)
    return loss.item() if loss.isfinite() else None
