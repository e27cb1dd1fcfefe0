"""The draw pad, in numbers: what is drawn, what a network makes of it. draw_pad.js draws them."""

import threading

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from ..checks import check_argument
from ..data.drawing import PEN, SAMPLES, SIDE, centred, ink_levels
from ..data.own_digits import keep_drawing, read_drawings
from ..figures.layers import show_layers
from ..network.activations import activations
from ..words.labels import label
from ..words.texts import text
from .widget import Offered, Widget


class DrawPad(Widget):
    """A pad to draw a digit on and, as one draws, what a network makes of it: the image it sees,
    its guesses, the ten probabilities and the maps of every layer. Notebook 00.

        pad = lh.DrawPad({"trained": model, "untrained": lh.LeNet5()})
        pad.drawing = lh.sample_drawing(3)
        pad.image.shape  # (1, 28, 28)

    models: a model with the layers of `LeNet5`, or {name: model} to choose from. `drawing`: uint8
    (112, 112), 0 is empty; may be set. `centre`: whether `to_mnist_style` is used. `network`: the
    chosen name. `image`: float (1, 28, 28). Raises TypeError or ValueError for anything else.
    """

    NAME, TEXTS = "draw_pad", ("pad_",)
    centre = traitlets.Bool(True).tag(sync=True)
    network = Offered().tag(sync=True)
    _ink = traitlets.Bytes(bytes(SIDE * SIDE)).tag(
        sync=True, from_json=lambda value, _: bytes(value or b""), echo_update=False
    )
    _answer = traitlets.Dict().tag(sync=True)  # draw_pad.js says what is in it
    _pen = traitlets.Int(PEN).tag(sync=True)
    _samples = traitlets.List([SAMPLES[digit] for digit in range(10)]).tag(sync=True)
    _networks = traitlets.List().tag(sync=True)
    _kept = traitlets.Dict().tag(sync=True)  # draw_pad.js says what is in it

    def __init__(self, models: nn.Module | dict[str, nn.Module]) -> None:
        named = models.items() if isinstance(models, dict) else [("", models)]
        self._models = {str(name): check_argument("model", model) for name, model in named}
        self._lock = threading.RLock()  # a page's message may come in a thread of its own
        names = list(self._models)
        self.choices = {"network": names}
        super().__init__(network=names[0], _networks=names)
        self.observe(self._update, ["_ink", "centre", "network"])
        self.on_msg(lambda pad, content, buffers: self._keep(content.get("keep")))
        self._keep()
        self._update()

    @property
    def drawing(self) -> np.ndarray:
        return np.frombuffer(self._ink, np.uint8).reshape(SIDE, SIDE).copy()

    @drawing.setter
    def drawing(self, value) -> None:
        ink = ink_levels(value)
        if ink.shape != (SIDE, SIDE):
            raise ValueError(text("pad_drawing", found=tuple(ink.shape), side=SIDE))
        self._ink = (ink * 255).round().to(torch.uint8).numpy().tobytes()

    @property
    def image(self) -> torch.Tensor:
        ink = torch.from_numpy(self.drawing) / 255  # as it is: a pad's ink is never paper
        if self.centre and ink.any():
            return centred(ink)
        return F.interpolate(ink[None, None], 28, mode="area")[0]

    def _update(self, change=None):
        with self._lock:
            # no two answers are the same: a page waits for each
            turn = self._answer.get("turn", 0) + 1
            answer = _answer(self._models[self.network], self.drawing, self.image)
            self._answer = {"turn": turn, **answer}

    def _keep(self, label=None):
        """Keeps the drawing as that digit, and says how many there are, or what is wrong."""
        turn, is_kept = self._kept.get("turn", 0) + 1, label is not None
        try:
            if is_kept and _no_guess(self.drawing):
                raise ValueError(text("kept_empty"))
            n = keep_drawing(self.drawing, int(label)) if is_kept else len(read_drawings()[1])
            note = text("kept_some", n=n) if n else text("kept_none")
        except (OSError, ValueError) as error:
            note, is_kept = str(error), False
        self._kept = {"turn": turn, "note": note, "done": is_kept}

    def figure(self) -> Figure:
        """The layers, or an empty pad: what a saved notebook shows."""
        if not _no_guess(self.drawing):
            return show_layers(self._models[self.network], self.image, sizes=False)
        fig = Figure(figsize=(4, 4))
        ax = fig.subplots()
        ax.imshow(self.drawing, cmap="gray_r", vmin=0, vmax=255)
        title = label("Draw pad: run this cell, then draw a digit")
        ax.set(xticks=[], yticks=[], title=title)
        return fig


def _answer(model, drawing, image):
    """What the page is to draw, but for `turn`: draw_pad.js has the list."""
    steps, after, problem, fault = {"input": image}, {}, "", ""
    try:
        made = activations(model, image)
        steps = {name: step.activation for name, step in made.items()}
        after = {name: label(step.between) for name, step in made.items() if step.between}
        problem = _no_guess(drawing) or ("" if steps["fc3"].isfinite().all() else "nan")
    except Exception as error:  # a page would not say anything by itself
        fault = f"{type(error).__name__}: {error}"
    values = torch.cat([step.flatten().float() for step in steps.values()])
    shapes = {name: list(step.shape) for name, step in steps.items()}
    values = values.numpy().astype("<f4").tobytes()
    return dict(problem=problem, fault=fault, shapes=shapes, after=after, values=values)


def _no_guess(drawing):
    """Why a drawing is not worth a guess: "empty", "dot" or "full"; "" if it is."""
    if not drawing.any():
        return "empty"
    rows, columns = np.nonzero(drawing > 25)
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) < 2 * PEN:
        return "dot"
    return "full" if drawing.mean() > 255 / 2 else ""
