"""The answers that `check` was given, kept for `report`, which prints them to be handed in."""

import json
import os
import textwrap
import time

from ..files import MY_NETWORK, one_at_a_time, shown_path, unreadable, write_file
from ..words.texts import text
from .questions import HOMEWORK, NOTEBOOKS
from .values import say

MY_ANSWERS = MY_NETWORK.with_name("my_answers.json")
"""{exercise: its first right answer, or else the last, as it reads; and the tries until then}"""
FIELDS = {"answer": str, "right": bool, "tries": int}
LINE = 60  # characters; a longer answer has lines of its own in the report

_unsaved: dict[str, dict] = {}  # where the file cannot be written


def keep_answer(name: str, answer: str, right: bool) -> None:
    """Adds a try to MY_ANSWERS, or to this kernel's memory where that cannot be written. The same
    answer once more, as when a cell is run again, is no new try, nor is any after a right one."""
    answers = dict(_unsaved)
    try:
        with one_at_a_time(MY_ANSWERS):
            answers = _read_answers() | _unsaved
            answers[name] = _with_try(answers.get(name), answer, right)
            content = json.dumps(answers, ensure_ascii=False, indent=1)
            write_file(MY_ANSWERS, content.encode(errors="backslashreplace"))
            _unsaved.clear()
    except OSError:
        _unsaved[name] = _with_try(answers.get(name), answer, right)


def _with_try(entry, answer, right):
    """The entry of an exercise with one more try; what was right stays."""
    if entry and (entry["right"] or (entry["answer"], False) == (answer, right)):
        return entry
    return {"answer": answer, "right": right, "tries": entry["tries"] + 1 if entry else 1}


def _read_answers():
    """What MY_ANSWERS holds; a damaged file is put aside, and told. Raises OSError."""
    try:
        content = MY_ANSWERS.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise unreadable(MY_ANSWERS, error) from None
    try:
        answers = json.loads(content)
        for entry in answers.values():
            assert all(isinstance(entry[name], kind) for name, kind in FIELDS.items())
        return answers
    except Exception:  # whatever its first bad byte makes of it
        aside = MY_ANSWERS.with_name(f"{MY_ANSWERS.name}.damaged")
        os.replace(MY_ANSWERS, aside)
        say(text("answers_damaged", name=MY_ANSWERS.name, aside=aside.name))
        return {}


def report(student: str = ...) -> None:
    """Prints your homework, to be handed in as text: a line that says what is right and what is
    still open; then each answer, and at which try it was right. Notebook 07.

        lh.report("Ming")  # Ming · 27 of 32 right · open: my_network, ...

    Raises OSError where the file of answers cannot be read.
    """
    answers = _read_answers() | _unsaved
    name = "" if student in (..., None) else " ".join(str(student).split())
    unsolved = [each for each in HOMEWORK if not answers.get(each, {}).get("right")]
    n, still_open = len(HOMEWORK), ", ".join(unsolved) or "–"
    line = {"name": name or "?", "n": n, "right": n - len(unsolved), "open": still_open}
    say(text("report_line", **line))
    if not name:
        say(text("report_no_name"))
    for notebook, asked in NOTEBOOKS.items():
        if answered := [name for name in asked if name in answers and name in HOMEWORK]:
            say("\n" + notebook)
        for name in answered:
            say(_entry_text(name, answers[name]))
    say()
    if _unsaved:
        say(text("answers_unsaved", path=shown_path(MY_ANSWERS)))
    say(text("report_help", name=MY_ANSWERS.name, date=time.strftime("%Y-%m-%d")))


def _entry_text(name, entry):
    """The line of an exercise, and those of its answer."""
    mark, key = ("✓", "report_right") if entry["right"] else ("✗", "report_wrong")
    said, answer = text(key, tries=entry["tries"]), entry["answer"]
    if "\n" in answer or len(answer) > LINE:
        said, answer = said.rstrip(), "\n" + textwrap.indent(answer, " " * 6)
    return f"  {mark} {name}  {said}{answer}"
