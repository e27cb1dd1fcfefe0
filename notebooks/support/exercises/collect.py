"""`collect`: the reports of a class in one table."""

import codecs
import csv
import io
from collections import Counter
from pathlib import Path

from ..files import shown_path, typed_path, unreadable, write_file
from ..words.texts import text
from .pasted import read_reports
from .questions import HOMEWORK
from .values import say

TABLE = "collected.csv"
HARDEST, MISTAKES = 5, 3  # exercises; wrong answers of each


def collect(folder: str | Path) -> None:
    """Reads every file in a folder for what `report` printed, pasted from chats as it comes:
    several reports in a file, either language, the first line alone. Prints a line a student and
    the hardest exercises, and writes collected.csv into the folder. Of a student's reports the
    last counts, the files taken in the order in which they were changed. For the teacher.

        lh.collect("homework")  # 28 students, 30 files. ...

    What cannot be read is named. Raises OSError where the folder cannot be read or written.
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
