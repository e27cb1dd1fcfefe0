"""What nbval does not see: tags, outputs and counts as committed, the two editions side by side."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from notebook_tool import ROOT, WIDGET, code_cells, without_language

from notebooks.support import texts

PATHS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
NAMES = sorted({path.name for path in PATHS})
TAGS = {"nbval-check-output"}


def read(path):
    return nbformat.read(path, as_version=4)


def edition(language, name):
    return read(ROOT / "notebooks" / language / name)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.name}")
class TestEach:
    def test_is_valid_and_asks_for_no_kernel(self, path):
        notebook = read(path)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata

    def test_is_committed_as_run(self, path):
        cells = code_cells(read(path))
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        for cell in cells:
            for output in cell.outputs:
                assert output.output_type != "error", output
                assert "UsageError" not in output.get("text", ""), (
                    cell.source
                )  # an unknown magic passes nbval
                assert WIDGET not in output.get("data", {}) or "image/png" in output.data, (
                    cell.source
                )

    def test_tags_are_known_and_have_something_to_check(self, path):
        for cell in read(path).cells:
            tags = set(cell.metadata.get("tags", []))
            assert tags <= TAGS, cell.source
            if "nbval-check-output" in tags:
                assert cell.cell_type == "code" and cell.outputs, cell.source

    def test_no_cell_is_empty_or_long(self, path):
        for cell in read(path).cells:
            assert cell.source.strip()
            assert cell.cell_type != "code" or len(cell.source.splitlines()) <= 20, cell.source

    def test_every_cell_has_its_slide(self, path):
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in read(path).cells]
        assert kinds[0] == "slide" and set(kinds) <= {
            "slide",
            "subslide",
            "fragment",
            "skip",
            "notes",
            "-",
        }

    def test_links_to_files_lead_somewhere(self, path):
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", cell.source):
                    assert (path.parent / target.split("#")[0]).exists(), target

    def test_code_says_nothing_in_chinese(self, path):
        """Figures' fonts have no Chinese, and the code is the same in both editions."""
        for cell in code_cells(read(path)):
            assert not re.search("[\u4e00-\u9fff]", cell.source), cell.source


def test_both_editions_are_there():
    assert NAMES and {path.parent.name for path in PATHS} == {"zh", "en"}
    assert len(PATHS) == 2 * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_editions_have_the_same_code(name):
    zh, en = (code_cells(edition(language, name)) for language in ("zh", "en"))
    assert [without_language(cell.source) for cell in zh] == [
        without_language(cell.source) for cell in en
    ]
    for cells, language in ((zh, "zh"), (en, "en")):
        assert f'lh.start("{language}")' in cells[0].source


@pytest.mark.parametrize("name", NAMES)
def test_editions_correspond_cell_by_cell(name):
    zh, en = edition("zh", name).cells, edition("en", name).cells
    assert [cell.cell_type for cell in zh] == [cell.cell_type for cell in en]
    for chinese, english in zip(zh, en):
        if chinese.cell_type == "markdown":
            levels = [re.findall(r"^(#+) ", cell.source, re.M) for cell in (chinese, english)]
            assert levels[0] == levels[1]
            for mark, in_english in (("课上", "in class"), ("课后", "at home")):
                headings = [
                    "\n".join(re.findall(r"^#+ .*", cell.source, re.M))
                    for cell in (chinese, english)
                ]
                assert headings[0].count(mark) == headings[1].count(in_english), headings
            assert chinese.source.count("|") == english.source.count("|")  # tables of the same size
            assert chinese.source.count("<details>") == english.source.count("<details>")
            assert not re.search("[\u4e00-\u9fff]", english.source)


def test_every_text_is_there_in_both_languages():
    for key, pair in texts.TEXTS.items():
        zh, en = pair["zh"], pair["en"]
        fields = [set(re.findall(r"{(\w+)", text)) for text in (zh, en)]
        assert zh.strip() and en.strip() and fields[0] == fields[1], key
        assert not re.search("[\u4e00-\u9fff]", en), key
    paths = [ROOT / "lenet_helpers.py", *(ROOT / "notebooks" / "support").glob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    prefixes = tuple(re.findall(r'text\(f"(\w+)\{', source))
    unused = {key for key in texts.TEXTS if f'"{key}"' not in source}
    assert {key for key in unused if not key.startswith(prefixes)} == set()


def test_the_readmes_files_are_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", readme):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"(?:notebooks|tests)/[\w/]+\.(?:ipynb|py|txt)", readme):
        assert (ROOT / path).exists(), path


def test_top_level_is_as_agreed():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split("\n")
    top = {path.split("/")[0] for path in tracked if path}
    assert {name for name in top if not name.startswith(".")} <= {
        "notebooks",
        "lenet_helpers.py",
        "requirements.txt",
        "img",
        "tests",
        "README.md",
        "pyproject.toml",
    }
    assert not [path for path in tracked if "ubyte" in path]  # MNIST stays out


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="only Linux can bind a process to a core"
)
def test_a_notebook_under_nbval_on_one_core(tmp_path):
    notebook = ROOT / "notebooks" / "en" / "02_output_size.ipynb"
    core = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os, sys, pytest; os.sched_setaffinity(0, {{{core}}}); "
            f"sys.exit(pytest.main([{str(notebook)!r}, '-q', '-n', '0', '-p', 'no:cacheprovider']))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
