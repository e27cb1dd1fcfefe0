"""`collect`: the reports of a class in one table, read from files into which they were pasted from
chats as they come."""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..files import shown_path, typed_path, unreadable, write_file
from ..words.texts import TEXTS, text
from .questions import HOMEWORK
from .values import say

TABLE = "collected.csv"
HARDEST, MISTAKES = 5, 3  # exercises; wrong answers of each
_SHOWN = 60  # characters of an answer
_EXERCISE = rf"(?:{'|'.join(HOMEWORK)})(?!\w)"
_NEXT = re.compile(rf"\n\W*(?:{_EXERCISE}|\d\d_\w+)|\n[–✓✗]", re.I)


def collect(folder: str | Path) -> None:
    """Reads every file in a folder for what `report` printed: several in a file, either language,
    the first line alone. Prints a line a student, the hardest exercises and what cannot be read,
    and writes collected.csv into the folder. Of a student's reports the last counts, in the files'
    order of change. For the teacher.

        lh.collect("homework")  # 28 students, 30 files. ...

    Raises OSError where the folder cannot be read or written.
    """
    folder = typed_path(folder) or Path.cwd()
    files = _files(folder)
    handed_in, unread = {}, []
    for file in files:
        reports = list(read_reports(file))
        if not reports:
            unread.append(text("collect_no_report", file=file.name))
        for report in reports:
            if not report.agrees or not report.student:
                key = "collect_differs" if report.student else "collect_no_name"
                unread.append(text(key, file=file.name, name=report.student))
            if report.student:
                handed_in.setdefault(report.student.casefold(), []).append(report)
    last = [reports[-1] for _, reports in sorted(handed_in.items())]
    say(text("collect_title", n=len(last), files=len(files)))
    for report in last:
        say(f"{report.right:4} / {report.n}  {report.student}  {', '.join(report.open)}")
    _say_hardest(last)
    for reports in handed_in.values():
        if len(reports) > 1:
            named = ", ".join(report.file for report in reports)
            say(text("collect_twice", name=reports[-1].student, n=len(reports), files=named))
    if unread:
        say("\n  ".join([text("collect_unread"), *unread]))
    write_file(folder / TABLE, _table(last))
    say(text("collect_written", path=shown_path(folder / TABLE)))


def _files(folder):
    """Those in a folder, the last changed last, without the table and hidden ones."""
    try:
        files = [each for each in folder.iterdir() if each.is_file() and each.name[0] != "."]
        files.sort(key=lambda file: (file.stat().st_mtime, file.name))
    except OSError as error:
        raise unreadable(folder, error) from None
    return [file for file in files if file.name != TABLE]


def _say_hardest(reports):
    missed = Counter(name for report in reports for name in report.open)
    if missed:
        say(text("collect_hardest"))
    for name, n in missed.most_common(HARDEST):
        wrong = Counter(report.wrong[name] for report in reports if name in report.wrong)
        answers = ", ".join(f"{answer} ({k})" for answer, k in wrong.most_common(MISTAKES))
        say(f"{len(reports) - n:4} / {len(reports)}  {name}  {answers}")


def _table(reports):
    """One row a student; the mark that a spreadsheet wants before UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([text("collect_student"), text("collect_right"), *HOMEWORK])
    for report in reports:
        wrong = {name: f"✗ {report.wrong.get(name, '')}".rstrip() for name in report.open}
        marks = [wrong.get(name, "✓") for name in HOMEWORK]
        writer.writerow([report.student, report.right, *marks])
    return codecs.BOM_UTF8 + file.getvalue().encode()


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
