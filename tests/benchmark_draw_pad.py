"""From pen up to the new guess and maps in the page: part `draw_pad` of benchmark.py. Chromium is needed."""

import statistics
import tempfile
from pathlib import Path

from lab import notebooks, private_lab, run_code
from material import DRAWINGS
from test_lab_draw_pad import CELL, draw

WATCH = """() => {
    window.lhTimes = {up: 0, shown: 0};
    document.querySelector(".lh-pad-canvas").addEventListener("pointerup", event => { lhTimes.up = event.timeStamp; });
    new MutationObserver(() => {  // shown: a frame painted with the new numbers and maps
        requestAnimationFrame(() => setTimeout(() => { lhTimes.shown = performance.now(); }));
    }).observe(document.querySelector(".lh-pad-table"), {childList: true, subtree: true});
}"""


def pen_up_to_answer(page):
    """Milliseconds, for 20 drawings, from the pointer's release to the last change that it brought about."""
    page.evaluate(WATCH)
    times = []
    for drawing in DRAWINGS[:20]:
        page.get_by_role("button", name="Clear").click()
        page.wait_for_timeout(500)
        page.evaluate("() => { lhTimes.shown = lhTimes.up = 0; }")
        draw(page, drawing["strokes"])
        page.wait_for_timeout(1000)
        up, shown = page.evaluate("() => [lhTimes.up, lhTimes.shown]")
        assert up and shown
        times.append(max(0, shown - up))  # 0: what was sent while the pen was down was all
    return times


def measure():
    """{what: milliseconds, the median of 20}, with the kernel idle and with a training in the background."""
    with (
        tempfile.TemporaryDirectory() as folder,
        private_lab(Path(folder)) as lab,
        notebooks(lab) as open_notebook,
    ):
        page = open_notebook([CELL.replace("{}", "network()")])
        page.locator(".lh-pad").scroll_into_view_if_needed()
        figures = {"pen up to new guess and maps (ms)": statistics.median(pen_up_to_answer(page))}
        run_code(
            page,
            "lh.start(); run = lh.train_in_background(lh.LeNet5(), lh.sklearn_digits(), epochs=10_000)",
        )
        figures["the same while it trains (ms)"] = statistics.median(pen_up_to_answer(page))
        run_code(page, "run.stop()")
    return figures
