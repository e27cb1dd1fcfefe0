"""The draw pad in a real JupyterLab: what a person does with mouse, finger, pen and keyboard."""

import json

import numpy as np
import pytest
from lab import busy, keys_stay_in, run_code
from material import DRAWINGS, TRAINED, draw, moved_strokes, on_page, touch

CELL = f"""import lenet_helpers as lh, torch
lh.start("en")
network = {TRAINED}
pad = lh.DrawPad(MODELS)
pad"""
SETTLED = """() => new Promise(done => {
    let timer = setTimeout(done, 250);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 250); })
        .observe(document.querySelector(".lh-pad-body"), {childList: true, subtree: true});
})"""
LAYERS = ("c1", "s2", "c3", "s4", "fc1", "fc2")
ALPHA = """c => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]
    .filter((v, i) => i % 4 === 3)"""
HEAR = """() => {
    const live = document.querySelector(".lh-pad-live");
    window.said = [];
    new MutationObserver(() => said.push(live.textContent)).observe(live, {childList: true});
}"""


@pytest.fixture
def open_pad(open_notebook):
    def open_(models="network", more=("'another cell'",)):
        page = open_notebook([CELL.replace("MODELS", models), *more])
        page.locator(".lh-pad-canvas").first.wait_for()
        page.locator(".lh-pad").first.scroll_into_view_if_needed()
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


def finger(page, strokes):
    touch(page, on_page(page.locator(".lh-pad-canvas"), strokes))


def pen(page, strokes):
    hand = page.context.new_cdp_session(page)
    look = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1}
    for stroke in on_page(page.locator(".lh-pad-canvas"), strokes):
        kinds = ["Pressed", *["Moved"] * (len(stroke) - 2), "Released"]
        for kind, (x, y) in zip(kinds, stroke, strict=True):
            hand.send("Input.dispatchMouseEvent", {"type": f"mouse{kind}", "x": x, "y": y, **look})
    hand.detach()


def test_a_digit_is_read_and_said(open_pad):
    page = open_pad()
    canvas, live = page.locator(".lh-pad-canvas"), page.locator(".lh-pad-live")
    assert canvas.evaluate("c => getComputedStyle(c).touchAction") == "none"
    assert page.get_by_role("img", name="Draw pad: draw a digit").count() == 1
    assert page.get_by_role("group", name="Samples").get_by_role("button").count() == 10
    assert live.get_attribute("aria-live") == "polite" and live.inner_text() == ""
    page.evaluate(HEAR)
    places = (2, 0.35, 0.22, 0.22), (4, 0.92, 0.5, 0.5), (0, 0.3, 0.2, 0.8), (1, 0.65, 0.5, 0.5)
    for hand, (digit, *place) in zip((draw, finger, draw, pen), places):
        page.get_by_role("button", name="Clear").click()
        strokes = next(d["strokes"] for d in DRAWINGS if d["digit"] == digit)
        hand(page, moved_strokes(strokes, *place))
        guesses(page, digit)
        page.wait_for_function("n => said.at(-1)?.includes(`First guess ${n} (`)", arg=digit)
    assert len(page.evaluate("said.filter(text => text.includes('First guess'))")) == 4


def shown_layers(page):
    """{layer: what its canvases show, 0 to 1}."""
    figures = page.locator(".lh-pad figure")
    assert figures.count() == 1 + len(LAYERS)
    shown = {}
    for number, name in enumerate(["input", *LAYERS]):
        canvases = figures.nth(number).locator("canvas")
        shown[name] = np.array(canvases.evaluate_all(f"all => all.map({ALPHA})")).flatten() / 255
        look = canvases.first.evaluate("c => getComputedStyle(c).imageRendering")
        assert look == "pixelated"
    return shown


def test_what_the_page_shows_is_what_python_has(open_pad):
    page = open_pad("{'a': network, 'b': lh.LeNet5()}")
    sentence(page, "empty")
    hidden = page.locator(".lh-pad-guess, .lh-pad-table, .lh-pad-maps")
    seen = hidden.evaluate_all("all => all.map(e => getComputedStyle(e).visibility)")
    assert seen == ["hidden"] * 3
    draw(page, DRAWINGS[12]["strokes"])
    guesses(page, 4)
    settle(page)  # the last of its answers

    code = """import json
from notebooks.support.network.activations import activations
steps = {name: s.activation.tolist() for name, s in activations(network, pad.image).items()}
print(json.dumps([steps, torch.tensor(steps["fc3"]).softmax(0).tolist(), pad.drawing.tolist()]))"""
    steps, probabilities, drawing = json.loads(run_code(page, code))
    for name, shown in shown_layers(page).items():
        values = np.array(steps[name]).flatten()
        assert np.allclose(shown, values / (1 if name == "input" else values.max()), atol=1 / 255)
    assert "C3 (after ReLU)" in page.locator(".lh-pad-maps").inner_text()
    rows = page.locator(".lh-pad-table tbody tr").evaluate_all(
        "all => all.map(row => [...row.children].map(cell => cell.textContent))"
    )
    for digit, (label, output, _, probability) in enumerate(rows):
        assert label == str(digit)
        assert float(output.replace("−", "-")) == pytest.approx(steps["fc3"][digit], abs=0.051)
        written = float(probability.strip("<>%"))  # ">99.9%" and "<0.1%", too
        assert written == pytest.approx(100 * probabilities[digit], abs=0.11)
    levels = page.locator(".lh-pad-canvas").evaluate(ALPHA)
    blocks = np.reshape(levels, (112, 5, 112, 5)).mean((1, 3))  # a pixel of .drawing is 5x5 here
    assert np.abs(np.array(drawing) - blocks).mean() < 2

    run_code(page, "pad.drawing = lh.sample_drawing(8)")
    guesses(page, 8)
    run_code(page, "import numpy as np; pad.drawing = np.zeros((112, 112), np.uint8)")
    sentence(page, "The pad is empty")
    assert ink(page) == 0
    run_code(page, "pad.network, pad.centre = 'b', False")
    page.wait_for_function("() => document.querySelector('.lh-pad-network').value === 'b'")
    assert not page.locator(".lh-pad-centre").is_checked()


def test_eraser_clear_and_dot(open_pad):
    page = open_pad()
    across, down = [[(0.2, 0.5), (0.8, 0.5)]], [[(0.5, 0.2), (0.5, 0.8)]]
    draw(page, [[(0.5, 0.5), (0.5, 0.5)]])
    sentence(page, "no more than a dot")
    draw(page, across)
    page.locator(".lh-pad-first").wait_for()
    before = ink(page)
    page.get_by_role("button", name="Erase").click()
    draw(page, down)
    assert 0.5 * before < ink(page) < 0.9 * before
    page.get_by_role("button", name="Clear").click()
    sentence(page, "The pad is empty")
    assert ink(page) == 0
    draw(page, across)  # Clear took up the pen again
    before = ink(page)
    page.locator(".lh-pad-canvas").evaluate("""canvas => {  // a pen's other end
        const box = canvas.getBoundingClientRect();
        const send = (type, y) => canvas.dispatchEvent(new PointerEvent("pointer" + type, {
            pointerId: 1, pointerType: "pen", button: 5, buttons: type === "up" ? 0 : 32,
            clientX: box.left + box.width / 2, clientY: box.top + y * box.height }));
        send("down", 0.2); send("move", 0.8); send("up", 0.8);
    }""")
    assert 0.5 * before < ink(page) < 0.9 * before
    page.get_by_role("button", name="Clear").click()
    sentence(page, "The pad is empty")
    draw(page, [[(0.5, 0.2), (0.5, 1.6)]])  # the button is let go outside
    guesses(page, 1)
    before = ink(page)
    page.locator(".lh-pad-canvas").hover(position={"x": 20, "y": 20})
    assert ink(page) == before  # nothing is held down: nothing is drawn


def test_the_line_does_not_wait_for_python(open_pad, tmp_path):
    page = open_pad()
    with busy(page, tmp_path):
        draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
        assert ink(page) > 1000
        page.get_by_text("No answer from Python yet").wait_for()
        assert not page.locator(".lh-pad-first").is_visible()
    page.locator(".lh-pad-first").wait_for()
    assert page.locator(".lh-pad-notice").inner_text() == ""


def test_by_keyboard_and_no_key_reaches_the_notebook(open_pad):
    page = open_pad("{'trained': network, 'foreign': torch.nn.Linear(784, 10)}")
    page.get_by_role("button", name="5", exact=True).focus()
    for key, digit in ("Enter", 5), ("Shift+Tab", 5), ("Space", 4):
        page.keyboard.press(key)  # JupyterLab would take Enter for "edit the cell"
        guesses(page, digit)
        same = f"print(abs(pad.drawing - 1.0 * lh.sample_drawing({digit})).mean())"
        assert float(run_code(page, same)) < 2
    page.get_by_label("Centre like MNIST").focus()
    page.keyboard.press("Space")
    assert run_code(page, "print(pad.centre)") == "False\n"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "lh-pad-network"
    page.get_by_label("Network:").select_option("foreign")
    sentence(page, "ValueError: The model has no layer named c1")
    assert not page.locator(".lh-pad-guess").is_visible()
    page.get_by_label("Network:").select_option("trained")
    guesses(page, 4)

    kinds = "[data-sample='3']", ".lh-pad-clear", ".lh-pad-centre", ".lh-pad-network"
    kinds += ".lh-pad-label", ".lh-pad-keep"
    keys_stay_in(page, *map(page.locator, kinds))


def test_two_pads_and_two_views(open_pad):
    page = open_pad(more=["pad", "other = lh.DrawPad(network)\nother"])
    pads = page.locator(".lh-pad")
    pads.nth(2).wait_for()
    pads.first.get_by_role("button", name="3", exact=True).click()
    pads.nth(1).locator(".lh-pad-first").wait_for()  # the second view of the same pad
    pads.nth(1).get_by_role("checkbox").uncheck()
    page.wait_for_function("() => !document.querySelector('.lh-pad-centre').checked")
    assert pads.nth(0).locator(".lh-pad-first b").inner_text() == "3"
    assert not pads.nth(2).locator(".lh-pad-first").is_visible()
    assert pads.nth(2).get_by_role("checkbox").is_checked()
    assert [ink(page, number) > 0 for number in range(3)] == [True, True, False]


def test_keeping_what_was_drawn(open_pad):
    page = open_pad()
    label, keep = page.locator(".lh-pad-label"), page.locator(".lh-pad-keep")
    read = "from notebooks.support.data.own_digits import read_drawings; print(read_drawings()[1])"
    for digit in (8, 9):
        label.select_option(str(digit))
        page.locator(f"[data-sample='{digit}']").click()
        keep.click()
        page.get_by_text("kept so far").wait_for()
        settle(page)
        assert label.input_value() == str((digit + 1) % 10) and ink(page) == 0  # for the next one
    assert run_code(page, read) == "[8 9]\n"
    keep.click()
    page.get_by_text("Draw a digit first.").wait_for()

    label.select_option("7")  # a slip?
    page.locator("[data-sample='2']").click()
    settle(page)
    keep.click()
    page.get_by_text("The network reads a 2").wait_for()
    assert run_code(page, read) == "[8 9]\n"
    keep.click()
    page.get_by_text("3 kept so far").wait_for()
    assert run_code(page, read) == "[8 9 7]\n"
