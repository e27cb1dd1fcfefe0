"""Notebook 7 instead of JupyterLab: each notebook in a page of its own."""

import pytest
from lab import FOLLOW, IDLE, run_all, server

pytestmark = pytest.mark.ci


def test_pad_and_check_before_class(browser, tmp_path):
    with server(tmp_path, "notebook") as (root, base, token):
        page = browser.new_page()
        page.goto(f"{base}/notebooks/notebooks/en/00_demo.ipynb?token={token}")
        page.wait_for_function(IDLE, timeout=60_000)
        page.evaluate(FOLLOW)
        run_all(page)
        page.locator('[data-sample="7"]').first.click()
        page.locator(".lh-pad-first b", has_text="7").first.wait_for()
        assert page.locator(".jp-OutputArea-output", has_text="✓ all").count()  # lh.ready()
        page.close()
