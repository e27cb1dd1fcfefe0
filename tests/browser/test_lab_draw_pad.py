"""The draw pad in a real JupyterLab: what a person does with mouse, finger, pen and keyboard."""

import json

import numpy as np
import pytest
from lab import end_python, run_code
from material import DRAWINGS, draw, moved_strokes

CELL = """import lenet_helpers as lh, torch
from notebooks.support.words import texts
def network():
    return lh.load_weights(lh.LeNet5(), "notebooks/trained/lenet5.pt")
texts.use("en")
pad = lh.DrawPad({})
pad"""
SETTLED = """() => new Promise(done => {
    let timer = setTimeout(done, 250);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 250); })
        .observe(document.querySelector(".lh-pad-body"), {childList: true, subtree: true});
})"""
WIDTHS = (280, 390, 540, 567, 820, 900, 1900)
LAYERS = ("c1", "s2", "c3", "s4", "fc1", "fc2")
ALPHA = """c => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]
    .filter((v, i) => i % 4 === 3)"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .map(cell => [cell.cell_type, cell.source])"""


@pytest.fixture
def open_pad(open_notebook):
    def open_(models="network()", **options):
        page = open_notebook([CELL.replace("{}", models), "'another cell'"], **options)
        page.locator(".lh-pad-canvas").wait_for()
        page.locator(".lh-pad").scroll_into_view_if_needed()
        return page

    return open_


def settle(page):
    """Waits until Python has answered and the page has drawn."""
    run_code(page, "pass")
    page.evaluate(SETTLED)


def guesses(page, digit):
    """Waits for this first guess."""
    page.locator(".lh-pad-first b", has_text=str(digit)).wait_for()


def sentence(page, words):
    """Waits for what stands in the guess's place."""
    page.locator(".lh-pad-sentence", has_text=words).wait_for()


def ink(page, number=0):
    """How much ink the page's own canvas holds."""
    count = f"canvas => ({ALPHA})(canvas).filter(a => a > 127).length"
    return page.locator(".lh-pad-canvas").nth(number).evaluate(count)


def test_digits_with_the_mouse(open_pad):
    page = open_pad()
    places = (1, 0.65, 0.5, 0.5), (2, 0.35, 0.22, 0.22), (4, 0.92, 0.5, 0.5), (0, 0.3, 0.2, 0.8)
    for digit, size, x, y in places:
        page.get_by_role("button", name="Clear").click()
        strokes = next(d["strokes"] for d in DRAWINGS if d["digit"] == digit)
        draw(page, moved_strokes(strokes, size, x, y))
        guesses(page, digit)


def test_what_the_page_shows_is_what_python_has(open_pad):
    page = open_pad("{'a': network(), 'b': lh.LeNet5()}")
    assert "empty" in page.locator(".lh-pad-sentence").inner_text()
    assert (
        page.locator(".lh-pad-guess, .lh-pad-table, .lh-pad-maps").evaluate_all(
            "all => all.map(e => getComputedStyle(e).visibility)"
        )
        == ["hidden"] * 3
    )
    draw(page, DRAWINGS[12]["strokes"])
    guesses(page, 4)
    settle(page)  # the last of its answers

    steps = json.loads(
        run_code(
            page,
            "import json; from notebooks.support.network.activations import activations;"
            "steps = {name: s.activation for name, s in activations(network(), pad.image).items()};"
            "steps['probabilities'] = steps['fc3'].softmax(0);"
            "print(json.dumps({name: step.tolist() for name, step in steps.items()}))",
        )
    )
    figures = page.locator(".lh-pad figure")
    assert figures.count() == 1 + len(LAYERS)
    for number, name in enumerate(["input", *LAYERS]):
        canvases = figures.nth(number).locator("canvas")
        shown = np.array(canvases.evaluate_all(f"all => all.map({ALPHA})")).flatten()
        values = np.array(steps[name]).flatten()
        limit = 1 if name == "input" else values.max()
        assert np.allclose(shown, 255 * values / limit, atol=1)
        look = canvases.first.evaluate("c => getComputedStyle(c).imageRendering")
        assert look == "pixelated"
    assert "C3 (after ReLU)" in page.locator(".lh-pad-maps").inner_text()
    rows = page.locator(".lh-pad-table tbody tr").evaluate_all(
        "all => all.map(row => [...row.children].map(cell => cell.textContent))"
    )
    for digit, (label, output, _, probability) in enumerate(rows):
        assert label == str(digit)
        assert float(output.replace("−", "-")) == pytest.approx(steps["fc3"][digit], abs=0.051)
        expected = 100 * steps["probabilities"][digit]
        if expected > 99.95 or expected < 0.05:
            assert probability == (">99.9%" if expected > 50 else "<0.1%")
        else:
            assert float(probability.rstrip("%")) == pytest.approx(expected, abs=0.051)

    drawing = np.array(json.loads(run_code(page, "print(pad.drawing.tolist())")))
    levels = page.locator(".lh-pad-canvas").evaluate(ALPHA)
    blocks = np.reshape(levels, (112, 5, 112, 5)).mean((1, 3))  # a pixel of .drawing is 5x5 here
    assert drawing.shape == (112, 112) and np.abs(drawing - blocks).mean() < 2

    run_code(page, "pad.drawing = lh.sample_drawing(8)")
    guesses(page, 8)
    run_code(page, "import numpy as np; pad.drawing = np.zeros((112, 112), np.uint8)")
    sentence(page, "The pad is empty")
    assert ink(page) == 0
    run_code(page, "pad.network, pad.centre = 'b', False")
    page.wait_for_function("() => document.querySelector('.lh-pad-network').value === 'b'")
    assert not page.locator(".lh-pad-centre").is_checked()


def test_a_sample_is_the_one_of_python(open_pad):
    page = open_pad()
    for digit in (3, 4):
        page.locator(f"[data-sample='{digit}']").click()
        guesses(page, digit)
        code = (
            f"import numpy as np; print(abs(pad.drawing - 1.0 * lh.sample_drawing({digit})).mean())"
        )
        assert float(run_code(page, code)) < 2


def test_eraser_clear_dot_and_full(open_pad):
    page = open_pad()
    draw(page, [[(0.5, 0.5), (0.5, 0.5)]])
    sentence(page, "no more than a dot")
    draw(page, [[(0.2, 0.5), (0.8, 0.5)]])
    page.locator(".lh-pad-first").wait_for()
    before = ink(page)
    page.get_by_role("button", name="Erase").click()
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    assert 0.5 * before < ink(page) < 0.9 * before
    page.get_by_role("button", name="Clear").click()
    sentence(page, "The pad is empty")
    assert ink(page) == 0
    zigzag = [(0.03, y / 20) if (y + k) % 2 else (0.97, y / 20) for y in range(21) for k in (0, 1)]
    draw(page, [zigzag])  # Clear took up the pen again
    sentence(page, "almost full")
    page.mouse.move(5, 5)
    settle(page)
    page.get_by_role("button", name="Clear").click()
    sentence(page, "The pad is empty")
    draw(page, [[(0.5, 0.2), (0.5, 1.6)]])  # the button is let go outside
    guesses(page, 1)
    box = page.locator(".lh-pad-canvas").bounding_box()
    before = ink(page)
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.move(box["x"] + 200, box["y"] + 50)
    assert ink(page) == before  # nothing is held down: nothing is drawn


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_finger_and_pen(open_pad, kind):
    page = open_pad()
    canvas = page.locator(".lh-pad-canvas")
    assert canvas.evaluate("c => getComputedStyle(c).touchAction") == "none"
    box, browser = canvas.bounding_box(), page.context.new_cdp_session(page)
    mouse_events = {"Start": "mousePressed", "Move": "mouseMoved", "End": "mouseReleased"}

    def send(step, point=None):
        x, y = (box[side] + v * box["width"] for side, v in zip("xy", point or (0, 0)))
        if kind == "touch":
            points = [{"x": x, "y": y}] if point else []
            options = {"type": "touch" + step, "touchPoints": points}
            browser.send("Input.dispatchTouchEvent", options)
        else:
            options = {"type": mouse_events[step], "x": x, "y": y, "pointerType": "pen"}
            options |= {"button": "left", "buttons": 1, "clickCount": 1}
            browser.send("Input.dispatchMouseEvent", options)

    for stroke in DRAWINGS[12]["strokes"]:
        send("Start", stroke[0])
        for point in stroke[1:]:
            send("Move", point)
        send("End")
    guesses(page, 4)


def test_a_pens_other_end_erases(open_pad):
    page = open_pad()
    draw(page, [[(0.2, 0.5), (0.8, 0.5)]])
    before = ink(page)
    page.locator(".lh-pad-canvas").evaluate("""canvas => {
        const box = canvas.getBoundingClientRect();
        const send = (type, y) => canvas.dispatchEvent(new PointerEvent("pointer" + type, {
            pointerId: 1, pointerType: "pen", button: 5, buttons: type === "up" ? 0 : 32,
            clientX: box.left + box.width / 2, clientY: box.top + y * box.height }));
        send("down", 0.2); send("move", 0.8); send("up", 0.8);
    }""")
    assert 0.5 * before < ink(page) < 0.9 * before


def test_keyboard(open_pad):
    page = open_pad("{'trained': network(), 'mine': lh.LeNet5()}")
    page.get_by_role("button", name="5", exact=True).focus()
    page.keyboard.press("Enter")  # which JupyterLab would take for "edit the cell"
    guesses(page, 5)
    assert page.evaluate("() => document.activeElement.dataset.sample") == "5"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    guesses(page, 4)
    page.get_by_label("Centre like MNIST").focus()
    page.keyboard.press("Space")
    assert run_code(page, "print(pad.centre)") == "False\n"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "lh-pad-network"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_label("Network:").select_option("mine")
    assert run_code(page, "print(pad.network)") == "mine\n"


def test_no_key_reaches_the_notebook(open_pad):
    page = open_pad("{'trained': network(), 'mine': lh.LeNet5()}")
    before = page.evaluate(CELLS)
    focusable = page.locator(".lh-pad :is(button, input, select, [tabindex])")
    assert focusable.count() == 10 + 3 + 1 + 1 + 2
    assert focusable.evaluate_all("all => all.every(e => e.dataset.lmSuppressShortcuts === 'true')")
    for kind in ("[data-sample='3']", ".lh-pad-centre", ".lh-pad-network"):
        page.locator(kind).focus()
        for key in ["d", "d", "x", "ArrowDown", "ArrowUp", "Escape", "d", "d", "b", "m"]:
            page.keyboard.press(key)
        assert page.locator(kind).evaluate("e => e === document.activeElement")
        assert page.evaluate(CELLS) == before


def test_what_is_announced_and_named(open_pad):
    page = open_pad()
    assert page.get_by_role("img", name="Draw pad: draw a digit").count() == 1
    assert page.get_by_role("group", name="Samples").get_by_role("button").count() == 10
    live = page.locator(".lh-pad-live")
    assert live.get_attribute("aria-live") == "polite" and live.inner_text() == ""
    page.evaluate("""() => {
        window.said = [];
        const live = document.querySelector(".lh-pad-live");
        new MutationObserver(() => said.push(live.textContent)).observe(live, {childList: true});
    }""")
    for drawing in (DRAWINGS[12], DRAWINGS[27]):  # 4, in two strokes; 9
        page.get_by_role("button", name="Clear").click()
        draw(page, drawing["strokes"])
        page.wait_for_function(
            "n => said.at(-1)?.includes(`First guess ${n} (`)", arg=drawing["digit"]
        )
    assert len(page.evaluate("() => said")) == 2


BOXES = """() => Object.fromEntries(["canvas", "board", "options", "sees", "guess", "table", "maps"]
    .map(name => { const b = document.querySelector(".lh-pad-" + name).getBoundingClientRect();
        return [name, [b.left, b.top, b.right, b.bottom]]; }))"""
BEYOND = """() => {
    const pad = document.querySelector(".lh-pad"), { right } = pad.getBoundingClientRect();
    return [...pad.querySelectorAll("*")].filter(e => {
        const box = e.getBoundingClientRect();
        return box.width && (box.right > right + 0.5 || e.scrollWidth > e.clientWidth + 1
            && !e.matches("canvas, .lh-pad-live, select, input, span, b, tr"));
    }).map(e => e.outerHTML.slice(0, 120));
}"""


def overlap(one, other):
    return min(one[2], other[2]) - max(one[0], other[0]) > 0.5 and (
        min(one[3], other[3]) - max(one[1], other[1]) > 0.5
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_width(open_notebook, language):
    cell = CELL.replace("{}", "{'100 epochs': network(), 'my own': network()}")
    page = open_notebook([cell.replace('"en"', f'"{language}"')], width=2100)
    for width in WIDTHS:
        page.locator(".lh-pad").evaluate("(pad, w) => { pad.style.width = `${w}px`; }", width)
        page.locator(".lh-pad-canvas").scroll_into_view_if_needed()
        empty = page.evaluate(BOXES)
        assert page.evaluate(BEYOND) == []
        left, top, right, bottom = empty["canvas"]
        page.mouse.move(left + (right - left) / 2, top + 0.2 * (bottom - top))
        page.mouse.down()
        page.mouse.move(left + (right - left) / 2, top + 0.8 * (bottom - top), steps=3)
        page.locator(".lh-pad-guess").wait_for()
        assert page.evaluate(BOXES) == empty  # the first answer has come, the pen is still down
        page.mouse.up()
        settle(page)
        guesses(page, 1)
        assert page.evaluate(BEYOND) == []
        assert page.evaluate(BOXES) == empty
        page.locator(".lh-pad-clear").click()
        page.locator(".lh-pad-guess").wait_for(state="hidden")
        assert page.evaluate(BOXES) == empty
        parts = [box for name, box in empty.items() if name != "canvas"]
        for number, box in enumerate(parts):
            assert not any(overlap(box, other) for other in parts[:number])
        assert (empty["guess"][0] > right) == (width >= 540)


def test_the_line_does_not_wait_for_python(open_pad, tmp_path):
    page, over = open_pad(), tmp_path / "over"
    code = f"import os, time\nwhile not os.path.exists({str(over)!r}): time.sleep(0.05)"
    page.evaluate(
        """code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            kernel.requestExecute({code});
        }""",
        code,
    )
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    assert ink(page) > 1000
    page.get_by_text("No answer from Python yet").wait_for()
    assert not page.locator(".lh-pad-first").is_visible()
    over.touch()
    page.locator(".lh-pad-first").wait_for()
    page.wait_for_function("() => document.querySelector('.lh-pad-notice').textContent === ''")


@pytest.mark.parametrize("how", ["restart", "shutdown"])
def test_a_pad_without_a_kernel_says_so_at_once(open_pad, lab, how):
    page = open_pad()
    end_python(lab, how)
    page.get_by_text("Python is gone").wait_for()
    page.clock.install()
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    page.clock.run_for(3000)  # however long no answer comes
    assert "Python is gone" in page.locator(".lh-pad-notice").inner_text()


def test_it_works_while_a_training_runs(open_pad):
    page = open_pad()
    run_code(
        page,
        "run = lh.train_in_background(lh.LeNet5(), lh.sklearn_digits(), epochs=1000)",
    )
    draw(page, DRAWINGS[27]["strokes"])
    guesses(page, 9)
    assert run_code(page, "print(run.running, run.error); run.stop()") == "True None\n"


def test_a_students_own_network(open_pad):
    page = open_pad("{'trained': network(), 'foreign': torch.nn.Linear(784, 10)}")
    page.locator("[data-sample='4']").click()
    guesses(page, 4)
    page.locator(".lh-pad-network").select_option("foreign")
    sentence(page, "ValueError: The model has no layer named c1")
    assert not page.locator(".lh-pad-guess").is_visible()
    page.locator(".lh-pad-network").select_option("trained")
    guesses(page, 4)


def test_two_pads_and_two_views(open_notebook):
    cell = CELL.replace("{}", "network()")
    page = open_notebook([cell, "pad", "other = lh.DrawPad(network())\nother"])
    pads = page.locator(".lh-pad")
    pads.nth(2).wait_for()
    pads.first.scroll_into_view_if_needed()
    pads.first.get_by_role("button", name="3", exact=True).click()
    pads.nth(1).locator(".lh-pad-first").wait_for()  # the second view of the same pad
    pads.nth(1).get_by_role("checkbox").uncheck()
    page.wait_for_function("() => !document.querySelector('.lh-pad-centre').checked")
    assert pads.nth(0).locator(".lh-pad-first b").inner_text() == "3"
    assert not pads.nth(2).locator(".lh-pad-first").is_visible()
    assert pads.nth(2).get_by_role("checkbox").is_checked()
    assert [ink(page, number) > 0 for number in range(3)] == [True, True, False]


def test_keeping_what_was_drawn(open_pad, lab):
    page = open_pad()
    for digit in (8, 9):
        page.locator(".lh-pad-label").select_option(str(digit))
        page.locator(f"[data-sample='{digit}']").click()
        page.locator(".lh-pad-keep").click()
        page.get_by_text("kept so far").wait_for()
        page.wait_for_function("digit => document.querySelector('.lh-pad-label').value === digit",
                               arg=str((digit + 1) % 10))  # fmt: skip
    settle(page)
    labels = (
        "from notebooks.support.data.own_digits import read_drawings; print(read_drawings()[1])"
    )
    assert run_code(lab.page, labels) == "[8 9]\n"
    assert not max(page.locator(".lh-pad-canvas").evaluate(ALPHA))  # ready for the next one
    page.locator(".lh-pad-keep").click()
    page.get_by_text("Draw a digit first.").wait_for()

    page.locator(".lh-pad-label").select_option("7")  # a slip?
    page.locator("[data-sample='2']").click()
    settle(page)
    page.locator(".lh-pad-keep").click()
    page.get_by_text("The network reads a 2").wait_for()
    assert run_code(lab.page, labels) == "[8 9]\n"
    page.locator(".lh-pad-keep").click()
    page.get_by_text("3 kept so far").wait_for()
    assert run_code(lab.page, labels) == "[8 9 7]\n"
