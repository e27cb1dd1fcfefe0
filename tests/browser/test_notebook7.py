"""Notebook 7 instead of JupyterLab: each notebook in a page of its own."""

import pytest
from lab import FOLLOW, IDLE, run_all, server

pytestmark = pytest.mark.ci


def test_pad_explorer_and_the_check_before_class(browser, tmp_path):
    with server(tmp_path, "notebook") as (root, base, token):
        page = browser.new_page()

        def opened(name):
            page.goto(f"{base}/notebooks/notebooks/en/{name}.ipynb?token={token}")
            page.wait_for_function(IDLE, timeout=60_000)
            page.evaluate(FOLLOW)
            run_all(page, seconds=300)

        opened("00_demo")
        page.locator('[data-sample="7"]').first.click()
        page.locator(".lh-pad-first b", has_text="7").first.wait_for()
        assert page.locator(".jp-OutputArea-output", has_text="✓ all").count()  # lh.ready()
        opened("01_padding_stride_kernel")
        explorer = page.locator(".lh-explorer").first
        explorer.locator("[name=stride]").fill("2")
        explorer.locator(".lh-formula", has_text="/ 2⌋").wait_for()
        page.close()
