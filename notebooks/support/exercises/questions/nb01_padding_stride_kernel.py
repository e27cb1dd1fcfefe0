"""The challenge of notebook 01: a kernel that marks strokes of one kind only."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from ...widgets.explorer import OWN, Explorer, kernel_table
from ...words.texts import text
from ..values import Slip, abbreviated

BLOCK = 12  # the picture is made of blocks of 12x12 pixels, a stroke in each
KINDS = (
    ("rising", "horizontal", "falling"),
    ("vertical", "rising", "blot"),
    ("falling", "vertical", "rising"),
)
LARGEST_KERNEL = 7  # a larger one sees two strokes at a time


@dataclass(frozen=True)
class KernelExercise:
    """A question whose answer is a kernel that marks strokes of the kind `right` in
    `stroke_picture`, at least so many places of them, and no others; `mistakes` has the key of a
    hint for each other kind."""

    right: str
    least: int
    mistakes: dict[str, str]
    why: str = "why_kernel"


STROKES = {
    "rising_strokes": KernelExercise(
        "rising",
        12,  # of their 24 pixels
        {
            "falling": "hint_falling",
            "horizontal": "hint_straight",
            "vertical": "hint_straight",
            "blot": "hint_blot",
        },
    )
}


def stroke_picture() -> torch.Tensor:
    """Three strokes that rise to the right, some others and a blot, to try a kernel on: (36, 36)
    float32, ink is 1. Notebook 01."""
    falling, horizontal, blot = torch.eye(8), torch.zeros(8, 8), torch.zeros(8, 8)
    horizontal[4] = 1
    blot[1:7, 1:7] = 1
    strokes = {"falling": falling, "rising": falling.flip(1), "blot": blot}
    strokes |= {"horizontal": horizontal, "vertical": horizontal.T}
    blocks = [[F.pad(strokes[kind], [2] * 4) for kind in kinds] for kinds in KINDS]
    return torch.cat([torch.cat(row, dim=1) for row in blocks])


def marks(kernel: torch.Tensor) -> dict[str, int]:
    """How many places a kernel (k, k) marks in `stroke_picture`, by the kind of stroke there.

    A place is marked if its value in the feature map is above half of the largest one.
    """
    picture = stroke_picture().to(kernel.dtype)
    feature_map = F.conv2d(picture[None, None], kernel[None, None])[0, 0]
    found, middle = {}, len(kernel) // 2
    for row, column in (feature_map > feature_map.max() / 2).nonzero() + middle:
        kind = KINDS[row // BLOCK][column // BLOCK]
        found[kind] = found.get(kind, 0) + 1
    return found


def judge_kernel(exercise: KernelExercise, answer) -> tuple[str, str]:
    """(mark, sentence) for a kernel, or for an explorer whose weights were edited."""
    if isinstance(answer, Explorer):
        if answer.preset != OWN:
            return "…", text("check_blank")
        answer = answer.kernel
    try:
        if np.ndim(answer) == 0:
            raise ValueError(text("check_kernel", answer=abbreviated(answer)))
        kernel = torch.from_numpy(kernel_table(answer))
    except ValueError as error:
        raise Slip(error) from None
    if len(kernel) > LARGEST_KERNEL:
        raise Slip(text("check_kernel_size", k=len(kernel), most=LARGEST_KERNEL))
    found = marks(kernel)
    if not found:
        return "✗", text("hint_no_marks")
    right = found.pop(exercise.right, 0)
    if found:
        names = [text(f"stroke_{kind}") for kind in found]
        counts = " / ".join(f"{name} {n}" for name, n in zip(names, found.values()))
        kinds = [kind for kind in found if kind != "blot" and found[kind] > right] or found
        hint = text(exercise.mistakes[max(kinds, key=found.get)])
        return "✗", text("check_marks", right=right, counts=counts, hint=hint)
    if right < exercise.least:
        return "✗", text("hint_few_marks", right=right)
    return "✓", text(exercise.why, right=right)
