"""`check`: what is said of an answer, a number or a function, whatever a student hands in."""

import _thread
import contextlib
import copy
import difflib
import inspect
import io
import math
import reprlib
import threading

import numpy as np
import torch

from .exercises import EXERCISES, CodeExercise, Exercise
from .sizes import ConvGeometry
from .texts import text

CODE_SECONDS = 10  # a student's function that needs longer is taken for an endless loop


def check(name: str, answer=..., *more) -> None:
    """Prints one line on `answer`: a number, a pair of numbers or a function, as the exercise asks;
    of none, and of several (`more`), it says so. Notebooks 01 to 04.

    A number may be an int, a float, numpy's or a tensor of one element; `None` and `...` are no
    answer yet. A function is tried on many cases, for CODE_SECONDS in all; what it prints is not
    shown. No answer raises an error.
    """
    name = str(name)
    if name not in EXERCISES:
        near = difflib.get_close_matches(name, EXERCISES, n=3, cutoff=0)
        mark, sentence = "✗", text("check_unknown", names=", ".join(near))
    elif more:
        shown = ", ".join(map(_abbreviated, (answer, *more)))
        mark, sentence = "✗", text("check_one_answer", shown=shown)
    elif _is_blank(answer):
        mark, sentence = "…", text("check_blank")
    else:
        exercise = EXERCISES[name]
        judge = _judge_function if isinstance(exercise, CodeExercise) else _judge_numbers
        mark, sentence = judge(name, exercise, answer)
    print(f"{mark} {' '.join(name.split())[:40]}: {sentence}")


def _judge_numbers(name: str, exercise: Exercise, answer):
    """(mark, sentence) for a number, or for a pair where there are two unknowns."""
    try:
        answers = list(answer) if len(exercise.unknowns) == 2 else [answer]
        if all(map(_is_blank, answers)):
            return "…", text("check_blank")
        numbers = [_read_number(value) for value in answers]
        if len(numbers) != max(1, len(exercise.unknowns)):
            raise TypeError
        shown = ", ".join(map(str, numbers))
        values = {"answer": shown, "right": exercise.right, **exercise.values}
        for key, mistake in exercise.mistakes.items():
            if _equal(numbers, np.atleast_1d(mistake), exercise.tolerance):
                return "✗", text(key, **values)
        if exercise.unknowns:
            values["g"] = ConvGeometry(*exercise.known, **dict(zip(exercise.unknowns, numbers)))
            numbers = [values["g"].n_out]
    except TypeError:
        return "✗", text("check_pair", names=", ".join(exercise.unknowns))
    except ValueError as error:
        return "✗", str(error)
    if _equal(numbers, [exercise.right], exercise.tolerance):
        return "✓", text(exercise.why, **values)
    return "✗", text(exercise.hint, **values)


def _judge_function(name: str, exercise: CodeExercise, function):
    """(mark, sentence) for a student's function: the first case that is wrong, and why."""
    try:
        inspect.signature(function).bind(*exercise.cases[0])
    except (TypeError, ValueError):
        parameters = ", ".join(inspect.signature(exercise.right).parameters)
        return "✗", text("check_function", call=f"{name}({parameters})")
    results, printed, trouble = _run_cases(exercise, function)
    calls = [f"{name}({', '.join(map(_abbreviated, case))})" for case in exercise.cases]
    if not trouble and all(map(_is_blank, results)):
        return (
            ("✗", text("check_printed", call=calls[0])) if printed else ("…", text("check_blank"))
        )
    for call, case, result in zip(calls, exercise.cases, results):
        right = exercise.right(*case)
        if not _equal(result, right):
            shown = {"result": _abbreviated(result), "right": _abbreviated(right)}
            known = _known_mistake(exercise, results)
            return "✗", text(known) if known else text("check_differs", call=call, **shown)
    if trouble:
        return "✗", f"{calls[len(results)]}: {trouble}"
    return "✓", text(exercise.why, n=len(results))


def _run_cases(exercise, function):
    """What a function returns for the cases, up to one that fails, what it prints, and the reason."""
    results, trouble, printed = [], "", io.StringIO()
    limit = threading.Timer(CODE_SECONDS, _thread.interrupt_main)  # as the kernel's interrupt
    limit.start()
    try:
        with contextlib.redirect_stdout(printed):
            for case in exercise.cases:
                results.append(_call(exercise, function, case))
    except KeyboardInterrupt:
        trouble = text("check_endless")
    except ValueError as error:
        trouble = str(error)
    finally:
        limit.cancel()
    return results, printed.getvalue(), trouble


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
    except (Exception, SystemExit) as error:
        message = " ".join([type(error).__name__, *str(error).splitlines()[:1]])
        raise ValueError(text("check_raised", error=message)) from None
    if not all(map(_equal, given, case)):
        raise ValueError(text("check_changed"))
    return result if _is_blank(result) else _READERS[exercise.returns](result)


def _is_blank(answer):
    return answer is None or answer is ...


def _read_number(answer):
    """An answer as an int, or a float where it is not whole; ValueError for what is no number."""
    try:
        value = answer.item() if hasattr(answer, "item") else answer  # tensors and numpy's
        if isinstance(value, (bool, str, bytes)) or not math.isfinite(value):
            raise TypeError
        return int(value) if value == int(value) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(text("check_number", answer=_abbreviated(answer))) from None


def _read_tensor(result):
    if not isinstance(result, torch.Tensor) or result.is_complex():
        raise ValueError(text("check_tensor", result=_abbreviated(result)))
    return result.detach().cpu().double()


_READERS = {int: _read_number, torch.Tensor: _read_tensor}


def _equal(a, b, tolerance=1e-6):
    """Whether numbers, lists or tensors have the same shape and values."""
    if _is_blank(a):
        return False
    a, b = (value.detach() if isinstance(value, torch.Tensor) else value for value in (a, b))
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=1e-6)


def _abbreviated(value):
    if isinstance(value, torch.Tensor):
        return f"tensor({reprlib.repr(value.tolist())})"
    return " ".join(reprlib.repr(value).split())
