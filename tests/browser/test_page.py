"""00_demo.html over file://, offline: the same answers as torch's, and what a finger and a keyboard do."""

import base64
import copy
import re

import engines
import numpy as np
import pytest
import torch
from lab import PROJECT, until
from material import DRAWINGS, decimals, moved_strokes, on_page, touch
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.pages import page as demo
from notebooks.support.data.drawing import draw_strokes
from notebooks.support.figures.images import number_text
from notebooks.support.words.texts import LANGUAGES

LOGITS = """levels => {
    const image = lenet5.toMnistStyle(Uint8Array.from(atob(levels), c => c.charCodeAt()), 112);
    const data = JSON.parse(document.getElementById("data").textContent);
    window.weights ??= lenet5.readWeights(lenet5.decodeFloat16(data.weights));
    return [[...image], [...lenet5.activations(window.weights, image).fc3]];
}"""
UNFOLD = "document.querySelectorAll('details').forEach(e => { e.open = true; })"
INK = """() => {
    const { buffer, byteOffset, byteLength } = demo.pad.get("_ink");
    return [...new Uint8Array(buffer, byteOffset, byteLength)];
}"""
PHONE = {"has_touch": True, "is_mobile": True}


def path_of(language):
    return PROJECT / "notebooks" / language / "00_demo.html"


def letters(drawing):
    """A drawing as LOGITS is given it."""
    return base64.b64encode(drawing.tobytes()).decode()


@pytest.fixture(scope="module")
def rounded(network):
    """The shipped network, its weights rounded to float16 as in the page."""
    return copy.deepcopy(network).half().float()


@pytest.fixture
def open_page(browser):
    """Gives `open_page(language="en", width=390, height=844, **options)`; nothing may leave the
    page, and nothing be said in the console."""
    pages, faults = [], []

    def open_(language="en", width=390, height=844, **options):
        viewport, address = {"width": width, "height": height}, path_of(language).as_uri()
        page = browser.new_page(viewport=viewport, offline=True, **options)
        pages.append(page)
        page.set_default_timeout(10_000)
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: r.url.startswith((address, "data:")) or faults.append(r.url))
        page.goto(address)
        page.locator(".lh-pad-guess").wait_for()
        return page

    yield open_
    for page in pages:
        page.close()
    assert not faults


def test_the_same_answers_as_torch(open_page, rounded):
    """Samples and the tests' drawings, where they are and small in a corner."""
    page = open_page()
    drawings = [lh.sample_drawing(digit) for digit in range(10)]
    drawings += [draw_strokes(each["strokes"]) for each in DRAWINGS]
    drawings += [draw_strokes(moved_strokes(d["strokes"], 0.35, 0.22, 0.3), 5) for d in DRAWINGS]
    for drawing in drawings:
        image, logits = map(torch.tensor, page.evaluate(LOGITS, letters(drawing)))
        expected = lh.to_mnist_style(drawing)
        assert (image.view(1, 28, 28) - expected).abs().max() < 1e-4
        assert (logits - rounded(expected[None])[0]).abs().max() < 1e-3
    float16 = torch.tensor(page.evaluate("[...Object.values(window.weights.fc2)[0]]"))
    assert torch.equal(float16, rounded.fc2.weight.flatten())


def test_a_finger_draws_and_the_page_stays(open_page):
    """However fast: Clear is tapped right after a stroke. The page begins with a sample; a stroke on it is the first
    of another drawing."""
    page = open_page(**PHONE)
    pad, cell = page.locator(".lh-pad-canvas"), page.locator(".lh-cell-body")
    black = lambda: np.array(page.evaluate(INK)) > 127  # noqa: E731
    sample = black()
    for digit in (1, 7):
        drawing = next(each for each in DRAWINGS if each["digit"] == digit)
        before = page.evaluate("scrollY")
        touch(page, on_page(pad, drawing["strokes"]))
        page.locator(".lh-pad-first b", has_text=str(digit)).wait_for()
        assert page.evaluate("scrollY") == before
        assert not black()[sample].all() and cell.is_visible()
        page.locator(".lh-pad-clear").tap()
    for place in (".lh-pad-sentence", ".lh-cell-sum"):
        page.locator(place, has_text="The pad is empty").wait_for()
    assert not cell.is_visible()  # nor the sum of a cell that is not there
    page.locator('[data-sample="3"]').tap()  # one that was asked for is drawn on
    before = black()
    touch(page, on_page(pad, [[(0.1, 0.1), (0.1, 0.9)]]))
    counts = f"n => ({INK})().filter(v => v > 127).length > n"
    page.wait_for_function(counts, arg=int(before.sum()))
    assert black()[before].all() and cell.is_visible()


def said_numbers(page):
    return decimals(page.locator(".lh-cell-sum").inner_text())


def chosen_cell(page):
    """Its map, row and column."""
    return page.locator(".lh-cell-controls input").evaluate_all("all => all.map(e => +e.value)")


@pytest.mark.parametrize("layer, channel, row, column", [("c1", 4, 13, 9), ("c3", 11, 3, 7)])
def test_a_tapped_cell_is_explained(open_page, rounded, layer, channel, row, column):
    page = open_page(has_touch=True)
    page.locator('[data-sample="5"]').tap()
    n = {"c1": 28, "c3": 10}[layer]
    canvas = page.locator(f'.lh-pad [data-layer="{layer}"][data-map="{channel}"]')
    touch(page, on_page(canvas, [[((column + 0.5) / n, (row + 0.5) / n)]]))
    page.locator(f".lh-chosen[data-layer={layer}]").wait_for()
    assert chosen_cell(page) == [channel, row, column]
    drawing = torch.tensor(page.evaluate(INK), dtype=torch.uint8).view(112, 112)
    image = lh.to_mnist_style(drawing)[None]
    source = F.pad(image, [2] * 4) if layer == "c1" else rounded.s2(F.relu(rounded.c1(image)))
    module = getattr(rounded, layer)
    patch = source[0, :, row : row + 5, column : column + 5]
    sums = (patch * module.weight[channel]).sum((1, 2))
    bias = module.bias[channel]
    total = (sums.sum() + bias).item()
    expected = [*sums.tolist(), bias.item(), total, max(0, total)]
    *parts, claimed, value = said = said_numbers(page)
    assert np.allclose(said, expected, atol=1e-3)  # rounded up or down, so that they add up:
    assert round(sum(parts), 3) == claimed == round(total, 3) and value == max(0, claimed)
    cells = page.locator(".lh-cell-row table").first.locator("td")
    for what, off in ("title", 6e-4), ("textContent", 6e-3):
        written = cells.evaluate_all(f"all => all.map(e => +e.{what}.replace('−', '-'))")
        assert np.allclose(written, patch[0].flatten().detach(), atol=off)
    chosen = page.locator(".lh-chosen").evaluate_all("all => all.map(e => ({...e.dataset}))")
    assert chosen == [{"layer": layer, "map": str(channel)}]
    said = page.locator(".lh-cell-sum")
    assert said.get_attribute("aria-live") == "polite"
    page.locator('[data-sample="6"]').tap()  # which changes the sum, but is no question about it
    assert said.get_attribute("aria-live") == "off"
    for name in ("map −1", "row +1", "row +1", "column −1"):
        page.get_by_role("button", name=name).tap()
    assert chosen_cell(page) == [channel - 1, row + 2, column - 1]
    page.get_by_role("link", name="Back to the pad").first.tap()
    page.wait_for_function("scrollY < 20")


def test_a_cell_and_a_kernel_are_chosen(open_page):
    page = open_page()
    (_, row, _), before = chosen_cell(page), said_numbers(page)
    page.get_by_label("row", exact=True).press("ArrowRight")
    assert chosen_cell(page)[1] == row + 1 and said_numbers(page) != before
    page.get_by_label("layer").select_option("c3")
    assert len(said_numbers(page)) == 6 + 3 and said_numbers(page)[-1] > 0  # the darkest cell
    page.locator("summary").first.click()
    kernels = page.locator(".lh-explorer").first
    kernels.locator("select").select_option("blur")  # stays while one draws
    for digit in (1, 0):
        page.locator(f'[data-sample="{digit}"]').click()
        kernels.scroll_into_view_if_needed()
        levels = lh.to_mnist_style(torch.tensor(page.evaluate(INK)).view(112, 112)).double()
        ones = torch.ones(1, 1, 3, 3).double()
        most = F.conv2d((100 * levels).round()[None] / 100, ones, padding=1).max().item()
        kernels.get_by_text(f"from 0 to {number_text(most)}").wait_for()
        assert kernels.locator("select").input_value() == "blur"
        shown = kernels.locator(".lh-sum").text_content()  # it begins where most is to be seen
        assert shown.endswith(f" {number_text(most)}")


@pytest.mark.parametrize("language, phone", [("zh", PHONE), ("en", {})])
def test_nothing_scrolls_sideways(open_page, language, phone):
    page = open_page(language, color_scheme="dark", **phone)
    page.evaluate(UNFOLD)
    page.get_by_label({"zh": "层", "en": "layer"}[language], exact=True).select_option("c3")
    cut = """() => [...document.querySelectorAll("button, label, figcaption, h2, canvas, table")]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent)"""
    rows = """() => [...document.querySelectorAll(".lh-cell-row")].map(row =>
        new Set([...row.querySelectorAll("canvas, table")].map(e =>
            Math.round(e.getBoundingClientRect().bottom))).size)"""
    for width in (280, 360, 820, 1280, 1900):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(cut) == []
        if width > 280:  # a map's picture, window, kernel and products in a line
            assert page.evaluate(rows) == [1] * 6
    for width, height in (360, 740), (740, 360):  # pad and guess are on a phone's first screen
        page = open_page(language, width, height, **PHONE)
        for part in (".lh-pad-canvas", ".lh-pad-clear", ".lh-pad-guess"):
            box = page.locator(part).bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height


HEAR = """() => {  // all that the page shows, or that a screen reader says, now and from now on
    const words = e => [e.ariaLabel, e.title, e.textContent];
    window.heard = [...document.querySelectorAll("body, body *:not(script)")].flatMap(words);
    new MutationObserver(changes => {
        for (const { target, addedNodes } of changes) heard.push(...[target, ...addedNodes].flatMap(words));
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


@pytest.mark.parametrize("language, phone", [("zh", PHONE), ("en", {})])
def test_no_sentence_speaks_of_python(open_page, language, phone):
    """Whatever is used, however long one waits: there is no Python, and no cell to run."""
    page = open_page(language, 820, 1180, **phone)
    page.clock.install()
    page.reload()
    page.evaluate(UNFOLD)
    page.evaluate("document.querySelectorAll('script').forEach(script => script.remove())")
    page.evaluate(HEAR)
    page.locator(".lh-pad-canvas").click()
    for control in page.locator("button:visible, .lh-pad-centre").all():
        control.click()
        page.clock.fast_forward(5000)
    for choice in page.locator("select:visible").all():
        for option in choice.locator("option").all():
            choice.select_option(option.get_attribute("value"))
    page.clock.fast_forward(5000)
    for slider in page.locator("input[type=range]:visible").all():
        slider.press("End")
    page.clock.fast_forward(5000)
    for grid in page.locator("canvas[role=grid]:visible, canvas[data-layer=c3]").all():
        grid.click()
        if grid.get_attribute("role"):
            for key in ("ArrowRight", "Enter", "2", "x", "Enter", "Escape"):
                page.keyboard.press(key)
    page.clock.fast_forward(5000)
    heard = page.evaluate("[...new Set(heard)].filter(Boolean).join('\\n')")
    foreign = r"Python|Jupyter|notebook|code cell|this cell again|kernel was|笔记|单元格|内核"
    assert re.findall(foreign, heard) == [] and len(heard) > 5000
    if phone:
        assert re.findall(r"mouse|[Cc]lick|\bEsc|\bTab\b|鼠标|键", page.inner_text("body")) == []


def test_a_swipe_that_begins_on_a_slider_scrolls(open_page):
    page = open_page(**PHONE)
    page.evaluate(UNFOLD)
    slider = page.locator(".lh-explorer").last.locator("[name=n_in]")
    slider.scroll_into_view_if_needed()

    def swipe(share, right, up):
        """From a place on the slider, 0 to 1; gives what the slider then says."""
        box, before = slider.bounding_box(), page.evaluate("scrollY")
        x = box["x"] + 14 + share * (box["width"] - 28)
        y = box["y"] + box["height"] / 2
        touch(page, [[(x + right * k / 10, y - up * k / 10) for k in range(11)]])
        if up:
            page.wait_for_function("before => scrollY !== before", arg=before)
        return int(slider.input_value())

    start = int(slider.input_value())
    thumb = (start - 3) / 9
    assert swipe(0.9, 0, 200) == swipe(thumb, 0, -200) == swipe(0.9, 0, 0) == start
    assert swipe(thumb, 100, 0) > start


def test_a_browser_that_cannot_run_it_says_so(browser, tmp_path):
    text = path_of("en").read_text(encoding="utf-8")
    broken = tmp_path / "demo.html"
    broken.write_text(text.replace("page.start(", "page.nothing("), encoding="utf-8")
    page = browser.new_page()
    page.goto(broken.as_uri())
    page.get_by_text("it may be too old").wait_for()
    page.goto(path_of("en").as_uri())
    page.evaluate("dispatchEvent(new ErrorEvent('error'))")  # of a page that is there
    assert page.locator(".lh-page-failed").count() == 0
    page.close()


@pytest.mark.ci
def test_it_learns_in_the_page(open_page):
    """From pressing Start to a network of one's own that reads the pad, offline."""
    page = open_page()
    network = page.locator(".lh-pad-network")
    assert not network.is_visible()
    page.get_by_label("Your guess").fill("80")
    page.locator("[data-learn]").click()
    learn = page.locator("#learn")
    page.locator("#learn .lh-run-line[d*=L]").first.wait_for(state="attached")  # a curve
    page.locator("#learn[data-done]").wait_for(timeout=300_000)
    done, accuracy, rate = (learn.get_attribute(f"data-{n}") for n in ("done", "accuracy", "rate"))
    assert done == "done" and float(accuracy) >= 0.97 and float(rate) > 0
    assert f"{float(accuracy):.1%}. You guessed 80%." in learn.inner_text()
    before = page.locator(".lh-pad-table").inner_text()
    network.select_option("what just learned")
    page.wait_for_function(
        "before => document.querySelector('.lh-pad-table').innerText !== before", arg=before
    )
    guess = page.locator(".lh-pad-first b").inner_text()
    assert f"takes the drawing on the pad for a {guess} (" in learn.inner_text()


def test_stop_and_again_from_another_start(open_page):
    page = open_page("zh")
    kernels = "[...document.querySelectorAll('.lh-run-kernels canvas')].map(c => c.toDataURL())"
    learn, seen = page.locator("#learn"), []
    for _ in range(2):
        page.locator(".lh-learn-rate").fill("-3")
        page.locator("[data-learn]").click()
        seen.append(page.wait_for_function(f"({kernels})[0] && {kernels}").json_value())
        page.locator("#learn .lh-run-dots[d]:not([d=''])").first.wait_for(state="attached")
    assert seen[0] != seen[1] and page.locator("#learn .lh-run").count() == 1
    page.locator("#learn .lh-run-stop").click()
    page.locator("#learn[data-done=stopped]").wait_for()
    assert float(learn.get_attribute("data-rate")) > 0 and "停下了" in learn.inner_text()
    after = page.evaluate(kernels)
    page.wait_for_timeout(400)
    assert page.evaluate(kernels) == after


HAS_WEBKIT = engines.WEBKIT and engines.MINI_BROWSER and engines.XVFB
ENGINES = {"firefox": (engines.firefox, engines.FIREFOX), "webkit": (engines.webkit, HAS_WEBKIT)}
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


@pytest.mark.ci
@pytest.mark.parametrize("engine", ENGINES)
def test_other_engines_read_the_samples_and_learn(engine, rounded):
    open_, is_there = ENGINES[engine]
    if not is_there:
        pytest.skip(f"no {engine} here")
    with open_(path_of("en").as_uri()) as evaluate:
        guesses, told, failures, fits = evaluate(SEEN)
        assert guesses == [str(digit) for digit in range(10)] and failures == 0 and fits
        assert re.search(r"after ReLU the cell is \d+\.\d{3}", told)
        formula = "document.querySelectorAll('.lh-explorer')[1].querySelector('.lh-formula')"
        until(lambda: evaluate(f"{formula}.innerText.includes('⌊3 / 2⌋ + 1 = 2')"))
        drawing = lh.sample_drawing(7)
        logits = evaluate(f"({LOGITS})('{letters(drawing)}')")[1]
        expected = rounded(lh.to_mnist_style(drawing)[None])[0]
        assert np.allclose(logits, expected.detach(), atol=1e-3)
        evaluate("document.querySelector('[data-learn]').click() ?? null")
        until(lambda: evaluate("'done' in document.getElementById('learn').dataset"), 300)
        seen = evaluate("({ ...document.getElementById('learn').dataset })")
        assert seen["done"] == "done" and float(seen["accuracy"]) >= 0.97, seen


def test_the_files_are_what_the_command_makes(monkeypatch, capsys):
    written = {}
    monkeypatch.setattr(demo, "write_file", lambda path, content: written.update({path: content}))
    demo.main()
    assert {path: path.read_bytes() for path in map(path_of, LANGUAGES)} == written
    assert len(capsys.readouterr().out.splitlines()) == len(LANGUAGES)
    assert max(map(len, written.values())) <= 450_000
