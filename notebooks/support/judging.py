"""`check`: what is said of an answer (number, function, kernel), whatever a student hands in."""

import contextlib
import copy
import difflib
import inspect
import reprlib

import numpy as np
import torch

from .code_exercises import CodeExercise
from .exercises import EXERCISES, Exercise
from .sizes import ConvGeometry
from .strokes import KernelExercise, judge_kernel
from .texts import text
from .timed import StillRunning, call_in_time

CODE_SECONDS = 10  # what needs longer is taken for an endless loop
LARGEST = 1e100  # of the numbers that are read


def check(name: str, answer=..., *more) -> None:
    """Prints one line on `answer`: a number, a pair of numbers, a function or a kernel, as the
    exercise asks; of none, and of several (`more`), it says so. Notebooks 01 to 05.

    A number may be an int, a float, numpy's or a tensor of one element; `None` and `...` are no
    answer yet. A function is tried on many cases; what it prints is not shown. A kernel is a table,
    or the explorer with its weights edited. No answer raises an error, and none takes longer than
    CODE_SECONDS; an interrupt ends the check.
    """
    name, calls = name if isinstance(name, str) else _abbreviated(name), []
    try:
        judged = call_in_time(
            lambda printed: _judge(name, answer, more, calls, printed), CODE_SECONDS
        )
    except (StillRunning, KeyboardInterrupt) as stop:
        by_hand = isinstance(stop, KeyboardInterrupt)
        key = "by_hand" if by_hand else "endless" if stop.ended else "left"
        judged = "✗", ": ".join([*calls[-1:], text(f"check_{key}", seconds=CODE_SECONDS)])
    mark, sentence = judged
    print(f"{mark} {' '.join(name.split())[:40]}: {sentence}")


def _judge(name, answer, more, calls, printed):
    """(mark, sentence) for whatever was handed in; `calls` gets each call of a function as it
    begins."""
    try:
        if name not in EXERCISES:
            near = difflib.get_close_matches(name, EXERCISES, n=3, cutoff=0)
            return "✗", text("check_unknown", names=", ".join(near))
        if more:
            shown = ", ".join(map(_abbreviated, (answer, *more)))
            return "✗", text("check_one_answer", shown=shown)
        if _is_blank(answer):
            return "…", text("check_blank")
        exercise = EXERCISES[name]
        if isinstance(exercise, CodeExercise):
            return _judge_function(name, exercise, answer, calls, printed)
        if isinstance(exercise, KernelExercise):
            return judge_kernel(exercise, answer)
        return _judge_numbers(exercise, answer)
    except BaseException as error:  # what an answer's own methods raise when it is looked at
        return "✗", text("check_raised", error=_message(error))


def _judge_numbers(exercise: Exercise, answer):
    """(mark, sentence) for a number, or for a pair where there are two unknowns."""
    try:
        # a slice: of something endless, three are enough
        answers = list(answer[:3]) if len(exercise.unknowns) == 2 else [answer]
        if all(map(_is_blank, answers)):
            return "…", text("check_blank")
        numbers = [_read_number(value) for value in answers]
        if len(numbers) != max(1, len(exercise.unknowns)):
            raise TypeError
        shown = ", ".join(map(_abbreviated, numbers))
        values = {"answer": shown, "right": exercise.right, **exercise.values}
        for key, mistake in exercise.mistakes.items():
            if _equal(numbers, np.atleast_1d(mistake), exercise.tolerance):
                return "✗", text(key, **values)
        if exercise.unknowns:
            values["g"] = ConvGeometry(*exercise.known, **dict(zip(exercise.unknowns, numbers)))
            numbers = [values["g"].n_out]
    except (TypeError, LookupError):
        return "✗", text("check_pair", names=", ".join(exercise.unknowns))
    except ValueError as error:
        return "✗", str(error)
    if _equal(numbers, [exercise.right], exercise.tolerance):
        return "✓", text(exercise.why, **values)
    return "✗", text(exercise.hint, **values)


def _judge_function(name: str, exercise: CodeExercise, function, calls, printed):
    """(mark, sentence) for a student's function: the first case that is wrong, and why."""
    try:
        inspect.signature(function).bind(*exercise.cases[0])
    except Exception:  # no function, or one that does not tell
        parameters = ", ".join(inspect.signature(exercise.right).parameters)
        return "✗", text("check_function", call=f"{name}({parameters})")
    results, trouble = [], ""
    try:
        for case in exercise.cases:
            calls.append(f"{name}({', '.join(map(_abbreviated, case))})")
            results.append(_call(exercise, function, case))
    except ValueError as error:
        trouble = f"{calls[-1]}: {error}"
    if not trouble and all(map(_is_blank, results)):
        if printed.something:
            return "✗", text("check_printed", call=calls[0])
        return "…", text("check_blank")
    for call, case, result in zip(calls, exercise.cases, results):
        right = exercise.right(*case)
        if not _equal(result, right):
            shown = {"result": _abbreviated(result), "right": _abbreviated(right)}
            known = _known_mistake(exercise, results)
            return "✗", text(known) if known else text("check_differs", call=call, **shown)
    return ("✗", trouble) if trouble else ("✓", text(exercise.why, n=len(results)))


def _known_mistake(exercise, results):
    """The hint of the mistake that explains all results, or None."""
    for key, mistake in exercise.mistakes.items():
        if all(_equal(result, mistake(*case)) for case, result in zip(exercise.cases, results)):
            return key
    return None


def _call(exercise, function, case):
    """What a student's function makes of one case; ValueError says what is wrong with that."""
    given = copy.deepcopy(case)
    try:
        result = function(*given)
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too
        raise ValueError(text("check_raised", error=_message(error))) from None
    if not all(map(_equal, given, case)):
        raise ValueError(text("check_changed"))
    return result if _is_blank(result) else _READERS[exercise.returns](result)


def _is_blank(answer):
    return answer is None or answer is ...


def _read_number(answer):
    """An answer as an int, or a float where it is not whole; ValueError for what is no number."""
    try:
        value = answer.item() if hasattr(answer, "item") else answer  # tensors and numpy's
        if isinstance(value, bool) or not -LARGEST < value < LARGEST:  # NaN is not, either
            raise TypeError
        return int(value) if value == int(value) else float(value)
    except Exception:  # whatever its methods raise
        raise ValueError(text("check_number", answer=_abbreviated(answer))) from None


def _read_tensor(result):
    try:
        if result.is_complex():
            raise TypeError
        corner = result[(slice(1),) * result.ndim]  # one number, however large it says it is
        corner.detach().cpu().double().numpy()  # of sparse or meta, there is none
        return result.detach()
    except Exception:
        raise ValueError(text("check_tensor", result=_abbreviated(result))) from None


_READERS = {int: _read_number, torch.Tensor: _read_tensor}


def _equal(a, b, tolerance=1e-6):
    """Whether numbers, lists or tensors have the same shape and values."""
    if _is_blank(a) or np.shape(a) != np.shape(b):
        return False
    return np.allclose(_as_floats(a), _as_floats(b), rtol=tolerance, atol=1e-6)


def _as_floats(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double()
    return np.asarray(values, dtype=float)


def _abbreviated(value):
    try:
        if not isinstance(value, torch.Tensor):
            return " ".join(reprlib.repr(value).split())
        with contextlib.suppress(RuntimeError):  # of sparse or meta, there are no numbers
            if value.numel() <= 1000:
                return f"tensor({reprlib.repr(value.tolist())})"
        return f"tensor({tuple(value.shape)}, {value.dtype}, {value.layout}, {value.device.type})"
    except Exception:  # digits by the thousand, a __repr__ that raises
        return f"<{type(value).__name__}>"


def _message(error):
    """An error's kind and the beginning of what it says."""
    try:
        said = str(error).splitlines()[:1]
    except Exception:
        said = []
    return " ".join([type(error).__name__, *said])[:200]
