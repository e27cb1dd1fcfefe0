"""What nbval does not see: tags, outputs and counts as committed, the two editions side by side."""

import html
import json
import re
import subprocess
import sys
import unicodedata

import nbformat
import notebook_tool
import pytest
from code_in_chinese import TABLE, in_chinese, phrases
from notebook_tool import ROOT, WIDGET, code_cells, page_title, read, run

PATHS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
NAMES = sorted({path.stem for path in PATHS})
CHINESE = re.compile("[\u4e00-\u9fff]")


def write(path, *sources):
    """A notebook of code cells, as if they had been run; returns its path."""
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def columns(line):
    """Its width where letters have one width: a Chinese one is twice as wide."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.stem}")
class TestEach:
    def test_is_valid_and_committed_as_run(self, path):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata
        assert notebook.metadata.title == page_title(notebook)
        cells = code_cells(notebook)
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        for output in (output for cell in cells for output in cell.outputs):
            assert output.output_type != "error", output
            assert "UsageError" not in output.get("text", "")  # an unknown magic passes nbval
            assert WIDGET not in output.get("data", {}) or "image/png" in output.data
            assert not re.search(r"/(work|root|tmp|home)/", json.dumps(output)), "a machine's path"

    def test_tags_and_slides_are_known(self, path):
        cells = nbformat.read(path, as_version=4).cells
        for cell in cells:
            tags = set(cell.metadata.get("tags", []))
            assert tags <= {"nbval-check-output"}, cell.source
            assert not tags or cell.cell_type == "code" and cell.outputs, cell.source
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
        known = {"slide", "subslide", "fragment", "skip", "notes", "-"}
        assert kinds[0] == "slide" and set(kinds) <= known

    def test_a_hidden_answer_is_hidden(self, path):
        """JupyterLab shows the first line of a hidden output where the code is not hidden, too."""
        for cell in code_cells(nbformat.read(path, as_version=4)):
            folded = cell.metadata.get("jupyter", {})
            if folded.get("outputs_hidden") and not folded.get("source_hidden"):
                first = cell.outputs[0].get("text", "").split("\n")[0]
                assert not re.search("[1-9]", first) or first.startswith("python "), first

    def test_cells_can_be_read_and_followed(self, path):
        for cell in nbformat.read(path, as_version=4).cells:
            assert cell.source.strip()
            if cell.cell_type == "markdown":
                for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", cell.source):
                    assert (path.parent / target.split("#")[0]).exists(), target
            else:
                lines = cell.source.splitlines()
                assert len(lines) <= 20 and max(map(columns, lines)) <= 84, cell.source
                assert path.parent.name == "zh" or not CHINESE.search(cell.source), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_editions_have_the_same_code(name):
    zh, en = (code_cells(read(language, name)) for language in ("zh", "en"))
    assert len(zh) == len(en)
    for chinese, english in zip(zh, en):
        assert chinese.source == in_chinese(english.source), "run `notebook_tool.py copy`"
    assert 'lh.start("en")' in en[0].source


def test_the_table_of_translations_is_chinese_and_used():
    sources = [cell.source for name in NAMES for cell in code_cells(read("en", name))]
    assert set(TABLE) <= {key for source in sources for _, _, key, _ in phrases(source)}
    for english, chinese in TABLE.items():
        assert CHINESE.search(chinese) and not CHINESE.search(english), english
        assert english[0] == chinese[0]  # a comment, a string or an f-string
        values = [sorted(re.findall(r"{([^:}]+)", text)) for text in (english, chinese)]
        assert values[0] == values[1] or english[0] != "f", english


def test_what_is_not_translated_is_named_and_names_stay():
    for source, missing in {
        "x = 1  # one": "# one",
        '"""Says it."""': '"""Says it."""',
        'print("\\nthe sum", 3)': '"\\nthe sum"',
        'x = f"on {x}"': 'f"on {x}"',
        'print(f"{x}", lh.label("of"), data["in it"], "no key")': '"no key"',
    }.items():
        with pytest.raises(LookupError, match=f"^{re.escape(missing)}$"):
            in_chinese(source, {})
    assert in_chinese('lh.f("one", {"one"})', {'"one"': '"一"'}) == 'lh.f("one", {"一"})'


def test_copy_keeps_what_a_cell_shows_where_only_comments_change(tmp_path, monkeypatch):
    table = {"# a sum": "# 和", '"the sum"': '"和"'}
    monkeypatch.setattr(notebook_tool, "in_chinese", lambda source: in_chinese(source, table))
    monkeypatch.setattr(notebook_tool, "ROOT", tmp_path)

    en, zh = (tmp_path / "notebooks" / language / "one.ipynb" for language in ("en", "zh"))
    write(zh, "x = 1  # old", 'print("old")')
    notebook_tool.copy(write(en, "x = 1  # a sum", 'print("the sum")'))
    copied = [(cell.source, cell.execution_count) for cell in read("zh", "one").cells]
    assert copied == [("x = 1  # 和", 1), ('print("和")', None)]
    before = zh.read_bytes()
    with pytest.raises(LookupError, match='(?s)# new.*"newer"'):
        notebook_tool.copy(write(en, "x = 2  # new", 'print("newer")'))
    assert zh.read_bytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_editions_correspond_cell_by_cell(name):
    zh, en = read("zh", name).cells, read("en", name).cells
    assert [cell.cell_type for cell in zh] == [cell.cell_type for cell in en]
    for pair in zip(zh, en):
        if pair[0].cell_type == "code":
            continue
        chinese, english = (cell.source for cell in pair)
        headings = ["\n".join(re.findall(r"^#+ .*", text, re.M)) for text in (chinese, english)]
        levels = [re.findall(r"^(#+) ", text, re.M) for text in headings]
        assert levels[0] == levels[1]
        for mark, in_english in (("课上", "in class"), ("课后", "at home")):
            assert headings[0].count(mark) == headings[1].count(in_english), headings
        for sign in ("|", "<details>"):  # tables of the same size
            assert chinese.count(sign) == english.count(sign)
        assert not CHINESE.search(english)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_with_words_are_saved_in_each_language(name):
    for cells in zip(*(code_cells(read(language, name)) for language in ("zh", "en"))):
        chinese, english = ([o.get("data", {}).get("image/png") for o in c.outputs] for c in cells)
        source = cells[0].source
        drawn_here = "plt." in source and "lh.label" not in source  # so it has no words
        if any(chinese) and not drawn_here and "show_predictions" not in source:
            same = chinese == english
            assert not same, source


QUOTED = {  # what notebooks and guide say of the saved runs, as the runs print it
    "01": ["156"],
    "04": ["0.45", "0.84", "0.0038", "0.0026"],
    "05": ["0.0", "99.3%", "81.1%", "1.02", "0.15"],
    "06": ["94.2%", "93.2%"],
    "07": ["46", "68", "0.08", "0.0147", "97.6%", "85.0%", "67.0%", "30.6%"],
    "guide": ["0.7765", "0.84", "9932", "9933", "99.95%", "96.1%"],
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_numbers_said_of_the_saved_runs_are_theirs(language):
    guide = (ROOT / "notebooks" / language / "teacher_guide.md").read_text(encoding="utf-8")
    printed, said = {"guide": ""}, {"guide": guide.replace(",", "")}
    for name in NAMES:
        cells = read(language, name).cells
        said[name[:2]] = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        printed[name[:2]] = "\n".join(output.get("text", "") for output in outputs)
        printed["guide"] += printed[name[:2]]
    for place, numbers in QUOTED.items():
        for number in numbers:
            whole = rf"(?<![\d.]){re.escape(number)}"
            found = [re.search(whole, texts[place]) for texts in (said, printed)]
            assert all(found), (place, number)


@pytest.mark.ci
def test_what_a_page_without_a_kernel_can_show_is_saved(tmp_path, monkeypatch):
    """A training's curves, in one picture; below `interact`, what it printed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    sources = (
        "import lenet_helpers as lh",
        "run = lh.train_in_background(lh.LeNet5(), lh.sklearn_digits(), epochs=1)\nrun",
        "len(run.wait())",
        "from ipywidgets import interact\ninteract(lambda x: print(x), x=(0, 4));",
    )
    path = write(tmp_path / "training.ipynb", *sources)
    run(path)
    _, curves, _, printed = nbformat.read(path, as_version=4).cells
    assert ["image/png" in output.data for output in curves.outputs] == [True], curves
    assert [output.get("text") for output in printed.outputs] == ["2\n"]


def test_a_cell_without_an_end_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "one.ipynb", "import time\ntime.sleep(600)")
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["notebook_tool.py", "run", str(path)])
    monkeypatch.setattr(notebook_tool, "LIMIT", 1)
    with pytest.raises(SystemExit, match=r"(?s)one\.ipynb.*1 seconds.*time\.sleep\(600\)"):
        notebook_tool.main()
    assert path.read_bytes() == before


@pytest.mark.ci
@pytest.mark.parametrize("language", ["zh", "en"])
def test_slides_by_the_command_in_help_have_language_and_title(language, tmp_path):
    guide = (ROOT / "notebooks" / language / "help.md").read_text(encoding="utf-8")
    command = rf"-m (jupyter nbconvert .*notebooks/{language}/(\w+)\.ipynb)`"
    arguments, name = re.search(command, guide).groups()
    command = [sys.executable, "-m", *arguments.split(), "--output-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    page = html.unescape(next(tmp_path.glob("*.html")).read_text(encoding="utf-8"))
    assert f'<html lang="{language}">' in page
    assert f"<title>{page_title(read(language, name))}" in page
