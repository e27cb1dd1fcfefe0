"""Drawings of digits: strokes, samples and MNIST's style."""

import numpy as np
import torch
from torch.nn import functional as F

from .texts import text

SIDE, PEN = 112, 7  # of a drawing, and of its pen, in pixels

SAMPLES = {  # a digit's strokes; each point is xxyy, in hundredths of the pad
    0: "5417 4817 4219 3624 3232 2941 2850 2960 3270 3777 4382 5083 5680 6275 6767 7058 7148 7038 6730 6224 5719 5217 4817",
    1: "4030 4427 4822 5317 5328 5340 5251 5162 5173 5084",
    2: "3034 3228 3522 4118 4816 5617 6220 6626 6734 6542 6050 5259 4467 3675 2982 3981 5080 6180 7381",
    3: "3125 3720 4317 5116 5818 6323 6629 6436 6042 5445 4648 5348 6050 6655 7062 6970 6577 5882 4984 4182 3278",
    4: "3618 3427 3336 3244 3052 3953 4853 5952 7051, 6022 5937 5852 5768 5684",
    5: "6818 6018 5219 4520 3820 3726 3633 3540 3546 4344 5043 5845 6450 6756 6764 6472 5879 5083 4284 3682 3078",
    6: "6216 5522 4828 4237 3746 3455 3364 3573 4080 4783 5483 6180 6674 6767 6660 6155 5553 4854 4258 3863 3568",
    7: "2920 3820 4820 5920 7119 6531 6042 5652 5262 4973 4784",
    8: "6528 6022 5517 4817 4119 3724 3531 3837 4343 5048 5753 6359 6666 6474 6080 5383 4684 3981 3475 3468 3761 4355 5050 5745 6240 6434 6628",
    9: "6430 6023 5518 4817 4220 3726 3533 3741 4247 4848 5545 6039 6432 6345 6258 6171 5984",
}


def sample_drawing(digit):
    """A digit from 0 to 9 drawn by hand, as `DrawPad.drawing` takes it: uint8 (112, 112). Notebook 00."""
    strokes = [
        [(int(point[:2]) / 100, int(point[2:]) / 100) for point in stroke.split()]
        for stroke in SAMPLES[digit].split(",")
    ]
    return draw_strokes(strokes)


def draw_strokes(strokes, pen=PEN):
    """Polylines of points (x, y) in the unit square, drawn with a round pen: uint8 (112, 112)."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    distance = np.full((SIDE, SIDE), np.inf)
    for stroke in strokes:
        points = np.array(stroke, float) * SIDE
        for (x0, y0), (dx, dy) in zip(
            points, [*np.diff(points, axis=0), (0, 0)]
        ):  # a lone point is a dot
            along = (((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9)).clip(0, 1)
            distance = np.minimum(distance, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return np.rint(255 * (pen / 2 + 0.5 - distance).clip(0, 1)).astype(np.uint8)


def to_mnist_style(drawing):
    """A drawing as MNIST's makers would have stored it: its longer side scaled to 20 pixels (averaging, not picking
    pixels), then its centre of mass put in the middle of 28x28. Float tensor (1, 28, 28) in [0, 1]. Notebook 00.

    drawing: grey levels (H, W), each side at least 28, 0 is empty; uint8, or floats up to 1 or up to 255, array or
    tensor. Raises ValueError for other shapes and levels, NaN, and an empty drawing.
    """
    ink = grey_levels(drawing)
    rows, columns = (
        np.flatnonzero(ink.amax(axis).numpy() > ink.max().item() / 10) for axis in (1, 0)
    )  # faint is not ink
    if not ink.any():
        raise ValueError(text("drawing_empty"))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, round(20 * n / max(ink.shape))) for n in ink.shape)
    ink = F.interpolate(ink[None, None], (height, width), mode="bilinear", antialias=True)[
        0, 0
    ].clamp(0, 1)
    top, left = (_offset(ink.sum(axis)) for axis in (1, 0))
    return F.pad(ink, (left, 28 - width - left, top, 28 - height - top))[None]


def _offset(ink):
    """Where a row of ink (n,) begins so that its centre of mass is at 14 of 28, as in MNIST, but none of it is lost."""
    mass = (ink * torch.arange(len(ink))).sum().item() / ink.sum().item()
    return min(max(round(14 - mass), 0), 28 - len(ink))


def grey_levels(drawing):
    """Grey levels as a float32 tensor (H, W) in [0, 1]; raises what `to_mnist_style` says, but for an empty drawing."""
    try:
        ink = torch.as_tensor(drawing).detach().cpu()
        unit = (
            ink.dtype == torch.bool or ink.is_floating_point() and ink.numel() and not ink.max() > 1
        )
        ink = ink.to(torch.float32) / (1 if unit else 255)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(text("drawing_type", found=type(drawing).__name__)) from None
    if ink.dim() != 2 or min(ink.shape) < 28:
        raise ValueError(text("drawing_shape", found=tuple(ink.shape)))
    if not (ink.min() >= 0 and ink.max() <= 1):  # NaN is neither
        raise ValueError(text("drawing_levels"))
    return ink
