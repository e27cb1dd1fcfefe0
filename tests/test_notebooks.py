"""What nbval does not see: tags, outputs and counts as committed, the two editions side by side."""

import ast
import functools
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
from notebook_tool import ROOT, WIDGET, code_cells, page_title, run

PATHS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
NAMES = sorted({path.name for path in PATHS})
CHINESE = re.compile("[\u4e00-\u9fff]")


def read(path):
    return nbformat.read(path, as_version=4)


def edition(language, name):
    return read(ROOT / "notebooks" / language / name)


def columns(line):
    """Its width where letters have one width: a Chinese one is twice as wide."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.name}")
class TestEach:
    def test_is_valid_and_committed_as_run(self, path):
        notebook = read(path)
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
        cells = read(path).cells
        for cell in cells:
            tags = set(cell.metadata.get("tags", []))
            assert tags <= {"nbval-check-output"}, cell.source
            assert not tags or cell.cell_type == "code" and cell.outputs, cell.source
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
        known = {"slide", "subslide", "fragment", "skip", "notes", "-"}
        assert kinds[0] == "slide" and set(kinds) <= known

    def test_a_hidden_answer_is_hidden(self, path):
        """JupyterLab shows the first line of a hidden output where the code is not hidden, too."""
        for cell in code_cells(read(path)):
            folded = cell.metadata.get("jupyter", {})
            if folded.get("outputs_hidden") and not folded.get("source_hidden"):
                first = cell.outputs[0].get("text", "").split("\n")[0]
                assert not re.search("[1-9]", first) or first.startswith("python "), first

    def test_cells_can_be_read_and_followed(self, path):
        for cell in read(path).cells:
            assert cell.source.strip()
            if cell.cell_type == "markdown":
                for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", cell.source):
                    assert (path.parent / target.split("#")[0]).exists(), target
            else:
                lines = cell.source.splitlines()
                assert len(lines) <= 20 and max(map(columns, lines)) <= 84, cell.source
                assert path.parent.name == "zh" or not CHINESE.search(cell.source), cell.source


def test_both_editions_are_there():
    assert NAMES and {path.parent.name for path in PATHS} == {"zh", "en"}
    assert len(PATHS) == 2 * len(NAMES)


class Meaning(ast.NodeTransformer):
    """Code without its words: strings blank, an f-string as its expressions in whatever order."""

    def visit_Constant(self, node):
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node):
        values = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.Constant(tuple(sorted(ast.dump(self.visit(value)) for value in values)))


def meaning(source):
    return ast.dump(Meaning().visit(ast.parse(source)))


@pytest.mark.parametrize("name", NAMES)
def test_editions_have_the_same_code(name):
    zh, en = (code_cells(edition(language, name)) for language in ("zh", "en"))
    assert len(zh) == len(en)
    for chinese, english in zip(zh, en):
        assert meaning(chinese.source) == meaning(english.source), english.source
        assert chinese.source == in_chinese(english.source), "run `notebook_tool.py copy`"
    for cells, language in ((zh, "zh"), (en, "en")):
        assert f'lh.start("{language}")' in cells[0].source


def test_the_table_of_translations_is_chinese_and_used():
    sources = [cell.source for name in NAMES for cell in code_cells(edition("en", name))]
    assert set(TABLE) <= {phrase.key for source in sources for phrase in phrases(source)}
    for english, chinese in TABLE.items():
        assert CHINESE.search(chinese) and not CHINESE.search(english), english


def test_code_in_chinese():
    source = """\
lh.start("en")
x = np.array([1.0, 2.0])    # two of them
# (N, 1)
name = "big # one"          # two of them
lh.label("big # one", {"big # one"})
print(f"{name:9} of {x['a']}", lh.label("of"), data["in it"], *look("cpu"), end="\\n")
"""
    table = {
        "# two of them": "# 两个",
        '"big # one"': '"大"',
        """f"{name:9} of {x['a']}\"""": """f"{x['a']} 中的 {name}\"""",
    }
    chinese = """\
lh.start("zh")
x = np.array([1.0, 2.0])    # 两个
# (N, 1)
name = "大"          # 两个
lh.label("big # one", {"大"})
print(f"{x['a']} 中的 {name}", lh.label("of"), data["in it"], *look("cpu"), end="\\n")
"""
    assert in_chinese(source, table) == chinese
    assert meaning(source) == meaning(chinese) != meaning(chinese.replace("x", "y"))
    for key in ("# two of them", """f"{name:9} of {x['a']}\""""):
        less = {english: words for english, words in table.items() if english != key}
        with pytest.raises(LookupError, match=re.escape(key)):
            in_chinese(source, less)
    for missing in ('"""Says it."""', 'print("\\nthe sum", 3)', 'x = f"on {x}"'):
        with pytest.raises(LookupError):
            in_chinese(missing, table)


def test_copy_keeps_what_a_cell_shows_where_only_comments_change(tmp_path, monkeypatch):
    table = {"# a sum": "# 和", '"the sum"': '"和"'}
    monkeypatch.setattr(notebook_tool, "in_chinese", functools.partial(in_chinese, table=table))
    monkeypatch.setattr(notebook_tool, "ROOT", tmp_path)

    def write(language, *sources):
        cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
        path = tmp_path / "notebooks" / language / "one.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    zh = write("zh", "x = 1  # old", 'print("old")')
    notebook_tool.copy(write("en", "x = 1  # a sum", 'print("the sum")'))
    copied = [(cell.source, cell.execution_count) for cell in read(zh).cells]
    assert copied == [("x = 1  # 和", 1), ('print("和")', None)]
    before = zh.read_bytes()
    with pytest.raises(LookupError, match='(?s)# new.*"newer"'):
        notebook_tool.copy(write("en", "x = 2  # new", 'print("newer")'))
    assert zh.read_bytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_editions_correspond_cell_by_cell(name):
    zh, en = edition("zh", name).cells, edition("en", name).cells
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
    for cells in zip(*(code_cells(edition(language, name)) for language in ("zh", "en"))):
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
        cells = edition(language, name).cells
        said[name[:2]] = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        printed[name[:2]] = "\n".join(output.get("text", "") for output in outputs)
        printed["guide"] += printed[name[:2]]
    for place, numbers in QUOTED.items():
        for number in numbers:
            whole = rf"(?<![\d.]){re.escape(number)}"
            assert re.search(whole, said[place]) and re.search(whole, printed[place]), (
                place,
                number,
            )


def test_a_saved_training_has_its_curves(tmp_path, monkeypatch):
    monkeypatch.delenv("LENET_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    sources = (
        "import lenet_helpers as lh",
        "run = lh.train_in_background(lh.LeNet5(), lh.sklearn_digits(), epochs=1)\nrun",
        "len(run.wait())",
        "'another cell'",
    )
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path = tmp_path / "training.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    run(path)
    shown = code_cells(read(path))[1].outputs
    assert [set(output.data) >= {"image/png"} for output in shown] == [True], shown


@pytest.fixture
def one_cell(tmp_path, monkeypatch):
    """Writes a notebook of one cell; gives its path."""
    monkeypatch.setattr(sys, "argv", ["notebook_tool.py", "run", str(tmp_path / "one.ipynb")])

    def write(source):
        cells = [nbformat.v4.new_code_cell(source)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "one.ipynb")
        return tmp_path / "one.ipynb"

    return write


def test_what_interact_shows_is_saved_as_plain_output(one_cell):
    path = one_cell("from ipywidgets import interact\ninteract(lambda x: print(x), x=(0, 4));")
    run(path)
    assert [output.get("text") for output in code_cells(read(path))[0].outputs] == ["2\n"]


def test_a_cell_without_an_end_is_named(one_cell, monkeypatch):
    path = one_cell("import time\ntime.sleep(600)")
    monkeypatch.setattr(notebook_tool, "LIMIT", 1)
    with pytest.raises(SystemExit, match=r"(?s)one\.ipynb.*1 seconds.*time\.sleep\(600\)"):
        notebook_tool.main()
    assert read(path).cells[0].execution_count is None


@pytest.mark.ci
@pytest.mark.parametrize("language", ["zh", "en"])
def test_slides_by_the_command_in_help_have_language_and_title(language, tmp_path):
    guide = (ROOT / "notebooks" / language / "help.md").read_text(encoding="utf-8")
    command = rf"-m (jupyter nbconvert .*notebooks/{language}/(\w+\.ipynb))`"
    arguments, name = re.search(command, guide).groups()
    command = [sys.executable, "-m", *arguments.split(), "--output-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    page = html.unescape(next(tmp_path.glob("*.html")).read_text(encoding="utf-8"))
    assert f'<html lang="{language}">' in page
    assert f"<title>{page_title(edition(language, name))}" in page
