"""What notebook 01 asks for in code: a convolution, a kernel that marks rising strokes."""

import itertools

import torch
from torch.nn import functional as F

from ...widgets.explorer import OWN, Explorer, kernel_table
from ...words.texts import text
from ..function import FunctionQuestion
from ..values import Slip, read_tensor

BLOCK = 12  # the picture is made of blocks of 12x12 pixels, a stroke in each
KINDS = (
    ("rising", "horizontal", "falling"),
    ("vertical", "rising", "blot"),
    ("falling", "vertical", "rising"),
)
LEAST = 12  # places to be marked, of the 24 pixels of rising strokes
STROKE_HINTS = {"falling": "hint_falling", "blot": "hint_blot"}  # others: hint_straight


def stroke_picture() -> torch.Tensor:
    """Three strokes that rise to the right, some others and a blot, to try a kernel on: (36, 36)
    float32, ink is 1. Notebook 01.

        lh.explore_kernels(lh.stroke_picture())
    """
    falling, horizontal, blot = torch.eye(8), torch.zeros(8, 8), torch.zeros(8, 8)
    horizontal[4] = 1
    blot[1:7, 1:7] = 1
    strokes = {"falling": falling, "rising": falling.flip(1), "blot": blot}
    strokes |= {"horizontal": horizontal, "vertical": horizontal.T}
    blocks = [[F.pad(strokes[kind], [2] * 4) for kind in kinds] for kinds in KINDS]
    return torch.cat([torch.cat(row, dim=1) for row in blocks])


def marks(kernel: torch.Tensor) -> dict[str, int]:
    """How many places a kernel (k, k) marks in `stroke_picture`, by the kind of stroke there: where
    the feature map is above half of its largest value."""
    picture = stroke_picture().to(kernel.dtype)
    feature_map = F.conv2d(picture[None, None], kernel[None, None])[0, 0]
    found, middle = {}, len(kernel) // 2
    for row, column in (feature_map > feature_map.max() / 2).nonzero() + middle:
        kind = KINDS[row // BLOCK][column // BLOCK]
        found[kind] = found.get(kind, 0) + 1
    return found


class KernelQuestion:
    """Asks for a kernel that marks rising strokes in `stroke_picture`, and nothing else."""

    def judge(self, answer, sandbox=None) -> tuple[str, str]:
        """(mark, sentence) for a kernel, or for an explorer whose weights were edited."""
        found = marks(self._read(answer))
        if not found:
            return "✗", text("hint_no_marks")
        right = found.pop("rising", 0)
        if found:
            names = [text(f"stroke_{kind}") for kind in found]
            counts = " / ".join(f"{name} {n}" for name, n in zip(names, found.values()))
            kinds = [kind for kind in found if kind != "blot" and found[kind] > right] or found
            hint = text(STROKE_HINTS.get(max(kinds, key=found.get), "hint_straight"))
            return "✗", text("check_marks", right=right, counts=counts, hint=hint)
        if right < LEAST:
            return "✗", text("hint_few_marks", right=right)
        return "✓", text("why_kernel", right=right)

    def _read(self, answer):
        """The answer's kernel (k, k); Slip for what is none, or none yet."""
        if isinstance(answer, Explorer):
            if answer.preset != OWN:
                raise Slip(text("check_blank"))
            answer = answer.kernel
        try:
            return torch.from_numpy(kernel_table(answer))
        except ValueError as error:
            raise Slip(error) from None


def my_convolution(image, kernel, stride, padding):
    maps = image[None, None], kernel[None, None]
    return F.conv2d(*maps, stride=stride, padding=padding)[0, 0]


def _padded(image, before, after):
    return F.pad(image, [before, after] * 2)


def _one_step_windows(image, kernel, stride, padding):
    """As many outputs as there should be, from windows that lie side by side."""
    n = len(my_convolution(image, kernel, stride, padding))
    return my_convolution(image, kernel, 1, padding)[:n, :n]


def _tables(generator: torch.Generator):
    """Images and kernels of many sizes, strides and paddings, the simplest first; halves, so that
    sums need no rounding."""
    for stride, padding in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 2), (1, 2)):
        for n, k in itertools.product(range(1, 9), (1, 2, 3, 5)):
            if k <= n:
                image = torch.randint(10, (n, n), generator=generator) / 1
                kernel = torch.randint(-4, 5, (k, k), generator=generator) / 2
                yield image, kernel, stride, padding


QUESTIONS = {
    "rising_strokes": KernelQuestion(),
    "my_convolution": FunctionQuestion(
        my_convolution,
        {
            "hint_flipped": lambda i, k, s, p: my_convolution(i, k.flip(0, 1), s, p),
            "hint_transposed": lambda i, k, s, p: my_convolution(i, k.T, s, p),
            "hint_last_window": lambda i, k, s, p: my_convolution(i, k, s, p)[:-1, :-1],
            "hint_stride_ignored": lambda i, k, s, p: my_convolution(i, k, 1, p),
            "hint_stride_windows": _one_step_windows,
            "hint_padding_ignored": lambda i, k, s, p: my_convolution(i, k, s, 0),
            "hint_padding_above": lambda i, k, s, p: my_convolution(_padded(i, p, 0), k, s, 0),
            "hint_padding_below": lambda i, k, s, p: my_convolution(_padded(i, 0, p), k, s, 0),
        },
        tuple(_tables(torch.Generator().manual_seed(0))),
        read=read_tensor,
    ),
}
