"""Every notebook in a real JupyterLab: opened as committed, and one of both editions run from top to bottom.

The code is the same in both (test_notebooks.py); nbval runs the other edition (conftest.py).
"""

import re

import pytest
from lab import run_all
from material import runs_in_browser

from notebooks.support import files

PATHS = sorted((files.PROJECT / "notebooks").glob("*/*.ipynb"))
# 06 takes a fifth of all, has no widget, and nbval runs the same code
OFTEN = [p for p in PATHS if runs_in_browser(p) and not p.name.startswith("06")]
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
    page.wait_for_timeout(100)
    look(page)
