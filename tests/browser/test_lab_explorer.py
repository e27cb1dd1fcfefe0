"""The explorer in a real JupyterLab in Chromium (lab.py): by mouse, keys and touch."""

import ast
import io
import itertools
import re

import pytest
import torch
from lab import end_python, run_code
from PIL import Image

import lenet_helpers as lh
from notebooks.support.figures.images import number_text
from notebooks.support.widgets import explorer
from notebooks.support.widgets.widget import module

GRIDS = "input", "kernel", "output"
ASK = """async ([source, images, kernels, settings]) => {
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const {geometry, convolve} = await import(url);
    return settings.map(([n_in, kernel_size, stride, padding, dilation]) => {
        const all = {n_in, kernel_size, stride, padding, dilation}, g = geometry(all);
        const indices = n => [...Array(n).keys()];
        return [g.fits, g.padded, g.span, g.n_out, g.unused, indices(g.n_out).map(g.window),
                g.fits ? indices(n_in).map(g.feeds) : [],
                convolve(images[n_in], kernels[kernel_size], all)];
    });
}"""
COMMANDS = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    return [notebook.model.toJSON().cells.map(cell => cell.source), notebook.activeCellIndex];
}"""


def test_every_setting_of_the_sliders_is_torchs(lab):
    """The page's sizes and sums: those of ConvGeometry, itself tested against torch, and conv2d."""
    settings = list(itertools.product(*explorer.LIMITS.values()))
    images = {n: explorer.sample_image(n) for n in explorer.LIMITS["n_in"]}
    kernels = {k: explorer.PRESETS["random"](k).double() for k in explorer.LIMITS["kernel_size"]}
    groups = images, kernels  # an old playwright wants texts for keys
    tables = [{str(key): table.tolist() for key, table in group.items()} for group in groups]
    answers = lab.page.evaluate(ASK, [module("explorer"), *tables, settings])
    assert len(answers) == 10 * 7 * 4 * 5 * 3
    for (n, k, s, p, d), (fits, padded, span, n_out, unused, windows, feeds, output) in zip(
        settings, answers, strict=True
    ):
        try:
            g = lh.ConvGeometry(n, k, s, p, d)
        except ValueError:
            assert (fits, n_out, output) == (False, 0, [])
            continue
        assert (fits, padded, span, n_out, unused) == (True, g.padded, g.span, g.n_out, g.unused)
        assert windows == [g.window(i) for i in range(n_out)]
        assert feeds == [g.feeds(j) for j in range(n)]
        expected = torch.nn.functional.conv2d(
            images[n][None, None], kernels[k][None, None], None, s, p, d
        )
        assert output == expected[0, 0].tolist(), (n, k, s, p, d)


def test_numbers_are_written_short_and_as_in_python(lab):
    short = {3: "3", -2: "−2", -0.0: "0", 0.126: "0.13", -0.13: "−0.13", 1.5: "1.5", 12.34: "12.3"}
    short |= {123.4: "123", 0.004: "4e−3", 1e-9: "1e−9", 1e7: "1e7", -0.5: "−0.5"}
    numbers = torch.randn(500, dtype=torch.float64) * 10 ** torch.linspace(-6, 7, 500)
    values = [*short, *numbers.tolist()]
    written = lab.page.evaluate(
        """async ([source, values]) => {
            const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
            return values.map((await import(url)).numberText);
        }""",
        [module("explorer"), values],
    )
    assert written[: len(short)] == list(short.values())
    assert written == [number_text(float(value)) for value in values]


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

    def spot(self, name, i, j):
        return self.spots(name)[i, j]

    def hover(self, *cell):
        self.page.mouse.move(*self.spot(*cell))
        return self.settled()

    def click(self, *cell):
        self.page.mouse.click(*self.spot(*cell))
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
    return {
        cell for cell in before if max(abs(a - b) for a, b in zip(before[cell], after[cell])) > 12
    }


def value_of(text):
    """What a written-out sum adds up to, what it claims, and how many products it has."""
    terms, claimed = re.split("[=≈]", re.sub(r"\s", "", text).replace("−", "-"))
    products = re.findall(r"(-?[\d.]+)×\(?(-?[\d.]+)\)?", terms)
    return sum(float(a) * float(b) for a, b in products), float(claimed), len(products)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_pointed_at_is_shown(open_notebook, theme):
    page = open_notebook(
        ["import lenet_helpers as lh\nlh.explore_convolution(6, stride=2, padding=1)"], theme=theme
    )
    shown, g = Shown(page), lh.ConvGeometry(6, 3, stride=2, padding=1)
    kernel = explorer.PRESETS["random"](3).double()
    output = torch.nn.functional.conv2d(
        explorer.sample_image(6)[None, None], kernel[None, None], stride=2, padding=1
    )[0, 0]
    assert [shown.count(name) for name in GRIDS] == [8, 3, 3]
    assert value_of(shown.away())[1] == output[0, 0]  # nothing is pointed at: the first window
    first = {(r, c) for r in g.window(0) for c in g.window(0)}
    plain = {name: shown.colours(name) for name in GRIDS}

    assert value_of(shown.hover("output", 2, 1)) == (output[2, 1], output[2, 1], 9)
    now = shown.colours("input")
    window = {
        (r, c): kernel[a, b] for a, r in enumerate(g.window(2)) for b, c in enumerate(g.window(1))
    }
    for cell, weight in window.items():  # each input of the window in the hue of its weight
        red, _, blue = now[cell]
        assert (red > blue + 15) - (blue > red + 15) == weight.sign()
    assert changed(plain["input"], now) - first <= set(window)

    for i, j in ((0, 0), (0, 3), (3, 3), (5, 5)):
        fed = {(r, c) for r in g.feeds(i) for c in g.feeds(j)}
        assert shown.hover("input", i + 1, j + 1) == f"Outputs that this input feeds: {len(fed)}."
        assert changed(plain["output"], shown.colours("output")) == fed
    assert shown.hover("input", 0, 7) == "No window reaches this input."  # padding, hatched

    assert (
        shown.hover("kernel", 1, 2) == "Inputs that this weight multiplies: 9, one for each output."
    )
    met = {(g.window(i)[1], g.window(j)[2]) for i in range(3) for j in range(3)}
    assert changed(plain["input"], shown.colours("input")) - first == met - first


def test_cells_are_pinned_walked_and_let_go(open_notebook):
    page = open_notebook(["import lenet_helpers as lh\nlh.explore_convolution()", "1"])
    shown = Shown(page)
    first = shown.away()
    pinned = shown.click("output", 1, 1)
    before = page.evaluate(COMMANDS)
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

    for part in (
        "canvas[data-grid=input]",
        "canvas[data-grid=kernel]",
        "input[name=stride]",
        "select",
        "button",
    ):
        shown.root.locator(part).focus()
        shown.press("d", "d", "x", "a", "ArrowDown", "ArrowUp", "Escape")
        assert (
            page.evaluate(COMMANDS) == before
        )  # no cell is gone, cut or added, and none is another


def test_play_slides_the_window(open_notebook):
    page = open_notebook(["import lenet_helpers as lh\nlh.explore_convolution()"])
    shown = Shown(page)
    first, button = shown.away(), shown.root.locator("button")
    button.click()
    page.wait_for_function(
        "first => document.querySelector('.lh-sum').textContent !== first", arg=first
    )
    button.click()
    assert shown.away() != first and button.text_content() == "▶ Slide the window"


def python_has(page, preset, kernel):
    """Whether Python has this preset and kernel, once the page's messages have arrived."""
    return ast.literal_eval(run_code(page, "print((one.preset, one.kernel))")) == (preset, kernel)


def test_a_weight_is_edited(open_notebook):
    page = open_notebook(
        ["import lenet_helpers as lh\none = lh.explore_convolution(preset='blur')\none"]
    )
    shown = Shown(page)
    page.mouse.dblclick(*shown.spot("kernel", 0, 1))
    box = shown.root.locator("figure input")
    box.fill("2.5")
    box.press("Enter")
    assert python_has(page, "own", [[1, 2.5, 1], [1, 1, 1], [1, 1, 1]])
    assert shown.root.locator("select").input_value() == "own"
    shown.press("ArrowDown", "-", "3", "Enter")  # typed on the weight below
    assert python_has(page, "own", [[1, 2.5, 1], [1, -3, 1], [1, 1, 1]])
    shown.press("F2", "7", "Escape", "Enter", "8", "Escape")
    assert python_has(page, "own", [[1, 2.5, 1], [1, -3, 1], [1, 1, 1]])  # Escape sets nothing
    shown.slider("kernel_size").press("ArrowRight")
    shown.slider("kernel_size").press("ArrowRight")
    inner = [[0, 1, 2.5, 1, 0], [0, 1, -3, 1, 0], [0, 1, 1, 1, 0]]
    assert python_has(page, "own", [[0] * 5, *inner, [0] * 5])
    shown.root.locator("select").select_option("blur")
    assert python_has(page, "blur", [[1] * 5] * 5)

    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for tap in range(2):  # the first tap pins, the second edits
        x, y = shown.spot("kernel", 4, 4)
        touch.send(
            "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
        )
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(400)  # two taps, and no double tap
        shown.sum.filter(has_text="Inputs that this weight multiplies: ").wait_for()
        box.wait_for(state="visible" if tap else "hidden")
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    box.fill("5")
    shown.grid("input").focus()  # a phone may have no Enter
    assert python_has(page, "own", [*[[1] * 5] * 4, [1, 1, 1, 1, 5]])


def test_page_and_python_keep_in_step(open_notebook):
    page = open_notebook(
        [
            "import lenet_helpers as lh\none = lh.explore_convolution()\none",
            "two = lh.explore_convolution(5)\ntwo",
            "one",
        ]
    )
    one, two, view = (Shown(page, at) for at in range(3))
    height, other = one.root.bounding_box()["height"], two.root.inner_text()
    one.slider("stride").press("ArrowRight")
    one.root.get_by_text("remainder 1").locator("visible=true").wait_for()
    assert (
        "⌊3 / 2⌋ + 1 = 2" in one.root.inner_text()
        and one.count("output") == view.count("output") == 2
    )
    assert (
        "nn.Conv2d(1, 1, kernel_size=3, stride=2, padding=0, dilation=1, bias=False)"
        in one.root.inner_text()
    )
    assert run_code(page, "print(one.stride, one.n_in)") == "2 6\n"
    for _ in range(4):
        one.slider("kernel_size").press("ArrowRight")
    message = one.root.get_by_text("does not fit: it spans 7 pixels").first
    message.wait_for()
    assert one.root.bounding_box()["height"] == height
    one.slider("padding").press("ArrowRight")
    message.wait_for(state="hidden")
    assert one.root.bounding_box()["height"] == height and two.root.inner_text() == other

    run_code(page, "one.n_in, one.kernel_size, one.padding, one.preset = 12, 7, 4, 'sharpen'")
    one.root.get_by_text("with padding 20×20").wait_for()
    assert one.slider("padding").input_value() == "4" and one.count("kernel") == 7
    assert one.root.locator("select").input_value() == "sharpen"
    run_code(page, "one.kernel = [[1, 2], [3, 4]]")
    page.wait_for_function("() => document.querySelector('select[name=preset]').value === 'own'")
    assert (one.slider("kernel_size").input_value(), one.count("kernel")) == ("2", 2)
    assert one.root.bounding_box()["height"] == height

    end = page.evaluate("""async () => {  // a slider that is being dragged
        const slider = document.querySelector("input[name=n_in]");
        for (let i = 0; i < 102; i++) {
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
    page = open_notebook(
        [
            "import lenet_helpers as lh, torch\nimage = torch.zeros(28, 28, dtype=torch.uint8)\n"
            "image[:, 14:] = 255\nlh.explore_kernels(image)"
        ]
    )
    shown = Shown(page)
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
    shown.away()
    shown.press("ArrowRight", "End")
    assert shown.live.text_content() == "output row 0, column 27: −2"  # padding is 0, not 1
    assert "from −3 to 3" in shown.root.inner_text()


@pytest.mark.parametrize("how", ["restart", "shutdown"])
def test_it_goes_on_without_python(open_notebook, lab, how):
    page = open_notebook(["import lenet_helpers as lh\nlh.explore_convolution()"])
    shown = Shown(page)
    gone = shown.root.locator(".lh-gone")
    assert not gone.text_content()
    end_python(lab, how)
    gone.get_by_text("Python is gone").wait_for()
    shown.slider("stride").press("ArrowRight")
    assert shown.settled() and shown.count("output") == 2
    shown.root.locator("select").select_option("blur")
    assert value_of(shown.settled())[2] == 9
