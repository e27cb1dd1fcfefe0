"""Every notebook of both editions in a real JupyterLab, run from top to bottom."""
import re

import pytest

import lenet_helpers as lh

PATHS = sorted((lh.HERE / "notebooks").glob("*/*.ipynb"))
BROKEN = re.compile(r"Error displaying widget|Error creating widget|Loading widget\.\.\.|Failed to (load|create) (model|view)"
                    r"|Open Browser Console|<Figure size")


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_runs_without_errors_or_broken_widgets(open_notebook, path):
    page = open_notebook(path, seconds=600)
    page.wait_for_timeout(1500)
    assert page.locator(".jp-Dialog").count() == 0
    for text in page.locator(".jp-Notebook .jp-Cell").all_inner_texts():
        assert not BROKEN.search(text), text
    widths = page.evaluate("""() => [...document.querySelectorAll(".jp-OutputArea-output img, .jp-RenderedHTMLCommon img")]
        .map(image => image.naturalWidth)""")
    assert all(widths), "a picture is broken"


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_saved_notebook_opens_without_broken_widgets(open_notebook, path):
    """As committed, before anything is run: pictures where the widgets will be."""
    page = open_notebook(path, run=False)
    page.wait_for_timeout(1500)
    for text in page.locator(".jp-Notebook .jp-Cell").all_inner_texts():
        assert not BROKEN.search(text), text
