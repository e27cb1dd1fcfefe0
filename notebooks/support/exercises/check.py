"""`check`: what is said of an answer, whatever is handed in."""

import difflib
import math
from functools import partial

from ..words.texts import text
from .answers import keep_answer
from .questions import EXAMPLE, QUESTIONS
from .sandbox import Sandbox
from .values import Slip, abbreviated, error_message, is_blank, say, transcript


def check(name: str, answer=..., *more) -> None:
    """Prints one line on `answer`: a number, a pair of numbers, a function, a kernel (a table, or
    the explorer with edited weights) or a network, as the exercise asks. Notebooks 00 to 07.

        lh.check("corner_pixel", ...)  # … corner_pixel: not answered yet.
        lh.check("corner_pixel", 1)    # ✓ corner_pixel: ... and why
        lh.check("my_output_size", my_output_size)

    Raises nothing. What is right (✓) or wrong (✗) is kept for `report`; no answer, a slip of form
    and what takes longer than a minute (…) are no try.
    """
    name = name if isinstance(name, str) else abbreviated(name)
    tell = partial(_tell, name)
    if name not in QUESTIONS:
        near = difflib.get_close_matches(name, QUESTIONS, n=3, cutoff=0)
        return tell("✗", text("check_unknown", names=", ".join(near)))
    sandbox = Sandbox()
    limit = {"seconds": sandbox.SECONDS}
    waiting = partial(tell, "…", text("check_waiting", **limit))
    try:
        judge = partial(_judge, QUESTIONS[name], (answer, *more))
        mark, sentence, shown = sandbox.run(judge, waiting)
    except (TimeoutError, KeyboardInterrupt) as stop:
        by_hand = isinstance(stop, KeyboardInterrupt)
        sentence = text("check_by_hand" if by_hand else "check_endless", **limit)
        if sandbox.call:
            sentence = text("check_about", what=sandbox.call, said=sentence)
        return tell("…", sentence)
    if name != EXAMPLE and mark != "…":
        keep_answer(name, shown, mark == "✓")
    tell(mark, sentence)


def _tell(name, mark, sentence):
    say(mark, text("check_about", what=" ".join(name.split())[:40], said=sentence))


def _judge(question, answers, sandbox: Sandbox):
    """(mark, sentence, the answer as it reads) for whatever was handed in."""
    shown = ""
    try:
        shown = ", ".join(map(transcript, answers))
        if len(answers) > 1:
            raise Slip(text("check_one_answer", shown=", ".join(map(abbreviated, answers))))
        if is_blank(answers[0]):
            raise Slip(text("check_blank"))
        return *question.judge(answers[0], sandbox), shown
    except Slip as slip:
        return "…", str(slip), shown
    except BaseException as error:  # what an answer's own methods raise when it is looked at
        mark = "✗" if sandbox.began < math.inf else "…"
        return mark, text("check_raised", error=error_message(error)), shown
