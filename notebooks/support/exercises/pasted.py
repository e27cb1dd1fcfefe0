"""What `report` printed, read back from a file into which it was pasted from chats as it comes."""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..words.texts import TEXTS
from .questions import HOMEWORK

_SHOWN = 60  # characters of an answer
_EXERCISE = rf"(?:{'|'.join(HOMEWORK)})(?!\w)"
_NEXT = re.compile(rf"\n\W*(?:{_EXERCISE}|\d\d_\w+)|\n[–✓✗]", re.I)


class Report(NamedTuple):
    student: str
    file: str
    right: int
    n: int
    open: list[str]  # exercises that are not right
    wrong: dict[str, str]  # their last answers, where more than the first line was pasted
    agrees: bool  # whether the first line agrees with itself: else it was cut off


def read_reports(file: Path) -> Iterator[Report]:
    """The reports in a file, in its order; none where it cannot be read."""
    try:
        content = _plain(_decoded(file.read_bytes()))
    except OSError:
        return
    numbers = {"right": r"(?P<right>\d+)", "n": r"(?P<n>\d+)"}
    names = {"name": "^(?P<student>.*?)", "open": rf"(?P<open>(?:\W*{_EXERCISE})*)"}
    lines = [m for p in _patterns("report_line", **names, **numbers) for m in p.finditer(content)]
    lines.sort(key=re.Match.start)
    ends = [line.start() for line in lines[1:]] + [len(content)]
    for line, end in zip(lines, ends):
        right, n, rest = int(line["right"]), int(line["n"]), content[line.end() : end]
        listed = re.findall(r"\w+", line["open"].lower())
        unsolved = [name for name in HOMEWORK if name in listed]
        agrees = n == len(HOMEWORK) == right + len(unsolved)
        student, wrong = _student(line["student"]), _wrong_answers(rest)
        yield Report(student, file.name, right, n, unsolved, wrong, agrees)


def _wrong_answers(rest):
    """{exercise: answer}; a long answer begins on the next line."""
    found = {}
    for pattern in _patterns("report_wrong", tries=r"\d+"):
        for entry in re.finditer(rf"({_EXERCISE})\W*{pattern.pattern}", rest, re.I):
            line, _, more = rest[entry.end() :].partition("\n")
            answer = line.strip() or _NEXT.split("\n" + more, maxsplit=1)[0]
            answer = " ".join(answer.split())
            found[entry[1].lower()] = answer[:_SHOWN] + "…" * (len(answer) > _SHOWN)
    return found


def _patterns(key, **fields):
    """How a sentence may look once it was pasted, in each language."""
    for sentence in TEXTS[key].values():
        parts = re.split(r"\{(\w+)\}", _plain(sentence))
        parts[::2] = [re.escape(part).replace("\\ ", r"\s*") for part in parts[::2]]
        parts[1::2] = [fields[name] for name in parts[1::2]]
        yield re.compile("".join(parts).replace("·", r"[^\w\s]{1,3}"), re.M | re.I)


def _decoded(content):
    """Text as phones and Windows write it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def _plain(content):
    """Without full-width signs, invisible ones, those of quotation and Markdown, blank lines."""
    content = unicodedata.normalize("NFKC", content)
    content = re.sub(r"[\u200b-\u200f\u2060\ufeff]|\\(?=_)|\*\*|`+", "", content)
    lines = (re.sub(r"\s+", " ", line).strip("> |") for line in content.splitlines())
    return "\n".join(filter(None, lines))


def _student(words):
    """A name, without the clock, the sender and the signs that a chat puts before it."""
    words = re.sub(r"\d?\d:\d\d(:\d\d)?", "", words).rpartition(":")[2]
    return words.strip(" \"'“”‘’「」[]#_=+@?-–•")
