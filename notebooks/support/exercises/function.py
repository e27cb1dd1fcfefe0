"""Questions whose answer is a function: tried on many cases, and compared with the right one."""

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from ..words.texts import text
from .sandbox import Sandbox
from .values import Slip, abbreviated, are_equal, error_message, is_blank, read_number


@dataclass(frozen=True)
class FunctionQuestion:
    """A question whose answer is a function; it is called with each of `cases`."""

    right: Callable  # has the name and the parameters that the student's should have
    mistakes: dict[str, Callable]  # key of the hint: a function with this mistake
    cases: tuple[tuple, ...]
    read: Callable = read_number  # makes a result comparable, or raises ValueError

    def judge(self, function: Callable, sandbox: Sandbox) -> tuple[str, str]:
        """(mark, sentence) for a function: the first case that is wrong, and why."""
        check_callable(function, self.right)
        results, trouble = [], ""
        for case in self.cases:
            sandbox.call = self._written(case)
            try:
                results.append(self._result(function, case))
            except ValueError as error:
                trouble = text("check_about", what=sandbox.call, said=error)
                break
        if not trouble and all(map(is_blank, results)):
            if sandbox.printed:
                return "✗", text("check_printed", call=self._written(self.cases[0]))
            raise Slip(text("check_blank"))
        for case, result in zip(self.cases, results):
            right = self.right(*case)
            if not _alike(result, right):
                shown = {"result": abbreviated(result), "right": abbreviated(right)}
                differs = text("check_differs", call=self._written(case), **shown)
                return "✗", self._hint(results) or differs
        return ("✗", trouble) if trouble else ("✓", text("why_code", n=len(results)))

    def _written(self, case):
        """The call of a case, as Python writes it."""
        return f"{self.right.__name__}({', '.join(map(abbreviated, case))})"

    def _result(self, function, case):
        """What a student's function makes of a case; ValueError says what is wrong with that."""
        try:
            result = function(*copy.deepcopy(case))
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too
            raise ValueError(text("check_raised", error=error_message(error))) from None
        return result if is_blank(result) else self.read(result)

    def _hint(self, results):
        """On the mistake that explains all results, or None."""
        for key, mistake in self.mistakes.items():
            if all(_alike(result, mistake(*case)) for case, result in zip(self.cases, results)):
                return text(key, answer=results[0])
        return None


def check_callable(function, right: Callable) -> None:
    """Raises Slip unless an answer is a function that can be called as the right one."""
    parameters = inspect.signature(right).parameters
    try:
        inspect.signature(getattr(function, "forward", function)).bind(*parameters)
    except Exception:  # no function, or one that does not tell
        call = f"{right.__name__}({', '.join(parameters)})"
        raise Slip(text("check_function", call=call)) from None


def _alike(result, right):
    return are_equal(result, right, absolute=1e-3)  # float32 sums, however they are computed
