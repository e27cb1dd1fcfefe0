"""From pen up to the new guess and maps in the page: `python tests/benchmark_draw_pad.py`."""
import statistics
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

WATCH = """() => {
    window.lhTimes = {up: 0, shown: 0};
    const view = document.querySelector(".lh-pad-view");
    document.querySelector(".lh-pad-canvas").addEventListener("pointerup", event => { lhTimes.up = event.timeStamp; });
    new MutationObserver(async () => {  // shown: every picture decoded, and a frame painted with them
        await Promise.all([...view.querySelectorAll("img")].map(image => image.decode().catch(() => {})));
        requestAnimationFrame(() => setTimeout(() => { lhTimes.shown = performance.now(); }));
    }).observe(view, {childList: true});
}"""


def pen_up_to_answer(page, draw, drawings):
    """Milliseconds, a drawing each, from the pointer's release to the last change that it brought about."""
    page.evaluate(WATCH)
    times = []
    for drawing in drawings:
        page.get_by_role("button", name="Clear").click()
        page.wait_for_timeout(500)
        draw(page, drawing["strokes"])
        page.wait_for_timeout(1000)
        times.append(page.evaluate("() => lhTimes.shown - lhTimes.up"))
    assert all(time > 0 for time in times)
    return times


def measure(page):
    """{what: milliseconds, median of 20} for a page of `open_pad`."""
    from test_lab_draw_pad import DRAWINGS, draw, run_code

    figures = {"kernel idle": statistics.median(pen_up_to_answer(page, draw, DRAWINGS[:20]))}
    run_code(page, "lh.start(); run = lh.train_in_background(lh.LeNet5(), lh.sklearn_digits(), epochs=10_000)")
    figures["a training in the background"] = statistics.median(pen_up_to_answer(page, draw, DRAWINGS[:20]))
    run_code(page, "run.stop()")
    return figures


def test_pen_up_to_answer(open_pad):
    print()
    for name, median in measure(open_pad()).items():
        print(f"pen up to new guess and maps in the page, {name:<30} {median:6.0f} ms (median of 20)")


if __name__ == "__main__":  # as a test, for the JupyterLab of tests/test_lab.py
    sys.exit(pytest.main(["-q", "-s", "-p", "no:cacheprovider", "-o", "python_files=benchmark_draw_pad.py", __file__]))
else:
    from test_lab_draw_pad import lab, open_notebook, open_pad  # noqa: F401
