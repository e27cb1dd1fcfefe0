"""Speed and memory: `python tests/benchmark.py [PART ...]`.

Each part measures two things side by side in this one run, since machines are noisy, and gives their ratio.

training    an epoch of the lesson's own recipe (datasets.MNIST with ToTensor, DataLoader(batch_size=20), plain SGD
            0.01) beside ours
memory      peak memory of an epoch of ours over what importing torch and torchvision takes; one more student's kernel
explorer    slider to pixels in a real JupyterLab, beside interact + matplotlib
learning    LeNet-5 learning in the page, beside torch on one thread

Needs full MNIST: LENET_DATA=../shared/mnist, or data/; the last two need Chromium, too.
"""

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import timeit
from pathlib import Path
from statistics import median

import torch
import torchvision
from jupyter_client.manager import run_kernel
from torchvision.transforms import ToTensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from lab import chromium, notebooks, private_lab
from material import fresh

import lenet_helpers as lh
from notebooks.support.data import mnist

PAGE = (ROOT / "notebooks" / "en" / "00_demo.html").as_uri()


def seconds_of(call):
    return timeit.timeit(call, number=1)


def beside(what, one, other, unit, names):
    """Both figures, and the first over the second."""
    yield f"{what}, {names[0]} ({unit})", one
    yield f"{what}, {names[1]} ({unit})", other
    yield f"{what}, {names[0]} / {names[1]}", one / other


def lessons_epoch():
    """The lesson's training as its page describes it, without its ReLU on the outputs, which can kill it."""
    images = torchvision.datasets.MNIST(mnist.data_folder()[0], transform=ToTensor())
    model, loader = fresh(), torch.utils.data.DataLoader(images, batch_size=20)
    lh.train_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.01))


def our_epoch(digits):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return lh.train(fresh(), digits, epochs=1)[0].seconds


def training(digits):
    our_epoch(digits._replace(train=digits.test))  # warm up
    lessons, ours = seconds_of(lessons_epoch), our_epoch(digits)
    yield from beside("an epoch", lessons, ours, "s", ("lesson's recipe", "ours"))


MEMORY = """
import contextlib, io, threading, time, psutil, torch, torchvision
def follow():
    while True:
        seen.append(psutil.Process().memory_info().rss / 2**20)
        time.sleep(0.005)
seen = [psutil.Process().memory_info().rss / 2**20]
threading.Thread(target=follow, daemon=True).start()
import lenet_helpers as lh
with contextlib.redirect_stdout(io.StringIO()):
    lh.train(lh.LeNet5(), lh.load_mnist(), 1)
print(seen[0], max(seen))
"""
STUDENT = """
import lenet_helpers as lh, psutil
lh.start("en")
lh.train_in_background(lh.LeNet5(), lh.load_mnist(), 1).wait()
print(psutil.Process().memory_full_info().uss / 2**20)
"""


def memory(digits):
    command = [sys.executable, "-c", MEMORY]  # not the process's own peak: the imports have one
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imports, peak = map(float, done.stdout.split())
    yield from beside("memory", peak, imports, "MB", ("peak of an epoch", "after the imports"))
    said = []
    with run_kernel(cwd=str(ROOT)) as other, run_kernel(cwd=str(ROOT)) as own:
        for kernel in (other, own):  # what both share is nobody's own
            keep = lambda message: said.append(message["content"].get("text", ""))  # noqa: E731
            kernel.execute_interactive(STUDENT, output_hook=keep, timeout=600)
    yield "one more student's kernel in 04 (MB of its own)", float("".join(said).split()[-1])


EXPLORER = "import lenet_helpers as lh\nlh.explore_convolution(n_in=10, padding=2)"
PLAIN = """from ipywidgets import interact
def draw(stride):
    display(lh.explore_convolution(n_in=10, padding=2, stride=stride).figure())
interact(draw, stride=(1, 4));"""
MOVE = """async step => {  // to the frame in which it is drawn: the explorer asked for that frame first
    const slider = document.querySelector(".lh-explorer input[name=stride]"), begin = performance.now();
    slider.value = Number(slider.value) + step;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    return await new Promise(resolve =>
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin))));
}"""
PLAIN_MOVE = """async step => {  // from the key on the slider's handle to the frame after the picture was exchanged
    const output = [...document.querySelectorAll(".jp-CodeCell")].at(-1), begin = performance.now();
    const changed = new Promise(resolve => new MutationObserver((changes, watch) => {
        const image = output.querySelector(".jp-OutputArea-output img");
        if (!image || image === output.last) return;
        watch.disconnect();
        output.last = image;
        image.decode().then(() => requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin))));
    }).observe(output, {childList: true, subtree: true}));
    const key = step > 0 ? "ArrowRight" : "ArrowLeft", handle = output.querySelector(".noUi-handle");
    handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    return await changed;
}"""


def moves(page, move):
    """Median milliseconds to pixels, three steps up and three down in turn; the first ones warm up."""
    times = []
    for number in range(28):
        times.append(page.evaluate(move, 1 if number // 3 % 2 == 0 else -1))
        page.wait_for_timeout(150)
    return median(times[4:])


def explorer(digits):
    with tempfile.TemporaryDirectory() as folder, private_lab(Path(folder)) as lab:
        with notebooks(lab) as open_notebook:
            page = open_notebook([EXPLORER, PLAIN])
            page.locator(".noUi-handle").wait_for()
            ours, plain = moves(page, MOVE), moves(page, PLAIN_MOVE)
    yield from beside("slider to pixels", ours, plain, "ms", ("explorer", "matplotlib"))


def learn_in_page(browser):
    """Pictures a second, and the longest task (ms; 0: none above 50), while LeNet-5 learns."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(PAGE)
    page.evaluate("""() => {
        window.lhTasks = [0];
        new PerformanceObserver(list => lhTasks.push(...list.getEntries().map(e => e.duration)))
            .observe({type: "longtask"});
    }""")
    page.locator("[data-learn]").click()
    page.locator("#learn[data-done]").wait_for(timeout=600_000)
    rate = float(page.locator("#learn").get_attribute("data-rate"))
    return rate, page.evaluate("Math.max(...lhTasks)")


def learn_in_torch():
    """The same data and recipe on one thread."""
    torch.set_num_threads(1)
    digits, model = lh.sklearn_digits(), fresh()
    optimizer = torch.optim.SGD(model.parameters(), 0.005, momentum=0.9)
    loader = lh.digit_loader(digits.train, 16, shuffle=True)
    return len(digits.train) / seconds_of(lambda: lh.train_epoch(model, loader, optimizer))


def learning(digits):
    with chromium() as browser:
        (rate, task), torchs = learn_in_page(browser), learn_in_torch()
    yield from beside("LeNet-5 learns", rate, torchs, "pictures/s", ("page", "torch"))
    yield "longest task meanwhile, 0 if none over 50 (ms)", task


PARTS = {each.__name__: each for each in (training, memory, explorer, learning)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    options = parser.parse_args()
    digits = lh.load_mnist()
    digits.source == "MNIST" or sys.exit("full MNIST is needed: set LENET_DATA")
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, {torch.get_num_threads()} threads")
    for name in options.parts or PARTS:
        for what, value in PARTS[name](digits):
            print(f"{name:<11}{what:<62}{value:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
