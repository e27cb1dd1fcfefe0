"""00_demo.html beside the pad in JupyterLab: part `page` of benchmark.py. Chromium is needed."""

import statistics
import tempfile
from pathlib import Path

from benchmark_draw_pad import pen_up_to_answer
from lab import PROJECT, chromium, notebooks, private_lab
from test_lab_draw_pad import CELL

READY = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"  # the script has run


def measure():
    """{what: milliseconds, the median of 20, of 5 for opening}, and the ratio."""
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        private_lab(Path(folder), browser) as lab,
    ):
        page, opened = browser.new_page(viewport={"width": 1280, "height": 1000}), []
        for _ in range(5):
            page.goto((PROJECT / "notebooks" / "en" / "00_demo.html").as_uri())
            page.wait_for_timeout(500)
            opened.append(page.evaluate(READY))
        without_python = statistics.median(pen_up_to_answer(page))
        page.close()
        with notebooks(lab) as open_notebook:
            page = open_notebook([CELL.replace("{}", "network()")])
            page.locator(".lh-pad").scroll_into_view_if_needed()
            with_python = statistics.median(pen_up_to_answer(page))
    return {
        "open to ready (ms)": statistics.median(opened),
        "pen up to new guess and maps, in the page (ms)": without_python,
        "the same in JupyterLab (ms)": with_python,
        "JupyterLab / page": with_python / without_python,
    }
