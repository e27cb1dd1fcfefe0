"""Questions whose answer is a number, or a pair of numbers."""

import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..sizes import ConvGeometry
from ..words.texts import text
from .values import Slip, abbreviated, are_equal, is_blank, read_number

SIZE_MISTAKES = {  # what each makes of a geometry
    "hint_no_floor": lambda g: (g.padded - g.span) / g.stride + 1,
    "hint_ceil": lambda g: math.ceil((g.padded - g.span) / g.stride) + 1,
    "hint_no_plus_one": lambda g: (g.padded - g.span) // g.stride,
    "hint_no_minus_one": lambda g: (g.padded - g.span + 1) // g.stride + 1,
    "hint_unchanged": lambda g: g.n_in,
    "hint_stride_ignored": lambda g: g.padded - g.span + 1,
    "hint_padding_once": lambda g: (g.n_in + g.padding - g.span) // g.stride + 1,
    "hint_padding_ignored": lambda g: (g.n_in - g.span) // g.stride + 1,
    "hint_dilation_ignored": lambda g: (g.padded - g.kernel_size) // g.stride + 1,
    "hint_dilation_span": lambda g: (g.padded - g.kernel_size * g.dilation) // g.stride + 1,
    "hint_area": lambda g: g.n_out**2,
}


@dataclass(frozen=True)
class NumberQuestion:
    """A question whose answer is a number, or two where there are two `unknowns`. `why` (said of a
    right answer), `hint` (of any wrong one) and the keys of `mistakes` are keys of
    words/exercises.toml; `values` fill in those texts. tests/exercises proves each answer."""

    right: float  # the answer; where there are `unknowns`, the output size that they must give
    why: str
    mistakes: dict[str, float | tuple]  # key of the hint: the answer to which this mistake leads
    hint: str = "hint_explorer"
    values: dict = field(default_factory=dict)
    tolerance: float = 1e-6
    known: tuple[int, ...] = ()  # the first arguments of ConvGeometry ...
    unknowns: tuple[str, ...] = ()  # ... and the names of those that the answer gives

    def judge(self, answer, sandbox=None) -> tuple[str, str]:
        """(mark, sentence) for a number, or for a pair where there are two unknowns."""
        parts = self._pair(answer) if len(self.unknowns) == 2 else [answer]
        numbers = [read_number(part) for part in parts]
        shown = ", ".join(map(abbreviated, numbers))
        values = {"answer": shown, "right": self.right, **self.values}
        for key, mistake in self.mistakes.items():
            if are_equal(numbers, np.atleast_1d(mistake), self.tolerance):
                return "✗", text(key, **values)
        if self.unknowns:
            try:
                values["g"] = ConvGeometry(*self.known, **dict(zip(self.unknowns, numbers)))
            except ValueError as error:
                return "✗", str(error)
            numbers = [values["g"].n_out]
        right = are_equal(numbers, [self.right], self.tolerance)
        return ("✓", text(self.why, **values)) if right else ("✗", text(self.hint, **values))

    def _pair(self, answer):
        """The two parts of an answer; Slip for what has not two, or none yet."""
        if not isinstance(answer, (tuple, list, np.ndarray, torch.Tensor)) or len(answer) != 2:
            raise Slip(text("check_pair", names=", ".join(self.unknowns)))
        if all(map(is_blank, answer)):
            raise Slip(text("check_blank"))
        return answer


def read_questions(path: Path) -> dict[str, NumberQuestion]:
    """The questions of a file by name, with NumberQuestion's fields; of one that has a `geometry`,
    the size of its output is asked for."""
    questions = {}
    for name, fields in _with_tuples(tomllib.loads(path.read_text(encoding="utf-8"))).items():
        if "geometry" in fields:
            g = ConvGeometry(*fields.pop("geometry"))
            sizes = {key: mistake(g) for key, mistake in SIZE_MISTAKES.items()}
            mistakes = {key: size for key, size in sizes.items() if size != fields["right"]}
            fields |= {"why": "why_size", "mistakes": mistakes, "values": {"g": g}}
        questions[name] = NumberQuestion(**fields)
    return questions


def _with_tuples(value):
    """TOML's lists as tuples, at any depth."""
    if isinstance(value, dict):
        return {key: _with_tuples(part) for key, part in value.items()}
    return tuple(value) if isinstance(value, list) else value
