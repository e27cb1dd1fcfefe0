"""`check`: what is said of a number, function, kernel or network, whatever is handed in."""

import copy
import difflib
import inspect
import math
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..sizes import ConvGeometry
from ..words.texts import text
from .answers import keep_answer
from .exercises import EXAMPLE, EXERCISES
from .function import CodeExercise
from .number import Exercise
from .questions.nb01_padding_stride_kernel import KernelExercise, judge_kernel
from .questions.nb04_train_lenet5 import StepExercise, judge_step
from .questions.nb06_next_lesson import NetworkExercise, judge_network
from .sandbox import Room, StillRunning, call_in_time
from .values import (
    READERS,
    Slip,
    abbreviated,
    are_equal,
    error_message,
    is_blank,
    read_number,
    say,
    transcript,
)

SECONDS = 60  # what needs longer is taken for an endless loop
_alike = partial(are_equal, absolute=1e-3)  # float32 sums, however they are computed


@dataclass
class _Attempt:
    """What was handed in, and what its judging has come to see of it."""

    name: str
    answers: tuple  # one, as it should be, or several
    shown: str = ""  # how it reads
    calls: list[str] = field(default_factory=list)  # of a function, each as it begins

    def say(self, mark: str, sentence: str):
        what = " ".join(self.name.split())[:40]
        say(mark, text("check_about", what=what, said=sentence))


def check(name: str, answer=..., *more) -> None:
    """Prints one line on `answer`: a number, a pair of numbers, a function, a kernel or a network,
    as the exercise asks; of none, and of several (`more`), it says so. Notebooks 00 to 06.

    A number may be an int, a float, numpy's or a tensor of one element; `None` and `...` are no
    answer yet. A function is tried on many cases; what it prints is not shown. A kernel is a table,
    or the explorer with its weights edited. No answer raises an error, and none takes longer than
    SECONDS (what takes some has a line that says so); an interrupt ends the check. What is judged
    right (✓) or wrong (✗) is kept for `report`; a slip of form and a timeout (…) are no try.
    """
    attempt = _Attempt(name if isinstance(name, str) else abbreviated(name), (answer, *more))
    waiting = partial(attempt.say, "…", text("check_waiting", seconds=SECONDS))
    try:
        mark, sentence = call_in_time(partial(_judge, attempt), SECONDS, waiting)
    except (StillRunning, KeyboardInterrupt) as stop:
        by_hand = isinstance(stop, KeyboardInterrupt)
        key = "by_hand" if by_hand else "endless" if stop.args[0] else "left"
        mark, sentence = "…", text(f"check_{key}", seconds=SECONDS)
        if attempt.calls:
            sentence = text("check_about", what=attempt.calls[-1], said=sentence)
    if attempt.name in EXERCISES.keys() - {EXAMPLE} and mark != "…":
        keep_answer(attempt.name, attempt.shown, mark == "✓")
    attempt.say(mark, sentence)


def _judge(attempt: _Attempt, room: Room):
    """(mark, sentence) for whatever was handed in."""
    try:
        if attempt.name not in EXERCISES:
            near = difflib.get_close_matches(attempt.name, EXERCISES, n=3, cutoff=0)
            return "✗", text("check_unknown", names=", ".join(near))
        exercise, answer = EXERCISES[attempt.name], attempt.answers[0]
        material = exercise.material(room) if hasattr(exercise, "material") else None
        room.began = time.monotonic()
        attempt.shown = ", ".join(map(transcript, attempt.answers))
        if len(attempt.answers) > 1:
            shown = ", ".join(map(abbreviated, attempt.answers))
            raise Slip(text("check_one_answer", shown=shown))
        if is_blank(answer):
            return "…", text("check_blank")
        if isinstance(exercise, Exercise):
            return _judge_numbers(exercise, answer)
        if isinstance(exercise, KernelExercise):
            return judge_kernel(exercise, answer)
        if isinstance(exercise, NetworkExercise):
            return judge_network(exercise, answer, room, material)
        return _judge_function(attempt, exercise, answer, room, material)
    except Slip as slip:
        return "…", str(slip)
    except BaseException as error:  # what an answer's own methods raise when it is looked at
        mark = "✗" if room.began < math.inf else "…"
        return mark, text("check_raised", error=error_message(error))


def _judge_numbers(exercise: Exercise, answer):
    """(mark, sentence) for a number, or for a pair where there are two unknowns."""
    numbers = [answer]
    if len(exercise.unknowns) == 2:
        try:
            numbers = list(answer[:3])  # a slice: of something endless, three are enough
            if isinstance(answer, str) or len(numbers) not in (0, 2):
                raise TypeError
        except (TypeError, LookupError):
            raise Slip(text("check_pair", names=", ".join(exercise.unknowns))) from None
        if all(map(is_blank, numbers)):
            return "…", text("check_blank")
    numbers = [read_number(value) for value in numbers]
    shown = ", ".join(map(abbreviated, numbers))
    values = {"answer": shown, "right": exercise.right, **exercise.values}
    for key, mistake in exercise.mistakes.items():
        if are_equal(numbers, np.atleast_1d(mistake), exercise.tolerance):
            return "✗", text(key, **values)
    if exercise.unknowns:
        try:
            values["g"] = ConvGeometry(*exercise.known, **dict(zip(exercise.unknowns, numbers)))
        except ValueError as error:
            return "✗", str(error)
        numbers = [values["g"].n_out]
    if are_equal(numbers, [exercise.right], exercise.tolerance):
        return "✓", text(exercise.why, **values)
    return "✗", text(exercise.hint, **values)


def _judge_function(attempt, exercise, function, room, material):
    """(mark, sentence) for a student's function, if it can be called as the right one."""
    parameters = inspect.signature(exercise.right).parameters
    try:
        inspect.signature(function).bind(*parameters)
    except Exception:  # no function, or one that does not tell
        call = f"{attempt.name}({', '.join(parameters)})"
        raise Slip(text("check_function", call=call)) from None
    if isinstance(exercise, StepExercise):
        return judge_step(exercise, function, room, material)
    return _judge_cases(attempt, exercise, function, room)


def _judge_cases(attempt, exercise: CodeExercise, function, room):
    """(mark, sentence) for a function: the first case that is wrong, and why."""
    results, trouble = [], ""
    try:
        for case in exercise.cases:
            attempt.calls.append(f"{attempt.name}({', '.join(map(abbreviated, case))})")
            results.append(_call(exercise, function, case))
    except ValueError as error:
        trouble = text("check_about", what=attempt.calls[-1], said=error)
    if not trouble and all(map(is_blank, results)):
        if room.printed:
            return "✗", text("check_printed", call=attempt.calls[0])
        return "…", text("check_blank")
    for call, case, result in zip(attempt.calls, exercise.cases, results):
        right = exercise.right(*case)
        if not _alike(result, right):
            shown = {"result": abbreviated(result), "right": abbreviated(right)}
            known = _known_mistake(exercise, results)
            return "✗", text(known) if known else text("check_differs", call=call, **shown)
    return ("✗", trouble) if trouble else ("✓", text(exercise.why, n=len(results)))


def _known_mistake(exercise, results):
    """The hint of the mistake that explains all results, or None."""
    for key, mistake in exercise.mistakes.items():
        if all(_alike(result, mistake(*case)) for case, result in zip(exercise.cases, results)):
            return key
    return None


def _call(exercise, function, case):
    """What a student's function makes of one case; ValueError says what is wrong with that."""
    given = copy.deepcopy(case)
    try:
        result = function(*given)
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too
        raise ValueError(text("check_raised", error=error_message(error))) from None
    if not all(map(are_equal, given, case)):
        raise ValueError(text("check_changed"))
    return result if is_blank(result) else READERS[exercise.returns](result)
