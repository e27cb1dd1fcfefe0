"""Every notebook in a real JupyterLab: opened as committed, and one of both editions run from top to bottom.

The code is the same in both (test_notebooks.py); nbval runs the other edition (conftest.py).
"""

import os
import re
import subprocess
import sys

import pytest
from lab import run_all, runs_in_browser

from notebooks.support import files

PATHS = sorted((files.PROJECT / "notebooks").glob("*/*.ipynb"))
# those for class; the widgets of those for home (05 to 07) are these, and nbval runs the same code
OFTEN = [path for path in PATHS if runs_in_browser(path) and path.name < "05"]
BROKEN = re.compile(
    r"Error displaying widget|Error creating widget|Loading widget\.\.\.|Failed to (load|create) (model|view)"
    r"|Open Browser Console|<Figure size"
)
PICTURES = """() => [...document.querySelectorAll(".jp-OutputArea-output img, .jp-RenderedHTMLCommon img")]
    .filter(image => image.getAttribute("src")).map(image => image.complete && image.naturalWidth)"""

LOADING = """() => [...document.querySelectorAll(".jp-OutputArea-output")]
    .some(output => output.textContent.includes("Loading widget..."))"""


def look(page):
    page.wait_for_function(f"() => ({PICTURES})().every(Boolean)")  # each is there and is one
    for text in page.locator(".jp-Notebook .jp-Cell").all_inner_texts():
        assert not BROKEN.search(text), text
    assert page.locator(".jp-Dialog").count() == 0


@pytest.mark.parametrize(
    "path",
    [p if p in OFTEN else pytest.param(p, marks=pytest.mark.ci) for p in PATHS],
    ids=lambda p: f"{p.parent.name}/{p.name}",
)
def test_opens_and_runs_without_errors_or_broken_widgets(open_notebook, path):
    page = open_notebook(path, run=False)
    look(page)  # pictures where the widgets will be
    if not runs_in_browser(path):
        return
    run_all(page, seconds=600)
    page.wait_for_function(f"() => !({LOADING})()")  # a widget that fails says so only then
    look(page)


@pytest.mark.ci
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_readme_opens_the_lesson_at_the_projects_root(language, tmp_path):
    """JupyterLab serves nothing above its root, which a file on the command line would otherwise set to its folder."""
    readme = (files.PROJECT / "README.md").read_text(encoding="utf-8")
    arguments = re.search(rf"-m jupyterlab (.*notebooks/{language}/\S+)", readme).group(1).split()
    command = [sys.executable, "-m", "jupyterlab", *arguments, "--no-browser", "--allow-root"]
    where = {"cwd": files.PROJECT, "env": {**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)}}
    server = subprocess.Popen(command, **where, stderr=subprocess.PIPE, encoding="utf-8")
    served = (line for line in server.stderr if "Serving notebooks from" in line)
    try:
        assert next(served, "").strip().endswith(f"directory: {files.PROJECT}")
    finally:
        server.terminate()
        server.communicate(timeout=20)
