"""How fast the explorer is in the page: part `explorer` of benchmark.py.

JupyterLab and Chromium are needed.
"""

import statistics
import tempfile
from pathlib import Path

from lab import notebooks, private_lab

PLAIN = """
import lenet_helpers as lh, torch
import matplotlib.pyplot as plt
from ipywidgets import interact
from matplotlib.patches import Rectangle
from notebooks.support.widgets.explorer import PRESETS, sample_image

image, kernel = sample_image(10), PRESETS["random"](3).double()

def draw(stride=1, padding=2):
    g = lh.ConvGeometry(10, 3, stride, padding)
    padded = torch.nn.functional.pad(image, [padding] * 4)
    output = torch.nn.functional.conv2d(padded[None, None], kernel[None, None], stride=stride)[0, 0]
    fig, axes = plt.subplots(1, 3, figsize=(11.3, 5.8), width_ratios=[g.padded, 3, g.n_out])
    for ax, table, title in zip(axes, (padded, kernel, output), ("input", "kernel", "output")):
        limit = table.abs().max()
        ax.pcolormesh(table.numpy(), cmap=lh.SIGNS, vmin=-limit, vmax=limit, edgecolors="#bdbdbd")
        for i, row in enumerate(table.tolist()):
            for j, value in enumerate(row):
                ax.text(j + .5, i + .5, f"{value:g}", ha="center", va="center")
        ax.set(xticks=[], yticks=[], aspect="equal", title=title)
        ax.invert_yaxis()
    axes[0].add_patch(Rectangle((0, 0), 3, 3, fill=False, lw=2))
    axes[2].add_patch(Rectangle((0, 0), 1, 1, fill=False, lw=2))
    pairs = zip(padded[:3, :3].flatten().tolist(), kernel.flatten().tolist())
    terms = [f"{x:g}*({w:g})" for x, w in pairs]
    fig.text(.5, .05, " + ".join(terms) + f" = {output[0, 0]:g}", ha="center")
    plt.show()

interact(draw, stride=(1, 4), padding=(0, 4));
"""
PLAIN_MOVE = """async step => {
    // from the key on the slider's handle to the frame after the picture was exchanged
    const output = [...document.querySelectorAll(".jp-CodeCell")].at(-1), begin = performance.now();
    const changed = new Promise((resolve, reject) => {
        const watch = new MutationObserver(changes => {
            const nodes = changes.flatMap(change => [...change.addedNodes]);
            const picture = nodes.filter(node => node.nodeType === 1)
                .map(node => node.matches("img") ? node : node.querySelector("img")).find(Boolean);
            if (!picture) return;
            watch.disconnect();
            picture.decode().then(() => requestAnimationFrame(() =>  // it arrives undecoded
                setTimeout(() => resolve(performance.now() - begin))), reject);
        });
        watch.observe(output, {childList: true, subtree: true});
        setTimeout(() => reject("nothing was drawn in 20 s"), 20000);
    });
    const key = step > 0 ? "ArrowRight" : "ArrowLeft", handle = output.querySelector(".noUi-handle");
    handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    return await changed;
}"""
DRAWN = """
    // to the frame in which it is drawn: the explorer asked for that frame first
    return await new Promise(resolve =>
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin))));
}"""
MOVE = (
    """async step => {
    const slider = document.querySelector(".lh-explorer input[name=stride]");
    const begin = performance.now();
    slider.value = Number(slider.value) + step;
    slider.dispatchEvent(new Event("input", {bubbles: true}));"""
    + DRAWN
)
HOVER = (
    """async step => {
    const canvas = document.querySelector(".lh-explorer canvas[data-grid=output]");
    const box = canvas.getBoundingClientRect(), clientX = box.x + box.width * (.5 + step / 4);
    const clientY = box.y + box.height / 2, begin = performance.now();
    canvas.dispatchEvent(new PointerEvent("pointermove", {clientX, clientY, bubbles: true}));"""
    + DRAWN
)


def measure_moves(page, move, moves=24):
    """Median milliseconds to pixels of each move, three steps up and three down in turn."""
    times = []
    for number in range(moves + 4):
        times.append(page.evaluate(move, 1 if number // 3 % 2 == 0 else -1))
        page.wait_for_timeout(150)
    return statistics.median(times[4:])  # the first ones warm up


def measure():
    """{what: figure}: slider and hover beside the plain version, and in the largest setting."""
    with (
        tempfile.TemporaryDirectory() as folder,
        private_lab(Path(folder)) as lab,
        notebooks(lab) as open_notebook,
    ):
        ours = "import lenet_helpers as lh\nexplorer = lh.explore_convolution({})\nexplorer"
        page = open_notebook([ours.format("n_in=10, padding=2"), PLAIN])
        page.wait_for_timeout(1000)
        move, hover, plain = (measure_moves(page, what) for what in (MOVE, HOVER, PLAIN_MOVE))
        page = open_notebook([ours.format("n_in=12, kernel_size=7, padding=4")])
        page.wait_for_timeout(1000)
        largest, largest_hover = (measure_moves(page, what) for what in (MOVE, HOVER))
    return {
        "slider to pixels, explorer (ms)": move,
        "slider to pixels, interact + matplotlib (ms)": plain,
        "matplotlib / explorer": plain / move,
        "hover to pixels, explorer (ms)": hover,
        "slider to pixels, largest setting (ms)": largest,
        "hover to pixels, largest setting (ms)": largest_hover,
    }
