"""The class that the notebooks 00 to 04 give: it fits its minutes, and its parts stand alone."""

import re
import subprocess
import sys

import pytest
from notebook_tool import ROOT, code, execute, read, sections

LANGUAGES = "zh", "en"
CLASS = [path.stem for path in sorted((ROOT / "notebooks" / "zh").glob("0[0-4]*.ipynb"))]
OPENING, WORKSHEET, END, SPARE = 3, 5, 4, 5  # minutes of a period that no heading has


def typed(section):
    """How many answers are typed into it."""
    return len(re.findall(r"^lh\.(?:check|guess)\(.*, \.\.\.\)", code(section.cells), re.M))


def minutes(name, marks):
    """What sections with these marks take: theirs, one for each typed answer, one for a kernel."""
    chosen = [s for s in sections(read("zh", name)) if s.mark in marks and s.minutes]
    return sum(s.minutes for s in chosen), sum(map(typed, chosen)) + bool(chosen)


@pytest.mark.parametrize("name", CLASS)
def test_first_comes_what_every_class_does_then_what_two_periods_hold_then_home(name):
    zh, en = (sections(read(language, name)) for language in LANGUAGES)
    marks = [part.mark for part in zh]
    assert marks == sorted(marks, key=["★", "☆", ""].index)
    assert [(s.mark, s.minutes) for s in zh] == [(s.mark, s.minutes) for s in en]
    for part in (*zh[1:], *en[1:]):
        heading, *rest = part.cells
        folded = heading.metadata.get("jp-MarkdownHeadingCollapsed", False)
        assert folded == (part.mark != "★"), part.title
        assert not part.mark or part.minutes > 0, part.title
        inside = [cell.source for cell in rest if cell.cell_type == "markdown"]
        assert not re.search(r"^#+ ", "\n".join(inside), re.M), part.title


def test_the_class_fits_its_periods_and_the_readme_says_so():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in CLASS:
        core, both = (minutes(name, marks)[0] for marks in ("★", "★☆"))
        rows = re.findall(rf"^\| `{name}` \| (\d+) \| (\d+) \|", readme, re.M)
        assert rows == 2 * [(str(core), str(both))], name
    headings, besides = zip(*(minutes(name, "★") for name in CLASS))
    whole = sum(headings) + sum(besides) + END
    first, second = (sum(sum(minutes(n, "★☆")) for n in part) for part in (CLASS[:4], CLASS[4:]))
    periods = OPENING + first + WORKSHEET, OPENING + second + END
    assert sum(headings) <= 30 and whole <= 36 and max(periods) <= 40 - SPARE
    for total in (whole, *periods):
        assert f"{total} 分钟" in readme and f"{total} minutes" in readme, total


def undefined_names(cells):
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "-"]
    given = {"input": code(cells), "encoding": "utf-8", "capture_output": True}
    done = subprocess.run([*ruff, "--output-format", "concise"], **given)
    assert done.returncode in (0, 1), done.stderr
    return re.findall(r"F821 Undefined name `(\w+)`", done.stdout)


@pytest.mark.parametrize("name", CLASS)
def test_no_section_needs_one_that_may_be_skipped(name):
    """The route needs itself alone; a section of ☆, the route; one for home, both."""
    parts = sections(read("zh", name))
    for part in parts[1:]:
        marks = {"★": "★", "☆": "★", "": "★☆"}[part.mark]
        before = [s for s in parts[: parts.index(part)] if s.mark and s.mark in marks]
        cells = [cell for s in (*before, part) for cell in s.cells]
        assert not undefined_names(cells), part.title


def test_no_section_for_class_replaces_a_network_of_another():
    for name in CLASS:
        source = code(read("zh", name).cells)
        made = re.findall(r"^ *(\w+) = .*LeNet5\(\) *(?:#.*)?$", source, re.M)
        assert len(made) == len(set(made)), (name, made)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("column, marks, bell", [(0, "★☆", 40), (1, "★", 50)])
def test_the_guides_clock_gives_each_section_what_it_takes(language, column, marks, bell):
    """Its first table: when each row begins in two periods, in one, or not at all, and what."""
    guide = (ROOT / "notebooks" / language / "teacher_guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+|–).*? \| (\d+|–) \| (?:\*\*\d\d\*\* )?(.+?) \| ", guide, re.M)
    plan = [(int(row[column]), row[2]) for row in rows if row[column] != "–"]
    ends = [begins or bell for begins, _ in plan[1:]] + [bell]
    has = {what: end - begins for (begins, what), end in zip(plan, ends)}
    needs = {}
    for name in CLASS:
        parts = [s for s in sections(read(language, name)) if s.minutes and s.mark in marks]
        for part in parts:
            title = f"{part.title} {part.mark}{part.minutes}"
            needs[title] = part.minutes + typed(part) + (part is parts[0])
            assert guide.count(f"{title} ") == 2  # in the clock, and explained
    assert [what for what in has if what in needs] == list(needs)
    if bell == 40:  # JupyterLab is opened in class, twice
        for begins, what in plan:
            needs[what] = needs.get(what, WORKSHEET) + (OPENING if begins == 0 else 0)
    needs[plan[-1][1]] = END
    assert not {what for what in has if has[what] < needs[what]}


@pytest.mark.ci
@pytest.mark.parametrize("name", CLASS)
def test_what_every_class_sees_runs_alone(name):
    notebook = read("zh", name)
    seen = [section.cells for section in sections(notebook) if section.mark == "★"]
    notebook.cells = sum(seen, [])
    execute(notebook, ROOT / "notebooks" / "zh")
