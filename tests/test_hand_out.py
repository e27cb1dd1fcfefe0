"""The copy of the project that students are handed."""

import gzip
import subprocess
import sys

import nbformat
import notebook_tool
import pytest
from notebook_tool import ROOT, code_cells, hand_out

from notebooks.support.data import mnist_files


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    hand_out(tmp_path / "class 3")
    return tmp_path / "class 3"


def test_a_copy_works_and_has_no_outputs(copy):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    left_out = set(tracked.split()) - files(copy)
    assert {name.rpartition("/")[2] for name in left_out} <= {"teacher_guide.md"}
    notebooks = sorted((copy / "notebooks").glob("*/*.ipynb"))
    cells = [cell for path in notebooks for cell in code_cells(nbformat.read(path, as_version=4))]
    assert len(notebooks) == 16
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    start = [sys.executable, "-c", "import lenet_helpers as lh; lh.start('en')"]
    subprocess.run(start, cwd=copy, check=True)


def test_a_copy_of_a_copy_is_the_same_whatever_was_done_in_it(copy, tmp_path, monkeypatch):
    whole = files(copy)
    for name in ("data/my_lenet5.pt", "notebooks/en/my_notes.md", ".venv/x", "data/other"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("x")
    monkeypatch.setattr(notebook_tool, "ROOT", copy)
    hand_out(tmp_path / "second")
    assert files(tmp_path / "second") == whole
    for wrong in (copy / "inside", tmp_path / "second"):
        with pytest.raises(SystemExit, match="new folder outside"):
            hand_out(wrong)


def test_mnist_comes_with_it_where_it_is_here(tmp_path, monkeypatch):
    contents = [name.encode() for name in mnist_files.MNIST_FILES]
    monkeypatch.setattr(mnist_files, "read_files", lambda folder: contents)
    monkeypatch.setattr(sys, "argv", ["notebook_tool.py", "hand_out", str(tmp_path / "class")])
    notebook_tool.main()
    for name in mnist_files.MNIST_FILES:
        packed = tmp_path / "class" / "data" / "MNIST" / "raw" / f"{name}.gz"
        assert gzip.decompress(packed.read_bytes()) == name.encode()
