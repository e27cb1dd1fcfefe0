"""How the lesson opens, and the explorer in a real JupyterLab in Chromium (lab.py): what a reader sees and does."""

import io
import os
import re
import subprocess
import sys

import pytest
from lab import PROJECT, run_code
from PIL import Image

import lenet_helpers as lh
from notebooks.support import explorer

SHOWN = "e => [...e.querySelectorAll('.lh-reveal')].filter(r => getComputedStyle(r).display !== 'none').length"


def away(page):
    page.mouse.move(2, 2)


def shown(svg):
    """The text that the picture reveals now; exactly one cell may reveal something."""
    assert svg.evaluate(SHOWN) == 1
    return svg.locator(".lh-reveal:visible text").first.text_content()


def picture_of(page):
    """What the page looks like now, as a PIL image."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def cells_at(x, y, size, n):
    """A point near the upper left corner, clear of the number, of each cell of an n x n grid at (x, y)."""
    return {
        (i, j): (x + (j + 0.14) * size, y + (i + 0.14) * size) for i in range(n) for j in range(n)
    }


def changed(before, after, points):
    """The cells whose colour is another one now."""
    return {
        cell
        for cell, point in points.items()
        if max(abs(a - b) for a, b in zip(before.getpixel(point), after.getpixel(point))) > 12
    }


def value_of(text):
    """The value that a written-out sum adds up to, and the value that it claims."""
    text = re.sub(r"\s", "", text).replace("−", "-")
    terms, claimed = re.split("[=≈]", text)
    products = re.findall(r"(-?[\d.]+)×\(?(-?[\d.]+)\)?", terms)
    return sum(float(a) * float(b) for a, b in products), float(claimed), len(products)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_explorer_reveals_what_is_pointed_at(open_notebook, theme):
    page = open_notebook(
        ["import lenet_helpers as lh\nlh.explore_convolution(n_in=6, stride=2, padding=1)"],
        theme=theme,
    )
    svg = page.locator(".lh-svg")
    svg.wait_for()
    svg.scroll_into_view_if_needed()
    g, kernel = lh.ConvGeometry(6, 3, stride=2, padding=1), explorer.PRESETS["random"](3).double()
    _, output = explorer._convolve(explorer._sample_image(6), kernel, g)
    box = svg.locator(".lh-i").first.bounding_box()  # the first input that is no padding
    size = box["width"]
    inputs = cells_at(box["x"] - size, box["y"] - size, size, g.padded)
    box = svg.locator(".lh-o0").bounding_box()
    outputs = cells_at(box["x"], box["y"], size, g.n_out)
    away(page)
    plain = picture_of(page)

    svg.locator(".lh-o7").hover()  # row 2, column 1
    added, claimed, count = value_of(shown(svg))
    assert added == claimed == output[2, 1] and count == 9
    now = picture_of(page)
    window = {
        (r, c): kernel[a, b] for a, r in enumerate(g.window(2)) for b, c in enumerate(g.window(1))
    }
    for cell, weight in window.items():  # each pixel of the window in the hue of its weight
        red, _, blue = now.getpixel(inputs[cell])
        assert (red > blue + 15) - (blue > red + 15) == weight.sign()
    first = {
        (r, c) for r in g.window(0) for c in g.window(0)
    }  # the window of step 0, which gave way
    assert changed(plain, now, inputs) - first <= set(window)

    for i, j in ((0, 0), (0, 3), (3, 3), (5, 5)):
        svg.locator(".lh-i").nth(6 * i + j).hover()
        fed = {(r, c) for r in g.feeds(i) for c in g.feeds(j)}
        assert shown(svg) == f"Outputs that this input feeds: {len(fed)}."
        assert changed(plain, picture_of(page), outputs) == fed

    svg.locator(".lh-w").nth(5).hover()  # row 1, column 2
    assert shown(svg) == "Inputs that this weight multiplies: 9, one for each output."
    met = {(g.window(i)[1], g.window(j)[2]) for i in range(3) for j in range(3)}
    assert changed(plain, picture_of(page), inputs) - first == met - first
    away(page)
    assert (
        value_of(shown(svg))[1] == output[0, 0]
    )  # nothing is pointed at: the window that Play steps


def test_explorer_pins_and_plays(open_notebook):
    page = open_notebook(["import lenet_helpers as lh\nlh.explore_convolution()"])
    svg = page.locator(".lh-svg")
    svg.locator(".lh-o5").click()
    pinned = shown(svg)
    away(page)
    assert shown(svg) == pinned
    svg.locator(".lh-i").first.hover()  # a look at another cell
    assert shown(svg).startswith("Outputs")
    away(page)
    assert shown(svg) == pinned
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.classList.contains('lh-o6')")
    assert shown(svg) == svg.locator(".lh-o6 + .lh-reveal text").text_content() != pinned
    page.keyboard.press("Shift+Tab")
    assert shown(svg) == pinned

    page.locator(".widget-play button").first.click()  # takes the focus, so the steps show
    away(page)
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.lh-o2 + .lh-reveal')).display !== 'none'"
    )
    assert shown(svg) == svg.locator(".lh-o2 + .lh-reveal text").text_content()


def test_explorer_follows_its_sliders(open_notebook):
    page = open_notebook(
        [
            "import lenet_helpers as lh\none = lh.explore_convolution()\none",
            "two = lh.explore_convolution(n_in=5)\ntwo",
        ]
    )
    one, two = page.locator(".jp-OutputArea-output").all()
    height, other = one.bounding_box()["height"], two.locator(".lh-svg").inner_html()
    handles = one.locator(".noUi-handle")  # n_in, kernel_size, stride, padding, dilation
    handles.nth(2).press("ArrowRight")
    one.get_by_text("remainder 1").wait_for()
    assert "⌊3 / 2⌋ + 1 = 2" in one.inner_text() and "stride=2" in one.inner_text()
    assert one.locator("[class*='lh-o']").count() == 4
    assert run_code(page, "print(one.stride, one.n_in)") == "2 6\n"
    for _ in range(4):
        handles.nth(1).press("ArrowRight")
    one.get_by_text("does not fit").wait_for()
    assert one.bounding_box()["height"] == pytest.approx(height, abs=1)
    handles.nth(3).press("ArrowRight")
    one.locator(".lh-svg").wait_for()
    assert one.bounding_box()["height"] == pytest.approx(height, abs=1)
    assert two.locator(".lh-svg").inner_html() == other
    ids = page.evaluate(
        "() => [...document.querySelectorAll('.lh-svg, .lh-svg [id]')].map(e => e.id)"
    )
    assert len(ids) == len(set(ids)) > 8

    run_code(page, "one.n_in, one.kernel_size, one.padding, one.preset = 12, 7, 4, 'blur'")
    one.get_by_text("with padding 20×20").wait_for()
    assert one.locator(".lh-w").count() == 49
    assert one.bounding_box()["height"] == pytest.approx(height, abs=1)
    one.locator("select").select_option("sharpen")
    page.wait_for_function(
        "() => document.querySelectorAll('.lh-w')[24].getAttribute('aria-label').includes(': 13')"
    )


def test_explorer_shows_pictures(open_notebook):
    page = open_notebook(
        [
            "import lenet_helpers as lh, torch\n"
            "image = torch.zeros(28, 28, dtype=torch.uint8)\nimage[:, 14:] = 255\n"
            "lh.explore_kernels(image)"
        ]
    )
    images = page.locator(".lh-svg image")
    assert images.count() == 2
    assert images.first.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
    images.first.scroll_into_view_if_needed()
    left, right = (image.bounding_box() for image in images.all())
    assert left["width"] == pytest.approx(right["width"] * 30 / 28, rel=0.02)
    pixel, now = right["width"] / 28, picture_of(page)
    middle = right["y"] + 14.5 * pixel
    assert (
        min(now.getpixel((right["x"] + 5.5 * pixel, middle))) > 240
    )  # white where nothing changes
    red, _, blue = now.getpixel((right["x"] + 13.5 * pixel, middle))
    assert red > blue + 100  # the edge, in orange
    assert max(now.getpixel((left["x"] + 20.5 * pixel, middle))) < 20


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_readme_opens_the_lesson_at_the_projects_root(language, tmp_path):
    """JupyterLab serves nothing above its root, which a file on the command line would otherwise set to its folder."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    arguments = re.search(rf"-m jupyterlab (.*notebooks/{language}/\S+)", readme).group(1).split()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            *arguments,
            "--no-browser",
            "--port=0",
            "--allow-root",
        ],
        cwd=PROJECT,
        env={**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        roots = (
            line.split("directory: ")[1].strip()
            for line in server.stderr
            if "Serving notebooks from" in line
        )
        assert next(roots, None) == str(PROJECT)
    finally:
        server.terminate()
        server.communicate(timeout=20)
