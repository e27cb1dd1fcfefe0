"""The explorer in a real JupyterLab in Chromium (lab.py): by mouse, keys and touch."""

import ast
import io
import itertools
import re

import pytest
import torch
from lab import keys_stay_in, run_code
from material import touch
from PIL import Image

import lenet_helpers as lh
from notebooks.support.widgets import explorer

GRIDS = "input", "kernel", "output"
SHOW = "import lenet_helpers as lh\none = lh."


class Shown:
    """An explorer in the page: its grids by name, and where their cells are."""

    def __init__(self, page, at=0):
        self.page, self.root = page, page.locator(".lh-explorer").nth(at)
        self.root.locator("canvas").first.wait_for()
        self.root.scroll_into_view_if_needed()
        self.sum = self.root.locator(".lh-sum")
        self.live = self.root.locator(".lh-live")

    def grid(self, name):
        return self.root.locator(f"canvas[data-grid={name}]")

    def count(self, name):
        return int(self.grid(name).get_attribute("aria-rowcount"))

    def spots(self, name, inside=0.5):
        """{(row, column): point} of a grid's cells."""
        box, n = self.grid(name).bounding_box(), range(self.count(name))
        at = [2 + (i + inside) * (box["width"] - 4) / len(n) for i in n]
        return {(i, j): (box["x"] + at[j], box["y"] + at[i]) for i in n for j in n}

    def hover(self, name, *cell):
        self.page.mouse.move(*self.spots(name)[cell])
        return self.settled()

    def click(self, name, *cell):
        self.page.mouse.click(*self.spots(name)[cell])
        return self.settled()

    def away(self):
        self.page.mouse.move(2, 2)
        return self.settled()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self.settled()

    def settled(self):
        """The sum, or the sentence, when the page has drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        return self.sum.text_content()

    def colours(self, name, inside=0.16):
        """The colour of each cell, near its upper left corner, clear of its number."""
        image = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        return {cell: image.getpixel(spot) for cell, spot in self.spots(name, inside).items()}

    def slider(self, name):
        return self.root.locator(f"input[name={name}]")


def changed(before, after):
    far = lambda cell: max(abs(a - b) for a, b in zip(before[cell], after[cell])) > 12  # noqa: E731
    return set(filter(far, before))


def value_of(text):
    """What a written-out sum adds up to, what it claims, and how many products it has."""
    terms, claimed = re.split("[=≈]", re.sub(r"\s", "", text).replace("−", "-"))
    products = re.findall(r"(-?[\d.]+)×\(?(-?[\d.]+)\)?", terms)
    return sum(float(a) * float(b) for a, b in products), float(claimed), len(products)


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.ci)])
def test_what_is_pointed_at_is_shown(open_notebook, theme):
    settings = dict(stride=2, padding=1)
    page = open_notebook([f"{SHOW}explore_convolution(6, **{settings})\none"], theme=theme)
    shown, g = Shown(page), lh.ConvGeometry(6, 3, **settings)
    kernel = explorer.PRESETS["random"](3).double()
    image = explorer.sample_image(6)[None, None]
    output = torch.nn.functional.conv2d(image, kernel[None, None], **settings)[0, 0]
    assert [shown.count(name) for name in GRIDS] == [8, 3, 3]
    assert value_of(shown.away())[1] == output[0, 0]  # nothing is pointed at: the first window
    first = {(r, c) for r in g.window(0) for c in g.window(0)}
    plain = {name: shown.colours(name) for name in GRIDS}

    assert value_of(shown.hover("output", 2, 1)) == (output[2, 1], output[2, 1], 9)
    now = shown.colours("input")
    window = list(itertools.product(g.window(2), g.window(1)))
    for cell, weight in zip(window, kernel.flatten()):  # each input in the hue of its weight
        red, _, blue = now[cell]
        assert (red > blue + 15) - (blue > red + 15) == weight.sign()
    assert changed(plain["input"], now) - first <= set(window)

    for i, j in ((0, 0), (0, 3), (3, 3), (5, 5)):
        fed = {(r, c) for r in g.feeds(i) for c in g.feeds(j)}
        assert shown.hover("input", i + 1, j + 1) == f"Outputs that this input feeds: {len(fed)}."
        assert changed(plain["output"], shown.colours("output")) == fed
    assert shown.hover("input", 0, 7) == "No window reaches this input."  # padding, hatched

    said = "Inputs that this weight multiplies: 9, one for each output."
    assert shown.hover("kernel", 1, 2) == said
    met = {(g.window(i)[1], g.window(j)[2]) for i in range(3) for j in range(3)}
    assert changed(plain["input"], shown.colours("input")) - first == met - first


def test_cells_are_pinned_walked_and_let_go(open_notebook):
    page = open_notebook([SHOW + "explore_convolution()\none", "1"])
    shown = Shown(page)
    first = shown.away()
    pinned = shown.click("output", 1, 1)
    assert shown.away() == pinned != first
    assert shown.hover("input", 0, 0).startswith("Outputs")  # a look at another cell
    assert shown.away() == pinned
    shown.slider("padding").press("ArrowRight")  # the pin stays, and what it shows is of now
    assert value_of(shown.settled())[2] == 9
    shown.slider("padding").press("ArrowLeft")
    assert shown.settled() == pinned
    shown.click("output", 1, 1)
    assert shown.away() == first  # a second click lets go

    shown.click("input", 0, 0)
    assert shown.away() == "Outputs that this input feeds: 1."
    shown.slider("padding").press("ArrowRight")  # the same input is now in row 1, column 1
    assert shown.settled() == "Outputs that this input feeds: 4."
    shown.slider("padding").press("ArrowLeft")

    shown.grid("input").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.dataset.grid") == "kernel"  # one stop a grid
    page.keyboard.press("Tab")
    shown.press("Home", "ArrowDown", "End")
    assert shown.live.text_content().startswith("output row 2, column 3: ")
    name = shown.grid("output").evaluate("e => e.firstElementChild.firstElementChild.ariaLabel")
    assert name == shown.live.text_content()
    assert value_of(shown.settled())[1] == float(name.split(": ")[1].replace("−", "-"))
    shown.press("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft")
    assert shown.live.text_content().startswith("output row 3, column 2: ")
    shown.press("Escape")
    assert page.evaluate("() => document.activeElement.dataset.grid") is None
    assert shown.settled() == first

    play = shown.root.locator("button")
    play.click()
    page.wait_for_function(
        "said => document.querySelector('.lh-sum').textContent !== said", arg=first
    )
    play.click()
    assert shown.away() != first and play.text_content() == "▶ Slide the window"

    kinds = "[data-grid=input]", "[data-grid=kernel]", "[name=stride]", "select", "button"
    keys_stay_in(page, *map(shown.root.locator, kinds))


def python_has(page, preset, kernel):
    """Whether Python has this preset and kernel, once the page's messages have arrived."""
    return ast.literal_eval(run_code(page, "print((one.preset, one.kernel))")) == (preset, kernel)


def test_a_weight_is_edited(open_notebook):
    page = open_notebook([SHOW + "explore_convolution(preset='blur')\none"])
    shown = Shown(page)
    page.mouse.dblclick(*shown.spots("kernel")[0, 1])
    box = shown.root.locator("figure input")
    box.fill("2.5")
    box.press("Enter")
    assert python_has(page, "own", [[1, 2.5, 1], [1, 1, 1], [1, 1, 1]])
    assert shown.root.locator("select").input_value() == "own"
    shown.press("ArrowDown", "-", "3", "Enter")  # typed on the weight below
    assert python_has(page, "own", [[1, 2.5, 1], [1, -3, 1], [1, 1, 1]])
    notice = shown.root.locator(".lh-notice")
    assert not notice.inner_text()
    shown.press("F2", "7", "Escape", "Enter", "8", "Escape")  # Escape sets nothing
    shown.press("Enter", "x", "Enter")  # nor does what is no weight, and the page says so
    assert python_has(page, "own", [[1, 2.5, 1], [1, -3, 1], [1, 1, 1]]) and notice.inner_text()
    for _ in range(2):
        shown.slider("kernel_size").press("ArrowRight")
    inner = [[0, 1, 2.5, 1, 0], [0, 1, -3, 1, 0], [0, 1, 1, 1, 0]]
    assert python_has(page, "own", [[0] * 5, *inner, [0] * 5])
    shown.root.locator("select").select_option("blur")
    assert python_has(page, "blur", [[1] * 5] * 5)

    for tap in range(2):  # the first tap pins, the second edits
        page.wait_for_timeout(300 * tap)  # two taps, and no double tap
        touch(page, [[shown.spots("kernel")[4, 4]]])
        shown.sum.filter(has_text="Inputs that this weight multiplies: ").wait_for()
        box.wait_for(state="visible" if tap else "hidden")
    box.fill("5")
    shown.grid("input").focus()  # a phone may have no Enter
    assert python_has(page, "own", [*[[1] * 5] * 4, [1, 1, 1, 1, 5]])


def test_page_and_python_keep_in_step(open_notebook):
    page = open_notebook([SHOW + "explore_convolution()\none", "lh.explore_convolution(5)", "one"])
    one, two, view = (Shown(page, at) for at in range(3))
    other = two.root.inner_text()
    one.slider("stride").press("ArrowRight")
    one.root.get_by_text("remainder 1").locator("visible=true").wait_for()
    assert one.count("output") == view.count("output") == 2
    layer = "nn.Conv2d(1, 1, kernel_size=3, stride=2, padding=0, dilation=1, bias=False)"
    assert "⌊3 / 2⌋ + 1 = 2" in one.root.inner_text() and layer in one.root.inner_text()
    assert run_code(page, "print(one.stride, one.n_in)") == "2 6\n"
    for _ in range(4):
        one.slider("kernel_size").press("ArrowRight")
    message = one.root.get_by_text("does not fit: it spans 7 pixels").first
    message.wait_for()
    one.slider("padding").press("ArrowRight")
    message.wait_for(state="hidden")
    assert two.root.inner_text() == other

    run_code(page, "one.n_in, one.kernel_size, one.padding, one.preset = 12, 7, 4, 'sharpen'")
    one.root.get_by_text("with padding 20×20").wait_for()
    assert one.slider("padding").input_value() == "4" and one.count("kernel") == 7
    assert one.root.locator("select").input_value() == "sharpen"
    run_code(page, "one.kernel = [[1, 2], [3, 4]]")
    page.wait_for_function("() => document.querySelector('select[name=preset]').value === 'own'")
    assert (one.slider("kernel_size").input_value(), one.count("kernel")) == ("2", 2)

    end = page.evaluate("""async () => {  // a slider that is being dragged
        const slider = document.querySelector("input[name=n_in]");
        for (let i = 0; i < 50; i++) {
            slider.value = 3 + (i * 7) % 10;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            await new Promise(resolve => setTimeout(resolve, 8));
        }
        return slider.value;
    }""")
    assert run_code(page, "print(one.n_in)") == f"{end}\n"
    assert one.slider("n_in").input_value() == view.slider("n_in").input_value() == end
    ids = page.evaluate("() => [...document.querySelectorAll('.lh-explorer [id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)) == 12


def test_a_picture_and_its_feature_map(open_notebook):
    make = "import torch\nimage = torch.zeros(28, 28, dtype=torch.uint8)\nimage[:, 14:] = 255\n"
    shown = Shown(open_notebook([make + SHOW + "explore_kernels(image)\none"]))
    shown.away()
    picture, features = shown.colours("input"), shown.colours("output")
    assert min(picture[14, 5]) > 240 and max(picture[14, 20]) < 20
    assert min(features[14, 5]) > 240  # white where nothing changes
    red, _, blue = features[14, 13]
    assert red > blue + 100  # the edge, in orange
    assert value_of(shown.hover("output", 14, 13)) == (3, 3, 9)
    red, green, _ = shown.colours("input", inside=0)[14, 13]
    assert red > green + 100  # the corner of its frame
    shown.grid("output").focus()
    shown.press("ArrowRight", "End")
    assert shown.live.text_content() == "output row 0, column 27: −2"  # padding is 0, not 1
    assert "from −3 to 3" in shown.root.inner_text()
