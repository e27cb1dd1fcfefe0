"""Speed and memory: `python tests/benchmark.py [PART ...] [--full] [--json FILE]`.

Machines are noisy, so each part measures two things side by side in this one run and gives their ratio.

training    an epoch of the lesson's own recipe (datasets.MNIST with ToTensor, DataLoader(batch_size=20), plain SGD 0.01)
            beside ours; ours over the floor (its multiply-adds at the speed of a large matrix product); with --full,
            seconds to 98% of the test set by either
memory      peak memory of an epoch of ours over what importing torch and torchvision takes; one more student's kernel
background  an epoch in the background beside one in the foreground; how long an empty cell, a slider and stop take
            meanwhile
explorer    slider and pointer to pixels in a real JupyterLab, the slider beside plain interact + matplotlib
draw_pad    pen up to the new guess and maps in a real JupyterLab, the kernel idle and a training in the background
downhill    its two sliders to pixels in a real JupyterLab
softmax     a score's slider to pixels, the same
page        00_demo.html: open to ready, and pen up to the new guess and maps, beside the pad in JupyterLab; LeNet-5
            learning in the page, beside torch on one thread

Needs full MNIST: LENET_DATA=../shared/mnist, or data/.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torchvision
from torch.nn import functional as F
from torchvision.transforms import ToTensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import lenet_helpers as lh
from notebooks.support.data import mnist

EPOCH_OPERATIONS = (
    2 * 3 * 416_520 * 60_000
)  # multiply and add; forward and twice that backward; pictures


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def seconds_of(call):
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


# ------------------------------------------------------------------------------------------------- training


class LessonRecipe:
    """The lesson's training as its page describes it, without its ReLU on the outputs, which can kill it."""

    def __init__(self, folder):
        torch.manual_seed(0)
        self.train = torchvision.datasets.MNIST(folder, train=True, transform=ToTensor())
        self.loader = torch.utils.data.DataLoader(self.train, batch_size=20)
        self.model = lh.LeNet5()
        for layer in self.model.children():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()  # PyTorch's own start
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)

    def epoch(self):
        self.model.train()
        total = 0
        for images, labels in self.loader:
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(images), labels)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(labels)  # its log prints the mean loss
        return total / len(self.train)


def ours(digits, epochs=1):
    torch.manual_seed(0)
    model = lh.LeNet5()
    with quiet():
        return lh.train(model, digits, epochs)


def floor():
    """Seconds of an epoch's operations at the speed of a large float32 matrix product on the threads in use: the median
    of 20, since an epoch does not have the machine's best moment only."""
    a = torch.rand(2048, 2048)
    return (
        EPOCH_OPERATIONS
        / (2 * 2048**3)
        * statistics.median(seconds_of(lambda: a @ a)[0] for _ in range(20))
    )


def training(digits, folder, full):
    ours(digits._replace(train=digits.test))  # warm up
    lesson = LessonRecipe(folder)
    lesson_seconds, turns = [], []
    for turn in range(4):
        turns.append((floor(), ours(digits)[0].seconds))
        if turn == 1:
            lesson_seconds.append(seconds_of(lesson.epoch)[0])
    floor_seconds, our_seconds = map(statistics.median, zip(*turns))
    yield "an epoch, lesson's recipe (s)", lesson_seconds[0]
    yield "an epoch, ours (s)", our_seconds
    yield "lesson / ours", lesson_seconds[0] / our_seconds
    yield "floor: matrix products (s)", floor_seconds
    yield "ours / floor", our_seconds / floor_seconds
    if full:
        our_total, history = seconds_of(lambda: ours(digits))
        assert history[-1].accuracy >= 0.98, history
        accuracies = [lh.evaluate(lesson.model, digits.test).accuracy]
        while accuracies[-1] < 0.98 and len(accuracies) < 30:
            lesson_seconds.append(seconds_of(lesson.epoch)[0])
            accuracies.append(lh.evaluate(lesson.model, digits.test).accuracy)
        yield (
            f"to 98%, lesson's recipe, {len(accuracies)} epochs, {accuracies[-1]:.2%} (s)",
            sum(lesson_seconds),
        )
        yield f"to 98%, ours, 1 epoch, {history[-1].accuracy:.2%} (s)", our_total
        yield "to 98%, lesson / ours", sum(lesson_seconds) / our_total


# --------------------------------------------------------------------------------------------------- memory

MEMORY = """
import contextlib, io, threading, time, psutil, torch, torchvision
def resident():
    return psutil.Process().memory_info().rss / 2**20
def watch():
    while True:
        seen.append(resident())
        time.sleep(0.005)
seen = [resident()]
threading.Thread(target=watch, daemon=True).start()
import lenet_helpers as lh
with contextlib.redirect_stdout(io.StringIO()):
    lh.train(lh.LeNet5(), lh.load_mnist(), 1)
print(seen[0], max(seen))
"""


def megabytes_of_an_epoch():
    """Resident memory after importing torch and torchvision, and its peak from there to the end of an epoch of ours.
    (Not the process's own peak: the imports have one that they do not keep.)"""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return map(float, done.stdout.split())


def student_megabytes():
    """Memory that belongs to one kernel alone (USS) after an epoch in the background."""
    kernel = Kernel()
    try:
        kernel.run(KERNEL_SETUP)
        return float(
            kernel.run(
                "lh.train_in_background(fresh(), digits, 1).wait(); import psutil; "
                "print(psutil.Process().memory_full_info().uss / 2**20)"
            )[1]
        )
    finally:
        kernel.close()


def memory(digits, folder, full):
    imports, peak = megabytes_of_an_epoch()
    yield "memory after the imports (MB)", imports
    yield "peak memory to the end of an epoch (MB)", peak
    yield "peak over the imports (MB)", peak - imports
    beside = Kernel()  # another student's: what both share is nobody's own
    try:
        beside.run(KERNEL_SETUP)
        yield "one more student's kernel in 04 (MB of its own)", student_megabytes()
    finally:
        beside.close()


# ----------------------------------------------------------------------------------------------- background

KERNEL_SETUP = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import lenet_helpers as lh, torch, time
lh.start("en")
digits = lh.load_mnist()
def fresh():
    torch.manual_seed(0)
    return lh.LeNet5()
"""


class Kernel:
    """A real kernel, asked as JupyterLab asks it."""

    def __init__(self):
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, code):
        """(seconds until the reply, what was printed)."""
        printed = []

        def keep(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        seconds, reply = seconds_of(
            lambda: self.client.execute_interactive(code, output_hook=keep, timeout=600)
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return seconds, "".join(printed)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def background(digits, folder, full):
    kernel = Kernel()
    try:
        kernel.run(KERNEL_SETUP)
        kernel.run("lh.train(fresh(), digits, 1); explorer = lh.explore_convolution()")
        alone = statistics.median(kernel.run("pass")[0] for _ in range(20))
        front = float(
            kernel.run("print(sum(r.seconds for r in lh.train(fresh(), digits, 2)) / 2)")[
                1
            ].split()[-1]
        )
        kernel.run("run = lh.train_in_background(fresh(), digits, 20)")
        busy = [kernel.run("pass")[0] for _ in range(20)]
        slider = [kernel.run(f"explorer.kernel_size = {3 + i % 2}")[0] for i in range(20)]
        kernel.run("while len(run.history) < 3: time.sleep(0.1)")
        behind = float(kernel.run("print(sum(r.seconds for r in run.history[1:3]) / 2)")[1])
        stop = float(kernel.run("t = time.time(); run.stop(); print(time.time() - t)")[1])
    finally:
        kernel.close()
    yield "an epoch in the foreground (s)", front
    yield "an epoch in the background (s)", behind
    yield "background / foreground", behind / front
    yield "an empty cell, kernel idle (ms)", alone * 1000
    yield "an empty cell while it trains, median of 20 (ms)", statistics.median(busy) * 1000
    yield "a slider's redraw while it trains, median of 20 (ms)", statistics.median(slider) * 1000
    yield "run.stop() (s)", stop


# --------------------------------------------------------------------------------------------- in the browser


def explorer(digits, folder, full):
    import benchmark_explorer

    yield from benchmark_explorer.measure().items()


def draw_pad(digits, folder, full):
    import benchmark_draw_pad

    yield from benchmark_draw_pad.measure().items()


def downhill(digits, folder, full):
    import benchmark_learning

    yield from benchmark_learning.measure("downhill").items()


def softmax(digits, folder, full):
    import benchmark_learning

    yield from benchmark_learning.measure("softmax").items()


def page(digits, folder, full):
    import benchmark_page

    yield from benchmark_page.measure().items()


PARTS = {
    "training": training,
    "memory": memory,
    "background": background,
    "explorer": explorer,
    "draw_pad": draw_pad,
    "downhill": downhill,
    "softmax": softmax,
    "page": page,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)"
    )
    parser.add_argument(
        "--full", action="store_true", help="also seconds to 98%% (some minutes more)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures here, for machines"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
    folder, _ = mnist.data_folder()
    digits = lh.load_mnist()
    if digits.source != "MNIST":
        sys.exit("full MNIST is needed: set LENET_DATA")
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, {torch.get_num_threads()} threads")
    figures = {}
    for name in options.parts or PARTS:
        for what, value in PARTS[name](digits, folder, options.full):
            figures[f"{name}: {what}"] = value
            print(f"{name:<11} {what:<58} {value:>10.2f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
