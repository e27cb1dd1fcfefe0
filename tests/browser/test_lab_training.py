"""The training panel in a real JupyterLab: the class goes on while it trains; what it shows; Stop."""

import json
import re

import pytest
from lab import busy, cells, keys_stay_in, run_code
from material import DRAWINGS, TRAINED, draw

SETUP = """import lenet_helpers as lh, torch
lh.start("en")
digits = lh.sklearn_digits()"""
START = "run = lh.train_in_background(lh.LeNet5(), digits, epochs={}, seed=1)\nrun"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def training(open_notebook, lab):
    """Opens a notebook that starts a training of so many epochs, with `more` cells; ends the training with the test."""

    def open_training(epochs=400, more=()):
        page = open_notebook([SETUP, START.format(epochs), *more])
        page.locator(".lh-run").first.wait_for()
        return page

    yield open_training
    if lab.session:
        run_code(lab.page, "run.stop()")


def status(page):
    return page.locator(".lh-run-status").first


def wait_for_status(page, text, seconds=20):
    page.locator(".lh-run-status", has_text=text).first.wait_for(timeout=seconds * 1000)


def wait_for_epochs(page, n=1):
    """Until the curve of the accuracy has n points."""
    line = "document.querySelector('.lh-run-accuracy .lh-run-line')"
    page.wait_for_function(f"n => {line}.getAttribute('d').split('h0').length > n", arg=n)


def points(page, name):
    """The points of a curve in the page, in units of its axes: read off its tick labels."""
    return page.locator(f".lh-run-{name}").first.evaluate("""chart => {
        const ticks = axis => [...chart.querySelectorAll(`.lh-run-${axis}`)].map(tick => {
            const {left, right, top, bottom} = tick.getBoundingClientRect();
            const value = parseFloat(tick.textContent);
            return axis === "x" ? [(left + right) / 2, value] : [(top + bottom) / 2, value];
        });
        const line = chart.querySelector(".lh-run-line"), matrix = line.getScreenCTM();
        const scale = (ticks, value) => pixel => {
            const [[a, va], [b, vb]] = [ticks[0], ticks.at(-1)];
            return value(va) + (pixel - a) / (b - a) * (value(vb) - value(va));
        };
        const log = chart.classList.contains("lh-run-loss");
        const x = scale(ticks("x"), v => v), y = scale(ticks("y"), log ? Math.log10 : v => v / 100);
        return [...line.getAttribute("d").matchAll(/([ML])([\\d.-]+) ([\\d.-]+)h0/g)].map(([, , px, py]) => {
            const at = new DOMPoint(px, py).matrixTransform(matrix);
            return [x(at.x), log ? 10 ** y(at.y) : y(at.y)];
        });
    }""")


def test_cells_and_sliders_work_while_it_trains(training):
    explorer, pad = "explorer = lh.explore_convolution()\nexplorer", f"lh.DrawPad({TRAINED})"
    page = training(more=["lh.evaluate(run.model, digits.test).total.sum()", explorer, pad])
    wait_for_epochs(page)
    page.locator(".jp-OutputArea-output", has_text="360").wait_for()
    page.locator(".lh-explorer input[name=n_in]").press("ArrowRight")
    assert run_code(page, "print(explorer.n_in)") == "7\n"
    draw(page, DRAWINGS[27]["strokes"])
    page.locator(".lh-pad-first b", has_text="9").wait_for()
    losses, epochs = len(points(page, "loss")), len(points(page, "accuracy"))
    wait_for_epochs(page, epochs)
    assert len(points(page, "loss")) >= losses
    assert len(page.locator(".jp-OutputArea-output").all()) == 5  # nothing is printed anywhere
    stop = page.get_by_role("button", name="Stop")
    keys_stay_in(page, stop)
    assert stop.is_enabled()
    stop.focus()
    page.keyboard.press("Enter")
    wait_for_status(page, "Stopped")
    keys_stay_in(page, None)  # the button had the focus, and now is disabled
    told = r"Stopped: \d+ of 400 epochs finished in \d+:\d\d"
    assert re.fullmatch(told, status(page).inner_text()) and stop.is_disabled()
    assert run_code(page, "print(run.running, len(run.history) > 0)").split() == ["False", "True"]


NO_NUMBER = """panel, panel.note = run.panel, "It only guesses"
panel.losses = [(0.5, 2.0), (1, 1.0), (2, None), (3, 1.5), (4, None)]
panel.state, panel.error = "failed", "RuntimeError: 1x256" """


def test_the_curves_are_the_numbers(training):
    page = training(epochs=4)
    wait_for_status(page, "Training finished", seconds=120)
    run_code(page, "run.wait()")  # the cell's output is given anew before it returns
    code = "import json; print(json.dumps([run.panel.losses, run.panel.accuracies]))"
    losses, accuracies = json.loads(run_code(page, code))
    drawn = points(page, "loss")
    assert len(drawn) == len(losses) > 100
    for (x, loss), (epochs, expected) in zip(drawn, losses):
        assert x == pytest.approx(epochs, abs=0.02) and loss == pytest.approx(expected, rel=0.03)
    drawn = points(page, "accuracy")
    assert [round(x, 1) for x, _ in drawn] == [1, 2, 3, 4]
    assert [y for _, y in drawn] == pytest.approx(accuracies, abs=0.005)
    assert re.fullmatch(r"Training finished: 4 epochs in \d+:\d\d", status(page).inner_text())
    assert f"{accuracies[-1]:.2%}" in page.locator(".lh-run-accuracy figcaption").inner_text()
    assert "Epoch: 4" in page.locator(".lh-run-log").inner_text()
    bar = page.get_by_role("progressbar", name="training progress")
    values = {name: bar.get_attribute(f"aria-value{name}") for name in ("min", "now", "max")}
    assert values == {"min": "0", "now": "100", "max": "100"}
    live = page.locator(".lh-run [aria-live=polite]")
    live.filter(has_text="Training finished: 4 epochs").wait_for(state="attached")
    # what a saved notebook has, with no further cell run
    [output] = cells(page)[1]["outputs"]
    assert {WIDGET, "image/png", "text/plain"} == set(output["data"])

    run_code(page, NO_NUMBER)  # is a gap
    wait_for_status(page, "Training failed: 4 of 4")
    path = page.locator(".lh-run-loss .lh-run-line").get_attribute("d")
    assert path.count("M") == 2 and "NaN" not in path and len(points(page, "loss")) == 3
    assert "NaN" in page.locator(".lh-run-loss figcaption").inner_text()
    assert page.locator(".lh-run-note").inner_text() == "It only guesses"
    assert page.locator(".lh-run-fault").inner_text() == "RuntimeError: 1x256"
    live.filter(has_text="It only guesses").wait_for(state="attached")


SHOWN = """run => {
    const text = name => run.querySelector(`.lh-run-${name}`).textContent;
    const at = name => run.querySelector(`.lh-run-${name} .lh-run-here`).getAttribute("d");
    const pixels = canvas => canvas.getContext("2d").getImageData(0, 0, 5, 5).data;
    const kernels = [...run.querySelectorAll(".lh-run-kernels canvas")].map(c => [...pixels(c)]);
    return {reading: text("reading"), digit: text("digit"), loss: at("loss"), accuracy: at("accuracy"), kernels};
}"""


def test_a_slider_through_the_epochs(training):
    """Kernels, answers and the two points move together; it follows the newest until it is moved."""
    watching = START.format(400).replace("seed=1", "seed=1, watch=[digits.test[0]]")
    page = training(epochs=1, more=[watching])
    run, slider = page.locator(".lh-run").last, page.get_by_label("epoch to look at").last
    run.locator(".lh-run-reading", has_text=re.compile(r"epoch ([3-9]|\d\d)")).wait_for()
    slider.press("Home")
    shown = run.evaluate(SHOWN)
    code = """import json
label, panel, first = int(digits.test[0][1]), run.panel, run.first_layers[0].weight.flatten(1)
print(json.dumps([label, panel.answers[0][0], panel.accuracies[1], first.tolist()]))"""
    label, chance, accuracy, kernels = json.loads(run_code(page, code))
    assert "Before training" in shown["reading"] and shown["loss"] == shown["accuracy"] == ""
    assert shown["digit"].split() == [f"{label}:", f"{chance:.1%}"]
    for weights, pixels in zip(kernels, shown["kernels"]):
        for weight, red, blue in zip(weights, pixels[::4], pixels[2::4]):
            assert abs(weight) < 0.05 or (red < blue) == (weight < 0)  # blue: negative
    for _ in range(2):
        slider.press("ArrowRight")
    later = run.evaluate(SHOWN)
    assert "After epoch 2: loss" in later["reading"] and f"{accuracy:.2%}" in later["reading"]
    assert later["accuracy"].startswith("M0.50 ") and later["loss"].startswith("M0.50 ")
    assert later["kernels"] != shown["kernels"] and label == int(later["digit"].split(":")[0])
    told = run.locator(".lh-run-status").inner_text()
    run.locator(".lh-run-status").filter(has_not_text=told).wait_for()
    assert "After epoch 2" in slider.get_attribute("aria-valuetext")
    slider.press("End")
    page.get_by_role("button", name="Stop").last.click()
    done = run.locator(".lh-run-status", has_text="Stopped").inner_text().split()[1]
    assert f"After epoch {done}:" in run.locator(".lh-run-reading").inner_text()


@pytest.mark.parametrize("code", ["", "run.wait()"])
def test_the_first_click_on_stop_while_a_cell_runs(training, tmp_path, code):
    """A click waits for the running cell: for its end, or for the interrupt of wait. Then it acts at once."""
    page = training()
    with busy(page, tmp_path, code):
        page.get_by_role("button", name="Stop").click()
        wait_for_status(page, "if a cell is running")
        if code:
            page.evaluate("kernel.interrupt()")
    page.wait_for_function("() => window.ended")
    wait_for_status(page, "Stopped")


CHANNEL = """async () => {  // that Python closes at once: it is asked on it, and it is gone
    const channel = kernel.createComm("unknown");
    await channel.subshellStarted;
    await channel.open().done;
}"""


def test_after_a_reload_the_live_panel_comes_back(training, lab):
    """By a cell that says `run`; by itself in a notebook that was saved, with no cell run, and Stop works."""
    page = training()
    wait_for_epochs(page)
    lab.reload()
    assert not page.locator(".lh-run").count()  # the notebook was not saved
    page.evaluate("""async () => {
        const {commands, shell} = window.jupyterapp;
        for (const name of ["move-cursor-down", "insert-cell-below"]) await commands.execute(`notebook:${name}`);
        shell.currentWidget.content.activeCell.model.sharedModel.setSource("run");
        await commands.execute("notebook:run-cell");
    }""")
    wait_for_status(page, "Training: epoch")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
    lab.reload()
    wait_for_status(page, "Training: epoch")
    page.evaluate(CHANNEL)
    wait_for_epochs(page, len(points(page, "accuracy")) + 1)  # Python sends something
    page.get_by_role("button", name="Stop").click()
    wait_for_status(page, "Stopped")
