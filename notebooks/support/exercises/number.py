"""Questions whose answer is a number, or a pair of numbers."""

from dataclasses import dataclass, field

import numpy as np
import torch

from ..sizes import ConvGeometry
from ..words.texts import text
from .values import Slip, abbreviated, are_equal, is_blank, read_number


@dataclass(frozen=True)
class NumberQuestion:
    """A question whose answer is a number, or two where there are two `unknowns`.

    `why` (said of a right answer), `hint` (of any wrong one) and the keys of `mistakes` are keys of
    words/exercises.toml; `values` fill in those texts. The right answers are typed in, so that a
    reader sees them; tests/exercises proves each with torch and by hand.
    """

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


def settings_question(right: int, known, unknowns, mistakes, **values) -> NumberQuestion:
    """Which settings of a convolution give `right` outputs?"""
    settings = {"known": known, "unknowns": unknowns}
    return NumberQuestion(right, "why_size", mistakes, "hint_gives", values, **settings)
