"""Work on the notebooks: `python tests/notebook_tool.py run|copy [FILE ...]`, or `hand_out FOLDER`.

run   executes each notebook from top to bottom, as committed: cells numbered from 1, no widget state, and no
      output that a page without a kernel cannot show. A notebook whose cell fails, or takes more than twenty
      minutes, is left as it was.
copy  makes the code cells of notebooks/zh from those of notebooks/en: code is edited in English, and its comments
      and printed words are translated by code_in_chinese.toml. Names what is missing there; a notebook with a
      missing translation is left as it was.
hand_out  makes FOLDER, a copy of the project for students: notebooks without outputs, nobody's `my_*` files, no
      teacher's guide (it has the worksheet's key), and MNIST where it is here.
"""

import argparse
import ast
import contextlib
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import nbformat
from code_in_chinese import in_chinese
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal

ROOT = Path(__file__).resolve().parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"
LIMIT = 1200  # seconds a cell: the longest waits for 20 epochs, maybe on a busy machine
HEADING = re.compile(
    r"## (?P<title>.+?) ?(?:(?P<mark>[★☆]) ?[（(](?:课上|in class,) (?P<minutes>\d+) (?:分钟|minutes?)[）)]"
    r"|[（(](?:课后|at home)[）)])$",
    re.M,
)


class Section(NamedTuple):
    """A section of a notebook for class; `mark` is ★, ☆ or, for what is done at home, ""."""

    title: str
    mark: str
    minutes: int
    cells: list


def sections(notebook):
    """What comes before the first heading of level 2 is of the route, too: it sets up."""
    found = [Section("", "★", 0, [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title, mark, minutes = HEADING.match(cell.source).group("title", "mark", "minutes")
            found.append(Section(title, mark or "", int(minutes or 0), []))
        found[-1].cells.append(cell)
    return found


def read(language, name):
    return nbformat.read(ROOT / "notebooks" / language / f"{name}.ipynb", as_version=4)


def code(cells):
    """Of code cells, one below the other."""
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def execute(notebook, folder):
    client = NotebookClient(
        notebook,
        timeout=LIMIT,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    # No stand-in for a widget's page: what it sends can make nbclient's own socket miss the reply
    # of the cell. And what `interact` shows stays below its cell, for a page without a kernel.
    client.comm_open_handlers = {"jupyter.widget": lambda message: None}
    client.execute()


def run(path):
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, path.parent)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if can_be_shown(output)]
    notebook.metadata.pop("widgets", None)
    save(notebook, path)


def page_title(notebook):
    """The heading of its first cell: what nbconvert gives a page as its title."""
    return notebook.cells[0].source.splitlines()[0].lstrip("# ")


def can_be_shown(output):
    """A widget needs a kernel; one with a picture of itself has that to show, a progress bar has nothing."""
    data = output.get("data", {})
    return WIDGET not in data or "image/png" in data


def save(notebook, path):
    notebook.metadata.title = page_title(notebook)
    part = path.with_name(path.name + ".part")
    nbformat.write(notebook, part)
    os.replace(part, path)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def copy(path):
    """Makes the code of a Chinese notebook from its English twin's; both must have as many code cells.

    What a cell shows is kept where only its comments change. Raises LookupError for what is not translated.
    """
    twin = ROOT / "notebooks" / "zh" / path.name
    source, target = nbformat.read(path, as_version=4), nbformat.read(twin, as_version=4)
    missing = []
    for english, cell in zip(code_cells(source), code_cells(target), strict=True):
        try:
            code = in_chinese(english.source)
        except LookupError as error:
            missing.append(f"cell {english.id}: {error}")
            continue
        if ast.dump(ast.parse(code)) != ast.dump(ast.parse(cell.source)):
            cell.outputs, cell.execution_count = [], None
            print(f"{twin.relative_to(ROOT)}: cell {cell.id} is to be run")
        cell.source = code
    if missing:
        raise LookupError("not in code_in_chinese.toml:\n" + "\n".join(missing))
    save(target, twin)


def project_files():
    """Git's list where the project is a checkout; else all but what .gitignore names."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z"]
    with contextlib.suppress(OSError):  # there may be no git
        listed = subprocess.run(git, capture_output=True, encoding="utf-8").stdout.split("\0")
        if any(listed):
            return [ROOT / name for name in listed if (ROOT / name).is_file()]
    ignored = {".git", *(ROOT / ".gitignore").read_text(encoding="utf-8").split()}
    found = []
    for place, folders, names in os.walk(ROOT):
        top = "/" if Path(place) == ROOT else ""
        folders[:] = [name for name in folders if not {f"{name}/", f"{top}{name}/"} & ignored]
        found += [Path(place, name) for name in names]
    return found


def add_mnist(folder):
    """MNIST's files, packed, from where `load_mnist` would look; says so where they are not here."""
    sys.path.insert(0, str(ROOT))
    from notebooks.support.data import mnist, mnist_files

    try:
        contents = mnist_files.read_files(mnist.data_folder()[0])
    except (OSError, ValueError) as error:
        return print(f"without MNIST: {error}")
    raw = folder / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in zip(mnist_files.MNIST_FILES, contents):
        (raw / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=6, mtime=0))


def hand_out(folder):
    if folder.exists() or folder.is_relative_to(ROOT):
        sys.exit(f"{folder}: give the name of a new folder outside the project.")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for path in project_files():
        if path.name == "teacher_guide.md" or path.name.startswith("my_"):
            continue
        target = part / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        if path.suffix == ".ipynb":
            notebook = nbformat.read(path, as_version=4)
            for cell in code_cells(notebook):
                cell.outputs, cell.execution_count = [], None
            save(notebook, target)
    add_mnist(part)
    os.rename(part, folder)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["run", "copy", "hand_out"])
    parser.add_argument("files", nargs="*", type=Path, help="notebooks (default: all); a FOLDER")
    options = parser.parse_args()
    if options.task == "hand_out":
        if len(options.files) != 1:
            parser.error("hand_out needs one FOLDER")
        return hand_out(options.files[0].resolve())
    tasks = {"run": (run, "*/*"), "copy": (copy, "en/*")}
    task, chosen = tasks[options.task]
    failed = False
    with tempfile.TemporaryDirectory() as own:  # what a reader has kept does not count here
        os.environ["LENET_SAVE"] = str(Path(own) / "my_lenet5.pt")
        for path in options.files or sorted((ROOT / "notebooks").glob(f"{chosen}.ipynb")):
            try:
                task(path.resolve())
            except CellControlSignal as error:
                sys.exit(f"{path}: {error}")
            except LookupError as error:  # of `copy`: name those of the other notebooks, too
                failed = True
                print(f"{path}: {error}")
            else:
                print(f"{path}: done", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
