"""What a reader sees and does: JupyterLab in Chromium. Skipped where there is no Chromium or no playwright.

`open_notebook` is for every test of something that lives in the page; see there.
"""
import contextlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

import lenet_helpers as lh

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
if not CHROMIUM:
    pytest.skip("no Chromium ($CHROMIUM, or on PATH)", allow_module_level=True)

PROJECT = Path(lh.__file__).parent
SETTINGS = {  # of the private JupyterLab: no news, no saving by itself, every cell in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
IDLE = """() => {
    const panel = window.jupyterapp?.shell.currentWidget, context = panel?.sessionContext;
    return Boolean(panel?.context?.isReady && context?.isReady && context.session?.kernel?.status === "idle");
}"""


class Lab:
    """A JupyterLab of its own, whose root is a copy of the project, and a browser."""

    def __init__(self, root, base, token, browser):
        self.root, self.base, self.token, self.browser = root, base, token, browser

    def ask(self, method, path):
        request = urllib.request.Request(f"{self.base}{path}", method=method,
                                         headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    root = folder / "root"
    root.mkdir()
    shutil.copy(PROJECT / "lenet_helpers.py", root)
    for name in ("notebooks", "img"):
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, root / name)
    for name, value in SETTINGS.items():
        file = folder / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token, base = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    env = dict(os.environ, JUPYTER_TOKEN=token, JUPYTER_CONFIG_DIR=str(folder / "config"),
               JUPYTER_RUNTIME_DIR=str(folder / "runtime"), JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
               JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
               "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", "--expose-app-in-browser",
               "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=root)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/api/status?token={token}", timeout=2).close()
                break
            time.sleep(0.2)
        else:
            pytest.fail("JupyterLab did not start:\n" + log.read_text(errors="replace")[-2000:])
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            yield Lab(root, base, token, browser)
            browser.close()
    finally:
        server.terminate()  # ends its kernels, too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture
def open_notebook(lab):
    """`open_notebook(cells_or_path, run=True, theme="light")` -> playwright's page, the notebook run from top to bottom.

    cells_or_path: a list of code cells (strings), written as a notebook at the root, where `import lenet_helpers` works;
    or the path of a notebook below the project, opened as the root's copy of it. Fails for a cell that raises and, at
    the end, for a JavaScript error in the page. Kernels are shut down after the test.
    """
    errors, contexts = [], []

    def open_(cells_or_path, run=True, theme="light", width=1280, height=1000):
        if isinstance(cells_or_path, (str, Path)):
            path = Path(cells_or_path).resolve().relative_to(PROJECT).as_posix()
        else:
            path = f"test_{secrets.token_hex(3)}.ipynb"
            cells = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "execution_count": None,
                      "source": source} for i, source in enumerate(cells_or_path)]
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            (lab.root / path).write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4,
                                                     "nbformat_minor": 5}), encoding="utf-8")
        contexts.append(lab.browser.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(20_000)
        page.goto(f"{lab.base}/lab/tree/{path}?reset&token={lab.token}")
        page.wait_for_function(IDLE, timeout=60_000)
        page.evaluate("dark => window.jupyterapp.commands.execute('apputils:change-theme', {theme: dark})",
                      f"JupyterLab {theme.title()}")
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        if run:
            page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
            page.wait_for_function(IDLE, timeout=120_000)
        failed = page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
            .flatMap(cell => cell.outputs ?? []).filter(output => output.output_type === "error")
            .map(output => `${output.ename}: ${output.evalue}`)""")
        assert not failed
        return page

    yield open_
    for context in contexts:
        context.close()
    for session in lab.ask("GET", "/api/sessions"):
        lab.ask("DELETE", f"/api/sessions/{session['id']}")
    assert not errors


def run_code(page, code):
    """Runs code in the notebook's kernel, past the cells; returns what it prints."""
    return page.evaluate("""async code => {
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        const future = kernel.requestExecute({code}), texts = [];
        future.onIOPub = message => {
            if (message.header.msg_type === "stream") texts.push(message.content.text);
            if (message.header.msg_type === "error") texts.push(message.content.evalue);
        };
        await future.done;
        return texts.join("");
    }""", code)


# ------------------------------------------------------------------------------------------------- explorer

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
    return {(i, j): (x + (j + .14) * size, y + (i + .14) * size) for i in range(n) for j in range(n)}


def changed(before, after, points):
    """The cells whose colour is another one now."""
    return {cell for cell, point in points.items()
            if max(abs(a - b) for a, b in zip(before.getpixel(point), after.getpixel(point))) > 12}


def value_of(text):
    """The value that a written-out sum adds up to, and the value that it claims."""
    text = re.sub(r"\s", "", text).replace("−", "-")
    terms, claimed = re.split("[=≈]", text)
    products = re.findall(r"(-?[\d.]+)×\(?(-?[\d.]+)\)?", terms)
    return sum(float(a) * float(b) for a, b in products), float(claimed), len(products)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_explorer_reveals_what_is_pointed_at(open_notebook, theme):
    page = open_notebook(["import lenet_helpers as lh\nlh.explore_convolution(n_in=6, stride=2, padding=1)"], theme=theme)
    svg = page.locator(".lh-svg")
    svg.wait_for()
    svg.scroll_into_view_if_needed()
    g, kernel = lh.ConvGeometry(6, 3, stride=2, padding=1), lh.PRESETS["random"](3).double()
    _, output = lh._convolve(lh._sample_image(6), kernel, g)
    box = svg.locator(".lh-i").first.bounding_box()  # the first input that is no padding
    size = box["width"]
    inputs = cells_at(box["x"] - size, box["y"] - size, size, g.padded)
    box = svg.locator(".lh-o0 .lh-hit").bounding_box()  # the group itself is as large as what it reveals
    outputs = cells_at(box["x"], box["y"], size, g.n_out)
    away(page)
    plain = picture_of(page)

    svg.locator(".lh-o7").hover()  # row 2, column 1
    added, claimed, count = value_of(shown(svg))
    assert added == claimed == output[2, 1] and count == 9
    now = picture_of(page)
    window = {(r, c): kernel[a, b] for a, r in enumerate(g.window(2)) for b, c in enumerate(g.window(1))}
    for cell, weight in window.items():  # each pixel of the window in the hue of its weight
        red, _, blue = now.getpixel(inputs[cell])
        assert (red > blue + 15) - (blue > red + 15) == weight.sign()
    first = {(r, c) for r in g.window(0) for c in g.window(0)}  # the window of step 0, which gave way
    assert changed(plain, now, inputs) - first <= set(window)

    for (i, j) in ((0, 0), (0, 3), (3, 3), (5, 5)):
        svg.locator(".lh-i").nth(6 * i + j).hover()
        fed = {(r, c) for r in g.feeds(i) for c in g.feeds(j)}
        assert shown(svg) == f"Outputs that this input feeds: {len(fed)}."
        assert changed(plain, picture_of(page), outputs) == fed

    svg.locator(".lh-w").nth(5).hover()  # row 1, column 2
    assert shown(svg) == "Inputs that this weight multiplies: 9, one for each output."
    met = {(g.window(i)[1], g.window(j)[2]) for i in range(3) for j in range(3)}
    assert changed(plain, picture_of(page), inputs) - first == met - first
    away(page)
    assert value_of(shown(svg))[1] == output[0, 0]  # nothing is pointed at: the window that Play steps


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
    assert shown(svg) == svg.locator(".lh-o6 .lh-reveal text").text_content() != pinned
    page.keyboard.press("Shift+Tab")
    assert shown(svg) == pinned

    page.locator(".widget-play button").first.click()  # takes the focus, so the steps show
    away(page)
    page.wait_for_function("() => getComputedStyle(document.querySelector('.lh-o2 .lh-reveal')).display !== 'none'")
    assert shown(svg) == svg.locator(".lh-o2 .lh-reveal text").text_content()


def test_explorer_follows_its_sliders(open_notebook):
    page = open_notebook(["import lenet_helpers as lh\none = lh.explore_convolution()\none",
                          "two = lh.explore_convolution(n_in=5)\ntwo"])
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
    ids = page.evaluate("() => [...document.querySelectorAll('.lh-svg, .lh-svg [id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)) > 8

    run_code(page, "one.n_in, one.kernel_size, one.padding, one.preset = 12, 7, 4, 'blur'")
    one.get_by_text("with padding 20×20").wait_for()
    assert one.locator(".lh-w").count() == 49
    assert one.bounding_box()["height"] == pytest.approx(height, abs=1)
    one.locator("select").select_option("sharpen")
    page.wait_for_function("() => document.querySelectorAll('.lh-w')[24].getAttribute('aria-label').includes(': 13')")


def test_explorer_shows_pictures(open_notebook):
    page = open_notebook(["import lenet_helpers as lh, torch\n"
                          "image = torch.zeros(28, 28, dtype=torch.uint8)\nimage[:, 14:] = 255\n"
                          "lh.explore_kernels(image)"])
    images = page.locator(".lh-svg image")
    assert images.count() == 2
    assert images.first.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
    images.first.scroll_into_view_if_needed()
    left, right = (image.bounding_box() for image in images.all())
    assert left["width"] == pytest.approx(right["width"] * 30 / 28, rel=.02)
    pixel, now = right["width"] / 28, picture_of(page)
    middle = right["y"] + 14.5 * pixel
    assert min(now.getpixel((right["x"] + 5.5 * pixel, middle))) > 240  # white where nothing changes
    red, _, blue = now.getpixel((right["x"] + 13.5 * pixel, middle))
    assert red > blue + 100  # the edge, in orange
    assert max(now.getpixel((left["x"] + 20.5 * pixel, middle))) < 20
