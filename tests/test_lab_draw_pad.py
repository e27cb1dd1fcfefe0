"""The draw pad in a real JupyterLab: what a person does with mouse, finger, pen and keyboard."""

import base64
import io
import json

import numpy as np
import pytest
from lab import run_code
from material import DRAWINGS, moved_strokes
from PIL import Image

CELL = """import lenet_helpers as lh, torch
def network():
    return lh.load_weights(lh.LeNet5(), "notebooks/trained/lenet5.pt")
pad = lh.DrawPad({})
pad"""
SETTLED = """() => new Promise(done => {
    let timer = setTimeout(done, 250);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 250); })
        .observe(document.querySelector(".lh-pad-view"), {childList: true});
})"""


@pytest.fixture
def open_pad(open_notebook):
    def open_(models="network()", **options):
        page = open_notebook([CELL.removed_strokes("{}", models)], **options)
        page.locator(".lh-pad-canvas").wait_for()
        page.locator(".lh-pad").scroll_into_view_if_needed()
        return page

    return open_


def draw(page, strokes):
    box = page.locator(".lh-pad-canvas").bounding_box()
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def guess(page):
    page.evaluate(SETTLED)
    return int(page.locator(".lh-pad-first b").inner_text())


def ink(page):
    """How much ink the page's own canvas holds."""
    return page.locator(".lh-pad-canvas").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 == 3 && v > 127).length"
    )


def test_thirty_digits_with_the_mouse(open_pad):
    page = open_pad()
    right = []
    for number, (size, x, y) in enumerate([(0.65, 0.5, 0.5), (0.35, 0.22, 0.22), (0.92, 0.5, 0.5)]):
        for drawing in DRAWINGS[number::3]:
            page.get_by_role("button", name="Clear").click()
            draw(page, moved_strokes(drawing["strokes"], size, x, y))
            right.append(guess(page) == drawing["digit"])
    assert len(right) == 30 and sum(right) >= 27


def test_what_the_page_shows_is_what_python_has(open_pad):
    page = open_pad("{'a': network(), 'b': lh.LeNet5()}")
    assert "empty" in page.locator(".lh-pad-sentence").inner_text()
    assert page.locator(".lh-pad-maps img").count() == 0
    draw(page, DRAWINGS[12]["strokes"])
    assert guess(page) == 4
    assert page.locator(".lh-pad-maps img").count() == 6
    sees = page.locator(".lh-pad-answer img")
    assert sees.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
    shown = np.array(
        Image.open(io.BytesIO(base64.b64decode(sees.get_attribute("src").split(",")[1])))
    )
    seen = json.loads(run_code(page, "print((255 - 255 * pad.image[0]).tolist())"))
    assert np.allclose(shown, seen, atol=1)

    drawing = np.array(json.loads(run_code(page, "print(pad.drawing.tolist())")))
    levels = page.locator(".lh-pad-canvas").evaluate("""c => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]
        .filter((v, i) => i % 4 == 3)""")
    blocks = np.reshape(levels, (112, 5, 112, 5)).mean(
        (1, 3)
    )  # each pixel of .drawing is 5x5 of the canvas
    assert drawing.shape == (112, 112) and np.abs(drawing - blocks).mean() < 2

    run_code(page, "pad.drawing = lh.sample_drawing(8)")
    assert guess(page) == 8
    run_code(page, "import numpy as np; pad.drawing = np.zeros((112, 112), np.uint8)")
    page.locator(".lh-pad-sentence").wait_for()
    assert ink(page) == 0
    run_code(page, "pad.network, pad.centre = 'b', False")
    page.wait_for_function("() => document.querySelector('.lh-pad-network').value === 'b'")
    assert not page.locator(".lh-pad-centre").is_checked()


def test_eraser_clear_dot_and_full(open_pad):
    page = open_pad()
    draw(page, [[(0.5, 0.5), (0.5, 0.5)]])
    page.get_by_text("no more than a dot").wait_for()
    draw(page, [[(0.2, 0.5), (0.8, 0.5)]])
    page.locator(".lh-pad-first").wait_for()
    before = ink(page)
    page.get_by_role("button", name="Erase").click()
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    assert 0.5 * before < ink(page) < 0.9 * before
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("The pad is empty").wait_for()
    assert ink(page) == 0
    draw(
        page,
        [[(0.03, y / 20) if (y + k) % 2 else (0.97, y / 20) for y in range(21) for k in (0, 1)]],
    )  # Clear: Draw again
    page.get_by_text("almost full").wait_for()
    page.mouse.move(5, 5)
    page.evaluate(SETTLED)
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("The pad is empty").wait_for()
    draw(
        page, [[(0.5, 0.2), (0.5, 1.6)]]
    )  # the pointer leaves the pad with the button held, and lets go outside
    assert guess(page) == 1
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

    def send(step, point=None):
        x, y = (box[side] + v * box["width"] for side, v in zip("xy", point or (0, 0)))
        if kind == "touch":
            browser.send(
                "Input.dispatchTouchEvent",
                {"type": "touch" + step, "touchPoints": [{"x": x, "y": y}] if point else []},
            )
        else:
            browser.send(
                "Input.dispatchMouseEvent",
                {
                    "type": {"Start": "mousePressed", "Move": "mouseMoved", "End": "mouseReleased"}[
                        step
                    ],
                    "x": x,
                    "y": y,
                    "button": "left",
                    "buttons": 1,
                    "clickCount": 1,
                    "pointerType": "pen",
                },
            )

    for stroke in DRAWINGS[12]["strokes"]:
        send("Start", stroke[0])
        for point in stroke[1:]:
            send("Move", point)
        send("End")
    assert guess(page) == 4


def test_keyboard(open_pad):
    page = open_pad("{'trained': network(), 'mine': lh.LeNet5()}")
    page.get_by_role("button", name="5", exact=True).focus()
    page.keyboard.press("Enter")  # which JupyterLab would take for "edit the cell"
    assert guess(page) == 5
    assert page.evaluate("() => document.activeElement.dataset.sample") == "5"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert guess(page) == 4
    page.locator(".lh-pad-centre").focus()
    page.keyboard.press("Space")
    page.evaluate(SETTLED)
    assert run_code(page, "print(pad.centre)") == "False\n"
    page.locator(".lh-pad-network").select_option("mine")
    page.evaluate(SETTLED)
    assert run_code(page, "print(pad.network)") == "mine\n"
    names = page.locator(".lh-pad button, .lh-pad input, .lh-pad select").evaluate_all(
        "all => all.filter(e => e.tabIndex < 0).length"
    )
    assert names == 0


def test_the_line_does_not_wait_for_python(open_pad):
    page = open_pad()
    page.evaluate("""() => {
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        window.sleeping = kernel.requestExecute({code: "import time; time.sleep(4)"}).done;
    }""")
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    assert (
        ink(page) > 1000
        and page.evaluate("() => Promise.race([window.sleeping.then(() => 'over'), 'asleep'])")
        == "asleep"
    )
    page.evaluate("() => window.sleeping")
    page.locator(".lh-pad-first").wait_for()
    assert page.locator(".lh-pad-waiting").is_hidden()


def test_a_pad_without_a_kernel_says_so(open_pad):
    page = open_pad()
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    page.locator(".lh-pad-waiting").wait_for()


def test_it_works_while_a_training_runs(open_pad):
    page = open_pad()
    run_code(page, "run = lh.train_in_background(lh.LeNet5(), lh.sklearn_digits(), epochs=1000)")
    draw(page, DRAWINGS[27]["strokes"])
    assert guess(page) == 9
    assert run_code(page, "print(run.running, run.error); run.stop()") == "True None\n"


def test_the_saved_output_has_a_picture(open_pad):
    page = open_pad("network()); pad.drawing = (lh.sample_drawing(4)")
    bundle = page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells[0].outputs[0].data"
    )
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).width > 800


def test_two_pads(open_notebook):
    cell = CELL.removed_strokes("{}", "network()")
    page = open_notebook([cell, "pad", "other = lh.DrawPad(network())\nother"])
    page.locator(".lh-pad-canvas").nth(2).wait_for()
    page.locator(".lh-pad").first.scroll_into_view_if_needed()
    page.locator(".lh-pad").first.get_by_role("button", name="3", exact=True).click()
    page.locator(".lh-pad").nth(1).locator(
        ".lh-pad-first"
    ).wait_for()  # the second view of the same pad
    assert page.locator(".lh-pad").nth(2).locator(".lh-pad-first").count() == 0
    assert [
        c > 0
        for c in page.locator(".lh-pad-canvas").evaluate_all(
            "all => all.map(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 == 3 && v)"
            ".length)"
        )
    ] == [True, True, False]
