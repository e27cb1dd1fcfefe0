"""Drawings of digits: strokes, samples and MNIST's style."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..checks import OVERSHOOT, checked
from ..words.texts import text
from .pictures import grey_levels, ink_on_ground

SIDE, PEN = 112, 7  # of a drawing, and of its pen, in pixels
DRAWINGS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
"""Digits drawn by hand: "digit", "note", and "strokes", lists of points (x, y) from 0 to 1."""
SAMPLES = {each["digit"]: each["strokes"] for each in DRAWINGS if each["note"] == "sample"}


@checked
def sample_drawing(digit: int) -> np.ndarray:
    """A digit from 0 to 9 drawn by hand, for `DrawPad.drawing`: uint8 (112, 112), 0 is empty.
    Notebook 00.

        pad.drawing = lh.sample_drawing(3)
    """
    return draw_strokes(SAMPLES[digit])


def draw_strokes(strokes: Sequence, pen: float = PEN) -> np.ndarray:
    """Polylines of points (x, y) in the unit square, drawn with a round pen of `pen` pixels:
    uint8 (112, 112), 0 is empty."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    distance = np.full((SIDE, SIDE), np.inf)
    for stroke in strokes:
        points = np.array(stroke, float) * SIDE
        steps = [*np.diff(points, axis=0), (0, 0)]  # a lone point is a dot
        for (x0, y0), (dx, dy) in zip(points, steps):
            along = (((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9)).clip(0, 1)
            distance = np.minimum(distance, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.rint(255 * (pen / 2 + 0.5 - distance).clip(0, 1)).astype(np.uint8)


@checked
def to_mnist_style(drawing) -> torch.Tensor:
    """A drawing in MNIST's style: float32 (1, 28, 28) in [0, 1], 0 is empty; its longer side is
    scaled to 20 pixels, its centre of mass put in the middle, as MNIST's makers did. Notebook 00.

        image = lh.to_mnist_style(Image.open("my_seven.jpg"))
        logits = model(image[None])

    drawing: a PIL image, array or tensor, each side at least 28: a digit on blank ground, dark on
    light or light on dark. Raises ValueError for anything else.
    """
    return centred(ink_levels(drawing))


def ink_levels(drawing) -> torch.Tensor:
    """A drawing's ink, float32 (H, W) in [0, 1], 0 is empty; a photo becomes smaller. Takes and
    raises what `to_mnist_style` does."""
    ink = grey_levels(drawing, "drawing")
    if min(ink.shape) < 28:
        raise ValueError(text("drawing_shape", name="drawing", found=tuple(ink.shape)))
    if ink.min() < -OVERSHOOT or ink.max() > 1 + OVERSHOOT:
        raise ValueError(text("drawing_levels", name="drawing"))
    return ink_on_ground(ink.clamp(0, 1))


def centred(ink: torch.Tensor) -> torch.Tensor:
    """`to_mnist_style` of `ink_levels`."""
    if not ink.any():
        raise ValueError(text("drawing_empty"))
    dark = (ink > ink.max() / 10).numpy()  # what is fainter is no ink
    rows, columns = (np.flatnonzero(dark.any(axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(20 * n / max(ink.shape))) for n in ink.shape)
    ink = F.interpolate(ink[None, None], (height, width), mode="bilinear", antialias=True)[0, 0]
    ink = ink.clamp(0, 1)
    top, left = (_margin(ink.sum(axis)) for axis in (1, 0))
    return F.pad(ink, (left, 28 - width - left, top, 28 - height - top))[None]


def _margin(ink):
    """Empty pixels before a profile of ink (n,) that put its centre of mass at 14 of 28, as in
    MNIST, but lose none of it."""
    mass = (ink * torch.arange(len(ink))).sum().item() / ink.sum().item()
    return min(max(round(14 - mass), 0), 28 - len(ink))
