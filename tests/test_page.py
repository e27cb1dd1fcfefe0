"""00_demo.html over file://, offline: the same answers as torch's, and what a finger and a keyboard do."""

import copy
import json
import re
import time

import engines
import numpy as np
import pytest
import torch
from lab import PROJECT
from material import DRAWINGS, moved_strokes
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support import page as demo
from notebooks.support.drawing import PEN, draw_strokes
from notebooks.support.images import number_text
from notebooks.support.texts import LANGUAGES

LOGITS = """levels => {
    const image = lenet5.toMnistStyle(Uint8Array.from(levels), 112);
    const data = JSON.parse(document.getElementById("data").textContent);
    window.weights ??= lenet5.readWeights(lenet5.decodeFloat16(data.weights));
    return [[...image], [...lenet5.activations(window.weights, image).fc3]];
}"""


INK = """() => {
    const { buffer, byteOffset, byteLength } = demo.pad.get("_ink");
    return [...new Uint8Array(buffer, byteOffset, byteLength)];
}"""


def path_of(language):
    return PROJECT / "notebooks" / language / "00_demo.html"


@pytest.fixture(scope="module")
def rounded(network):
    """The shipped network, its weights rounded to float16 as in the page."""
    return copy.deepcopy(network).half().float()


@pytest.fixture
def open_page(browser):
    """Gives `open_page(language="en", width=390, height=844, **options)`; nothing may leave the
    page, and nothing be said in the console."""
    contexts, faults = [], []

    def open_(language="en", width=390, height=844, **options):
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        address = path_of(language).as_uri()
        page.on(
            "request", lambda r: r.url == address or r.url[:5] == "data:" or faults.append(r.url)
        )
        page.goto(address)
        page.locator(".lh-pad-guess").wait_for()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_what_the_command_makes(language):
    content = path_of(language).read_bytes()
    assert content.decode() == demo.build(language)
    assert len(content) <= 600_000


def test_the_same_answers_as_torch(open_page, rounded):
    """Samples and the tests' drawings, where they are and small in a corner."""
    page = open_page()
    drawings = [lh.sample_drawing(digit) for digit in range(10)]
    drawings += [draw_strokes(each["strokes"]) for each in DRAWINGS]
    drawings += [draw_strokes(moved_strokes(d["strokes"], 0.35, 0.22, 0.3), 5) for d in DRAWINGS]
    for drawing in drawings:
        image, logits = map(torch.tensor, page.evaluate(LOGITS, drawing.flatten().tolist()))
        expected = lh.to_mnist_style(drawing)
        assert (image.view(1, 28, 28) - expected).abs().max() < 1e-4
        assert (logits - rounded(expected[None])[0]).abs().max() < 1e-3
    float16 = torch.tensor(page.evaluate("[...Object.values(window.weights.fc2)[0]]"))
    assert torch.equal(float16, rounded.fc2.weight.flatten())


def test_rounding_and_scaling_are_pythons(open_page):
    page = open_page()
    halves = [0.5, 1.5, 2.5, -0.5, 7.49, 7.51]
    assert page.evaluate("all => all.map(lenet5.roundHalfEven)", halves) == [*map(round, halves)]
    levels = draw_strokes(DRAWINGS[7]["strokes"])
    plain = page.evaluate(
        "l => [...lenet5.asDrawn(Uint8Array.from(l), 112)]", levels.flatten().tolist()
    )
    area = F.interpolate(torch.tensor(levels / 255)[None, None], 28, mode="area").flatten()
    assert np.allclose(plain, area, atol=1e-6)


@pytest.mark.parametrize("strokes, problem", [([], "empty"), ([[(0.3, 0.3)]], "dot")])
def test_why_there_is_no_guess(open_page, strokes, problem):
    page = open_page()
    levels = draw_strokes(strokes).flatten().tolist()
    no_guess = "([levels, pen]) => lenet5.noGuess(Uint8Array.from(levels), 112, pen)"
    assert page.evaluate(no_guess, [levels, PEN]) == problem
    assert page.evaluate(no_guess, [[255] * 112 * 112, PEN]) == "full"
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_text("The pad is empty").wait_for()


def touch(page, strokes):
    """Draws on the pad with a finger."""
    finger = page.context.new_cdp_session(page)
    canvas = page.locator(".lh-pad-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for stroke in strokes:
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in stroke
        ]
        send = lambda kind, at: finger.send(  # noqa: E731
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": at}
        )
        send("touchStart", points[:1])
        for point in points[1:]:
            send("touchMove", [point])
        send("touchEnd", [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finger_draws_and_the_page_stays(open_page, language):
    """However fast: Clear is tapped right after a stroke."""
    page = open_page(language, has_touch=True, is_mobile=True)
    for digit in (2, 7):
        drawing = next(each for each in DRAWINGS if each["digit"] == digit)
        page.locator(".lh-pad-clear").tap()
        before = page.evaluate("scrollY")
        touch(page, drawing["strokes"])
        page.locator(".lh-pad-first b", has_text=str(digit)).wait_for()
        assert page.evaluate("scrollY") == before


def test_the_first_stroke_begins_a_drawing(open_page):
    """The page begins with a sample; a stroke on it, untouched, is the first of another drawing."""
    (one,) = next(each["strokes"] for each in DRAWINGS if each["digit"] == 1)
    for touched in (False, True):
        page = open_page(has_touch=True, is_mobile=True)
        if touched:
            page.locator('[data-sample="3"]').tap()
        before = np.array(page.evaluate(INK)) > 127
        touch(page, [one])
        page.wait_for_function(
            f"n => ({INK})().filter(v => v > 127).length !== n", arg=int(before.sum())
        )
        assert (np.array(page.evaluate(INK)) > 127)[before].all() == touched
        if not touched:
            page.locator(".lh-pad-first b", has_text="1").wait_for()


def said_numbers(page):
    text = page.locator(".lh-cell-sum").inner_text().replace("−", "-")
    return [float(number) for number in re.findall(r"[-+]?\d+\.\d{3}", text)]


@pytest.mark.parametrize("layer, channel, row, column", [("c1", 4, 13, 9), ("c3", 11, 3, 7)])
def test_a_tapped_cell_is_explained(open_page, rounded, layer, channel, row, column):
    page = open_page(has_touch=True)
    page.locator('[data-sample="5"]').tap()
    n = {"c1": 28, "c3": 10}[layer]
    canvas = page.locator(f'.lh-pad [data-layer="{layer}"][data-map="{channel}"]')
    box = canvas.bounding_box()
    spot = {"x": (column + 0.5) * box["width"] / n, "y": (row + 0.5) * box["height"] / n}
    canvas.tap(position=spot)
    drawing = torch.tensor(page.evaluate(INK), dtype=torch.uint8).view(112, 112)
    image = lh.to_mnist_style(drawing)[None]
    source = F.pad(image, [2] * 4) if layer == "c1" else rounded.s2(F.relu(rounded.c1(image)))
    module = getattr(rounded, layer)
    patch = source[0, :, row : row + 5, column : column + 5]
    sums = (patch * module.weight[channel]).sum((1, 2))
    bias = module.bias[channel]
    total = (sums.sum() + bias).item()
    expected = [*sums.tolist(), bias.item(), total, max(0, total)]
    assert np.allclose(said_numbers(page), expected, atol=6e-4)
    shown = [page.locator(f".lh-cell-controls input >> nth={k}").input_value() for k in range(3)]
    assert shown == [str(channel), str(row), str(column)]
    cells = page.locator(".lh-cell-row table >> nth=0").locator("td")
    titles = [float(cell.get_attribute("title").replace("−", "-")) for cell in cells.all()]
    assert np.allclose(titles, patch[0].flatten().detach(), atol=6e-4)
    written = [float(cell.text_content().replace("−", "-")) for cell in cells.all()]
    assert np.allclose(written, patch[0].flatten().detach(), atol=6e-3)
    chosen = page.locator(".lh-chosen").evaluate_all("all => all.map(e => ({...e.dataset}))")
    assert chosen == [{"layer": layer, "map": str(channel)}]
    said = page.locator(".lh-cell-sum")
    assert said.get_attribute("aria-live") == "polite"
    page.locator('[data-sample="6"]').tap()  # which changes the sum, but is no question about it
    assert said.get_attribute("aria-live") == "off"


def test_by_keyboard_alone(open_page):
    """Tab reaches every kind of control; keys work them."""
    page = open_page(width=1280, height=800)
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "() => { const e = document.activeElement; return e.name || e.dataset.sample"
                " || e.dataset.grid || e.className || e.tagName + (e.type ?? ''); }"
            )
        )
    assert {"3", "lh-pad-clear", "lh-pad-centre", "n_in", "stride", "preset"} <= seen
    assert {"input", "kernel", "output"} <= seen
    page.locator('[data-sample="8"]').focus()
    page.keyboard.press("Enter")
    page.locator(".lh-pad-first b", has_text="8").wait_for()
    row = page.get_by_label("row", exact=True)
    row.focus()
    before, start = said_numbers(page), int(row.input_value())
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert row.input_value() == str(start + 3) and said_numbers(page) != before
    page.get_by_label("layer").select_option("c3")
    numbers = said_numbers(page)
    assert len(numbers) == 6 + 3 and numbers[-1] > 0  # the darkest cell of the map


def test_the_explorers_work_without_python(open_page):
    page = open_page(width=1280, height=800)
    explorers = page.locator(".lh-explorer")
    assert explorers.count() == 2
    convolution = explorers.nth(1)
    convolution.get_by_label("stride").press("ArrowRight")
    convolution.get_by_text("⌊3 / 2⌋ + 1 = 2").wait_for()
    assert "Python" not in convolution.inner_text()


def test_a_chosen_kernel_stays_while_one_draws(open_page):
    page = open_page()
    kernels = page.locator(".lh-explorer").first
    kernels.locator("select").select_option("blur")
    for digit in (1, 0):
        page.locator(f'[data-sample="{digit}"]').click()
        kernels.scroll_into_view_if_needed()
        levels = lh.to_mnist_style(torch.tensor(page.evaluate(INK)).view(112, 112)).double()
        sums = F.conv2d(
            (100 * levels).round()[None] / 100, torch.ones(1, 1, 3, 3).double(), padding=1
        )
        kernels.get_by_text(f"from 0 to {number_text(sums.max().item())}").wait_for()
        assert kernels.locator("select").input_value() == "blur"
        shown = kernels.locator(".lh-sum").text_content()  # it begins where most is to be seen
        assert shown.endswith(f" {number_text(sums.max().item())}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width, height", [(360, 740), (820, 1180), (1280, 800), (1920, 1080)])
def test_nothing_scrolls_sideways(open_page, language, width, height):
    page = open_page(language, width, height, color_scheme="dark")
    page.get_by_label({"zh": "层", "en": "layer"}[language], exact=True).select_option("c3")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = """() => [...document.querySelectorAll("button, label, figcaption, h2, canvas, table")]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent)"""
    assert page.evaluate(cut) == []
    rows = """() => [...document.querySelectorAll(".lh-cell-row")].map(row =>
        new Set([...row.querySelectorAll("canvas, table")].map(e =>
            Math.round(e.getBoundingClientRect().bottom))).size)"""
    assert page.evaluate(rows) == [1] * 6  # a map's picture, window, kernel and products in a line


def test_a_browser_that_cannot_run_it_says_so(browser, tmp_path):
    text = path_of("en").read_text(encoding="utf-8")
    broken = tmp_path / "demo.html"
    broken.write_text(text.replace("page.start(", "page.nothing("), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(broken.as_uri())
    page.get_by_text("it may be too old").wait_for()
    page.goto(path_of("en").as_uri())
    page.locator(".lh-pad-guess").wait_for()
    page.evaluate("dispatchEvent(new ErrorEvent('error'))")  # of the page that is there
    assert page.locator(".lh-page-failed").count() == 0
    context.close()


def test_weights_are_the_shipped_ones(rounded):
    numbers = np.frombuffer(demo.base64.b64decode(demo.weights_as_text()), "<f2")
    expected = torch.cat([p.detach().flatten() for p in rounded.parameters()])
    assert np.array_equal(numbers.astype(np.float32), expected.numpy())
    assert json.dumps(demo._data()["texts"])


ENGINES = {
    "firefox": (engines.firefox, engines.FIREFOX),
    "webkit": (engines.webkit, engines.WEBKIT and engines.MINI_BROWSER and engines.XVFB),
}
SEEN = """(() => {
    const click = selector => document.querySelector(selector).click();
    const text = selector => document.querySelector(selector).textContent;
    const guesses = [];
    for (let digit = 0; digit < 10; digit++) {
        click(`[data-sample="${digit}"]`);
        guesses.push(text(".lh-pad-first b"));
    }
    const stride = document.querySelectorAll(".lh-explorer")[1].querySelector("[name=stride]");
    stride.value = 2;
    stride.dispatchEvent(new Event("input", { bubbles: true }));
    return [guesses, text(".lh-cell-sum"), document.querySelectorAll(".lh-page-failed").length,
        document.documentElement.scrollWidth <= innerWidth];
})()"""


@pytest.mark.parametrize("engine", ENGINES)
def test_other_engines_read_the_samples(engine, rounded):
    open_, is_there = ENGINES[engine]
    if not is_there:
        pytest.skip(f"no {engine} here")
    with open_(path_of("en").as_uri()) as evaluate:
        guesses, told, failures, fits = evaluate(SEEN)
        assert guesses == [str(digit) for digit in range(10)] and failures == 0 and fits
        assert re.search(r"after ReLU the cell is \d+\.\d{3}", told)
        time.sleep(0.5)  # the explorer draws once a frame
        formula = (
            "document.querySelectorAll('.lh-explorer')[1].querySelector('.lh-formula').innerText"
        )
        assert "⌊3 / 2⌋ + 1 = 2" in evaluate(formula)
        drawing = lh.sample_drawing(7)
        logits = evaluate(f"({LOGITS})({drawing.flatten().tolist()})")[1]
        expected = rounded(lh.to_mnist_style(drawing)[None])[0]
        assert np.allclose(logits, expected.detach(), atol=1e-3)


def test_the_command_writes_both_editions(monkeypatch, capsys):
    written = {}
    monkeypatch.setattr(demo, "write_file", lambda path, content: written.update({path: content}))
    demo.main()
    assert {path: path.read_bytes() for path in map(path_of, LANGUAGES)} == written
    assert len(capsys.readouterr().out.splitlines()) == len(LANGUAGES)
