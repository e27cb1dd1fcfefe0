"""The draw pad: a widget to draw a digit on, and what a network makes of it. Notebook 00."""

import contextlib
import html
import threading
from pathlib import Path

import anywidget
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image
from torch import nn
from torch.nn import functional as F

from .drawing import PEN, SAMPLES, SIDE, grey_levels, sample_drawing, to_mnist_style
from .figures import layer_title, show_layers
from .images import base64_text, layer_grid, minus_signs, png
from .inference import activations
from .texts import text


class DrawPad(anywidget.AnyWidget):
    """A pad to draw a digit on and, as one draws, what a network makes of it: the picture it sees, its guesses, the ten
    probabilities and the maps of every layer. Notebook 00.

    models: a model with the layers of `LeNet5`, or {name: model} to choose from. A model may be in training meanwhile:
    a copy of it runs. `drawing`: uint8 (112, 112), 0 is empty, a copy; set it, and the page follows; it takes what
    `to_mnist_style` takes, of that size, and may be empty. `centre`: whether `to_mnist_style` is used. `network`: the
    chosen name. `image`: float (1, 28, 28), what the network sees. Raises ValueError for anything else.
    """

    _esm, _css = (Path(__file__).with_name(f"draw_pad.{kind}") for kind in ("js", "css"))
    centre = traitlets.Bool(True).tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    _ink = traitlets.Bytes(bytes(SIDE * SIDE)).tag(
        sync=True, from_json=lambda value, _: bytes(value or b""), echo_update=False
    )
    _pen = traitlets.Int(PEN).tag(sync=True)
    _page, _view = traitlets.Unicode().tag(sync=True), traitlets.Unicode().tag(sync=True)

    def __init__(self, models):
        self._models = (
            {str(name): model for name, model in models.items()}
            if isinstance(models, dict)
            else {"": models}
        )
        if not self._models or not all(
            isinstance(model, nn.Module) for model in self._models.values()
        ):
            raise ValueError(text("pad_models"))
        self._busy, self._updates = (
            threading.RLock(),
            0,
        )  # a page's message may come in a thread of its own
        super().__init__(network=next(iter(self._models)), _page=_pad_page(self._models))
        self.observe(self._update, ["_ink", "centre", "network"])
        self.on_msg(
            lambda pad, content, buffers: setattr(pad, "drawing", sample_drawing(content["sample"]))
        )
        self._update()

    @property
    def drawing(self):
        return np.frombuffer(self._ink, np.uint8).reshape(SIDE, SIDE).copy()

    @drawing.setter
    def drawing(self, value):
        ink = grey_levels(value)
        if ink.shape != (SIDE, SIDE):
            raise ValueError(text("pad_drawing", found=tuple(ink.shape), side=SIDE))
        self._ink = (ink * 255).round().to(torch.uint8).numpy().tobytes()

    @property
    def image(self):
        drawing = self.drawing
        return (
            to_mnist_style(drawing)
            if self.centre and drawing.any()
            else F.interpolate(grey_levels(drawing)[None, None], 28, mode="area")[0]
        )

    @traitlets.validate("network")
    def _known_network(self, proposal):
        if proposal["value"] not in self._models:
            raise ValueError(
                text(
                    "pad_network_unknown",
                    name=repr(proposal["value"]),
                    names=", ".join(self._models),
                )
            )
        return proposal["value"]

    def _update(self, change=None):
        with self._busy:
            try:
                view = _pad_view(self._models[self.network], self.drawing, self.image)
            except Exception as error:  # a page would not say anything by itself
                view = _pad_parts(
                    f'<pre class="lh-pad-fault">{html.escape(f"{type(error).__name__}: {error}")}</pre>'
                )
            self._updates += 1
            self._view = (
                f"{view}<!-- {self._updates} -->"  # always another text: the page waits for it
            )

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for a page without a kernel (a saved notebook on GitHub) a PNG of its present state."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        with contextlib.suppress(Exception):  # the widget itself says what is wrong
            fig = _pad_figure(self._models[self.network], self.drawing, self.image)
            data = {**data, "image/png": png(fig, bbox_inches="tight")}
        return data, metadata


def _no_guess(drawing):
    """Why a drawing is not worth a guess (a key of TEXTS), or None."""
    if not drawing.any():
        return "pad_empty"
    rows, columns = np.nonzero(drawing > 25)
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) < 2 * PEN:
        return "pad_dot"
    return "pad_full" if drawing.mean() > 255 / 2 else None


def _pad_figure(model, drawing, image):
    """The draw pad as a matplotlib Figure: what a saved notebook shows."""
    if not _no_guess(drawing):
        return show_layers(model, image)
    fig = Figure(figsize=(4, 4))
    ax = fig.subplots()
    ax.imshow(drawing, cmap="gray_r", vmin=0, vmax=255)
    ax.set(xticks=[], yticks=[], title="Draw pad: run this cell, then draw a digit")
    return fig


def _pad_page(models):
    """The part of the draw pad that stays: HTML."""

    def button(attributes, text):
        return f'<button type="button" {attributes}>{text}</button>'

    samples = "".join(button(f'data-sample="{digit}"', digit) for digit in SAMPLES)
    names = "".join(
        f'<option value="{html.escape(name)}">{html.escape(name)}</option>' for name in models
    )
    tools = (
        button('data-tool="pen" aria-pressed="true"', text("pad_draw"))
        + button('data-tool="eraser" aria-pressed="false"', text("pad_erase"))
        + button('class="lh-pad-clear"', text("pad_clear"))
    )
    # the attribute keeps JupyterLab's shortcuts (Enter: edit the cell) off the buttons
    return (
        f'<div class="lh-pad" data-lm-suppress-shortcuts="true"><div class="lh-pad-options">'
        f'<div class="lh-pad-samples" role="group" aria-label="{text("pad_samples")}">{text("pad_samples")} {samples}'
        f'</div><label><input type="checkbox" class="lh-pad-centre">{text("pad_centre")}</label>'
        f'<label{" hidden" * (len(models) == 1)}>{text("pad_network")}<select class="lh-pad-network">{names}</select>'
        f'</label></div><div class="lh-pad-board"><canvas class="lh-pad-canvas" width="560" height="560" role="img" '
        f'aria-label="{text("pad_label")}"></canvas><div class="lh-pad-tools">{tools}</div>'
        f'<div class="lh-pad-waiting" role="status" hidden>{text("pad_waiting")}</div></div>'
        '<div class="lh-pad-view"></div></div>'
    )


def _pad_view(model, drawing, image):
    """The part of the draw pad that changes with the drawing: HTML."""

    def picture(title, name, values, zoom):
        grid = 1 - layer_grid(name, values)  # 0 is white, as in the figures
        pixels = Image.fromarray((grid * 255).round().to(torch.uint8).numpy())
        height, width = (
            (16, zoom * len(values)) if values.dim() == 1 else (zoom * n for n in grid.shape)
        )
        return (
            f'<figure><figcaption>{title}</figcaption><img alt="" width="{width}" height="{height}" '
            f'src="data:image/png;base64,{base64_text(lambda file: pixels.save(file, "PNG"))}"></figure>'
        )

    sees = picture(text("pad_sees"), "input", image, 6)
    reason = _no_guess(drawing)
    if reason:
        return _pad_parts(f'{sees}<div class="lh-pad-sentence" role="status">{text(reason)}</div>')
    steps = activations(model, image)
    outputs, probabilities = steps["fc3"], steps["fc3"].softmax(0)
    first, second = probabilities.topk(2).indices.tolist()
    rows = "".join(
        f'<tr{" class=lh-pad-best" * (digit == first)}><td>{digit}</td><td>{minus_signs(f"{output:z.1f}")}</td><td style="width: 150px">'
        f'<div style="width: {p:.1%}"></div></td><td>{p:.1%}</td></tr>'
        for digit, (output, p) in enumerate(zip(outputs.tolist(), probabilities.tolist()))
    )
    guesses = "".join(
        f'<p class="lh-pad-{key}">{text(f"pad_{key}")}<br><b>{digit}</b>{probabilities[digit]:.1%}</p>'
        for key, digit in (("first", first), ("second", second))
    )
    maps = "".join(
        picture(layer_title(name, steps[name], text("pad_relu")), name, steps[name], zoom)
        for name, zoom in (("c1", 3), ("s2", 4), ("c3", 4), ("s4", 7), ("fc1", 8), ("fc2", 8))
    )
    return _pad_parts(
        f'{sees}<div class="lh-pad-guess" role="status">{guesses}</div><table><tr><th></th>'
        f'<th>{text("pad_output")}</th><th colspan="2">{text("pad_probability")}</th></tr>{rows}</table>',
        maps,
    )


def _pad_parts(answer, maps=""):
    """The two places that a view fills, beside the pad and below it, both of them always: the page is not to jump."""
    return f'<div class="lh-pad-answer">{answer}</div><div class="lh-pad-maps">{maps}</div>'
