"""The training panel in a real JupyterLab: the class goes on while it trains; Stop stops it."""

import pytest
from lab import run_code

START = [
    "import lenet_helpers as lh, torch, time\ndigits = lh.sklearn_digits()",
    "run = lh.train_in_background(lh.LeNet5(), digits, epochs=400)\nrun",
]
POINTS = "e => e.getAttribute('points').trim().split(/\\s+/).filter(Boolean).length"


def points(page):
    """How many points the curves of loss and accuracy have."""
    return [page.locator(".lh-run polyline").nth(i).evaluate(POINTS) for i in (0, 1)]


def wait_for_text(page, text, seconds=5):
    page.wait_for_function(
        "text => document.querySelector('.lh-run').innerText.includes(text)",
        arg=text,
        timeout=seconds * 1000,
    )


def outputs(page):
    return page.locator(".jp-OutputArea-output").all_inner_texts()


def test_cells_and_sliders_work_while_it_trains(open_notebook):
    page = open_notebook(
        [
            *START,
            "1 + 1",
            "lh.evaluate(run.model, digits.test).total.sum()",
            "lh.explore_convolution()",
        ]
    )
    page.locator(".lh-run").wait_for()
    page.wait_for_function(
        "() => document.querySelectorAll('.lh-run polyline')[0].getAttribute('points').length > 0",
        timeout=5000,
    )
    before = points(page)
    assert "2" in outputs(page) and any("360" in text for text in outputs(page))
    page.locator(".lh-svg").wait_for()
    handle = page.locator(".noUi-handle").first
    handle.focus()
    drawn = page.locator(".lh-svg").inner_html()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('.lh-svg').innerHTML !== old", arg=drawn, timeout=3000
    )
    page.wait_for_timeout(2500)
    after = points(page)
    assert after[0] > before[0] and after[1] > before[1]
    assert (
        len(page.locator(".jp-OutputArea-output").all()) == 4
    )  # panel, two numbers, explorer: nothing printed anywhere
    page.get_by_role("button", name="Stop").last.click()
    wait_for_text(page, "Stopped", seconds=3)
    stopped = points(page)
    page.wait_for_timeout(600)
    assert points(page) == stopped
    assert run_code(page, "print(run.running, len(run.history) > 0)").split() == ["False", "True"]


@pytest.mark.parametrize("first", ["time.sleep(3)", "run.wait()"])
def test_the_first_click_on_stop_while_a_cell_runs(open_notebook, first):
    """A click waits for the running cell: for the end of sleep, or for the interrupt of wait. Then it acts at once."""
    page = open_notebook(START)
    page.locator(".lh-run").wait_for()
    page.evaluate(
        """code => {
        window.kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        window.ended = false;
        window.kernel.requestExecute({code}).done.then(() => { window.ended = true; });
    }""",
        first,
    )
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Stop").last.click()
    if first == "run.wait()":
        page.wait_for_timeout(300)
        page.evaluate("() => window.kernel.interrupt()")
    page.wait_for_function("() => window.ended", timeout=6000)
    wait_for_text(page, "Stopped", seconds=3)


def test_a_fault_is_shown_in_the_panel(open_notebook):
    page = open_notebook(
        [
            START[0],
            "model = lh.LeNet5()\nmodel.fc1 = torch.nn.Linear(256, 120)\n"
            "run = lh.train_in_background(model, digits)\nrun",
        ]
    )
    page.locator(".lh-run").wait_for()
    wait_for_text(page, "mat1 and mat2 shapes cannot be multiplied")


def test_what_is_left_after_a_restart_says_when(open_notebook):
    """The page cannot know that the kernel is gone; the panel's last words carry the epoch and the time."""
    page = open_notebook(START)
    page.locator(".lh-run").wait_for()
    page.wait_for_timeout(1500)
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    page.wait_for_timeout(1500)
    text = page.locator(".lh-run").inner_text()
    page.wait_for_timeout(1000)
    assert page.locator(".lh-run").inner_text() == text and "epoch" in text
