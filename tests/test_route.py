"""The class that the notebooks 00 to 04 give: it fits its minutes, and its parts stand alone."""

import ast
import re
import subprocess
import sys

import nbformat
import pytest
from notebook_tool import ROOT, code_cells, route, sections

LANGUAGES = "zh", "en"
CLASS = [path.stem for path in sorted((ROOT / "notebooks" / "zh").glob("0[0-4]*.ipynb"))]
OPENING, WORKSHEET, END, SPARE = 3, 5, 4, 5  # minutes of a period that no heading has


def notebook(language, name):
    return nbformat.read(ROOT / "notebooks" / language / f"{name}.ipynb", as_version=4)


def typed(section):
    """How many answers are typed into it."""
    code = "\n".join(cell.source for cell in section.cells if cell.cell_type == "code")
    return len(re.findall(r"^lh\.(?:check|guess)\(.*, \.\.\.\)", code, re.M))


def minutes(name, marks):
    """What sections with these marks take: theirs, one for each typed answer, one for a kernel."""
    chosen = [s for s in sections(notebook("zh", name)) if s.mark in marks and s.minutes]
    return sum(s.minutes for s in chosen), sum(map(typed, chosen)) + bool(chosen)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CLASS)
def test_first_comes_what_every_class_does_then_what_two_periods_hold_then_home(name, language):
    parts = sections(notebook(language, name))
    marks = [part.mark for part in parts]
    assert marks == sorted(marks, key=["★", "☆", ""].index)
    for part in parts[1:]:
        heading, *rest = part.cells
        folded = heading.metadata.get("jp-MarkdownHeadingCollapsed", False)
        assert folded == (part.mark != "★"), part.title
        assert not part.mark or part.minutes > 0, part.title
        inside = [cell.source for cell in rest if cell.cell_type == "markdown"]
        assert not re.search(r"^#+ ", "\n".join(inside), re.M), part.title


def test_both_editions_have_the_same_sections():
    for name in CLASS:
        zh, en = (sections(notebook(language, name)) for language in LANGUAGES)
        assert [s[1:3] for s in zh] == [s[1:3] for s in en]
        assert [len(s.cells) for s in zh] == [len(s.cells) for s in en]


def test_the_class_fits_its_periods():
    headings, besides = zip(*(minutes(name, "★") for name in CLASS))
    assert sum(headings) <= 30 and sum(headings) + sum(besides) + END <= 36
    first, second = (sum(sum(minutes(n, "★☆")) for n in part) for part in (CLASS[:4], CLASS[4:]))
    assert OPENING + first + WORKSHEET <= 40 - SPARE and OPENING + second + END <= 40 - SPARE


def undefined_names(cells, tmp_path):
    path = tmp_path / "cells.py"
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    path.write_text(code, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", str(path)]
    done = subprocess.run([*ruff, "--output-format", "concise"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return re.findall(r"F821 Undefined name `(\w+)`", done.stdout)


@pytest.mark.parametrize("name", CLASS)
def test_no_section_needs_one_that_may_be_skipped(name, tmp_path):
    """The route needs itself alone; a section of ☆, the route; one for home, both."""
    parts = sections(notebook("zh", name))
    for part in parts[1:]:
        marks = {"★": "★", "☆": "★", "": "★☆"}[part.mark]
        before = [s for s in parts[: parts.index(part)] if s.mark and s.mark in marks]
        cells = [cell for s in (*before, part) for cell in s.cells]
        assert not undefined_names(cells, tmp_path), part.title


def test_no_section_for_class_replaces_a_network_of_another():
    for name in CLASS:
        made = [
            target.id
            for cell in code_cells(notebook("zh", name))
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Assign) and ast.unparse(node.value).endswith("LeNet5()")
            for target in node.targets
        ]
        assert len(made) == len(set(made)), (name, made)


def test_readme_has_the_minutes():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in CLASS:
        core, both = (minutes(name, marks)[0] for marks in ("★", "★☆"))
        rows = re.findall(rf"^\| `{name}` \| (\d+) \| (\d+) \|", readme, re.M)
        assert rows == 2 * [(str(core), str(both))], name
    headings, besides = zip(*(minutes(name, "★") for name in CLASS))
    whole = sum(headings) + sum(besides) + END
    first, second = (sum(sum(minutes(n, "★☆")) for n in part) for part in (CLASS[:4], CLASS[4:]))
    for total in (whole, OPENING + first + WORKSHEET, OPENING + second + END):
        assert f"{total} 分钟" in readme and f"{total} minutes" in readme, total


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_has_every_section_for_class_with_its_minutes(language):
    guide = (ROOT / "notebooks" / language / "teacher_guide.md").read_text(encoding="utf-8")
    for name in CLASS:
        for part in sections(notebook(language, name)):
            said = f"{part.title} {part.mark}{part.minutes} "
            assert not part.minutes or guide.count(said) == 2, said  # in the clock, and explained


def clock(language):
    """The guide's first table: for each row the minutes at which it begins in two periods and in
    one (None: not at all), and what begins."""
    guide = (ROOT / "notebooks" / language / "teacher_guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+|–).*? \| (\d+|–) \| (?:\*\*\d\d\*\* )?(.+?) \| ", guide, re.M)
    return [(*(int(n) if n.isdigit() else None for n in row[:2]), row[2]) for row in rows]


def taken(plan, bell):
    """How long each of [(begins, what), ...] has, to the next one or to the bell."""
    ends = [begins or bell for begins, _ in plan[1:]] + [bell]
    return {what: end - begins for (begins, what), end in zip(plan, ends)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guides_clock_gives_each_section_what_it_takes(language):
    rows = clock(language)
    plans = [[(row[i], row[2]) for row in rows if row[i] is not None] for i in (0, 1)]
    for plan, marks, bell in zip(plans, ("★☆", "★"), (40, 50)):
        has = taken(plan, bell)
        needs = {}
        for name in CLASS:
            parts = [s for s in sections(notebook(language, name)) if s.minutes and s.mark in marks]
            for part in parts:
                title = f"{part.title} {part.mark}{part.minutes}"
                needs[title] = part.minutes + typed(part) + (part is parts[0])
        assert [what for what in has if what in needs] == list(needs)
        if bell == 40:  # JupyterLab is opened in class, twice
            for begins, what in plan:
                needs[what] = needs.get(what, WORKSHEET) + (OPENING if begins == 0 else 0)
        needs[plan[-1][1]] = END
        assert not {what for what in has if has[what] < needs[what]}


@pytest.mark.ci
@pytest.mark.parametrize("name", CLASS)
def test_what_every_class_sees_runs_alone(name):
    route(ROOT / "notebooks" / "zh" / f"{name}.ipynb")
