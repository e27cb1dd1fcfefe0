"""How fast the explorer is in the page: part `explorer` of benchmark.py. JupyterLab and Chromium are needed."""

import statistics
import tempfile
import time
from pathlib import Path

from lab import notebooks, private_lab

import lenet_helpers as lh
from notebooks.support import explorer

PLAIN = """
import matplotlib.pyplot as plt
from ipywidgets import interact
from matplotlib.patches import Rectangle

def draw(stride=1, padding=2):
    g = lh.ConvGeometry(10, 3, stride, padding)
    padded, output = explorer._convolve(explorer._sample_image(10), kernel, g)
    fig, axes = plt.subplots(1, 3, figsize=(11.3, 5.8), width_ratios=[g.padded, 3, g.n_out])
    for ax, table, title in zip(axes, (padded, kernel, output), ("input", "kernel", "output")):
        colors, low, high = images.color_scale(table)
        ax.pcolormesh(table.numpy(), cmap=colors, vmin=low, vmax=high, edgecolors="#bdbdbd")
        for i, row in enumerate(table.tolist()):
            for j, value in enumerate(row):
                ax.text(j + .5, i + .5, f"{value:g}", ha="center", va="center")
        ax.set(xticks=[], yticks=[], aspect="equal", title=title)
        ax.invert_yaxis()
    axes[0].add_patch(Rectangle((0, 0), 3, 3, fill=False, lw=2))
    axes[2].add_patch(Rectangle((0, 0), 1, 1, fill=False, lw=2))
    terms = [f"{x:g}*({w:g})" for x, w in zip(padded[:3, :3].flatten().tolist(), kernel.flatten().tolist())]
    fig.text(.5, .05, " + ".join(terms) + f" = {output[0, 0]:g}", ha="center")
    plt.show()

interact(draw, stride=(1, 4), padding=(0, 4));
"""
MOVE = """async ([cell, slider, key]) => {
    // from the key on a slider's handle to the frame after the picture was exchanged
    const output = document.querySelectorAll(".jp-CodeCell")[cell];
    const handle = output.querySelectorAll(".noUi-handle")[slider];
    const begin = performance.now();
    const changed = new Promise((resolve, reject) => {
        const watch = new MutationObserver(changes => {
            const drawn = changes.flatMap(change => [...change.addedNodes]).filter(
                node => node.nodeType === 1 && (node.matches("svg, img") || node.querySelector("svg.lh-svg, img")));
            if (!drawn.length) return;
            watch.disconnect();
            const picture = drawn.at(-1).matches("img") ? drawn.at(-1) : drawn.at(-1).querySelector("img");
            Promise.resolve(picture?.decode()).then(  // a PNG arrives undecoded
                () => requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin))), reject);
        });
        watch.observe(output, {childList: true, subtree: true});
        setTimeout(() => reject("nothing was drawn in 20 s"), 20000);
    });
    handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    return await changed;
}"""


def measure_moves(page, cell, slider, moves=24):
    """Milliseconds from slider to pixels of each move, four steps up and four down in turn."""
    times = []
    for move in range(moves + 4):
        key = "ArrowRight" if move // 3 % 2 == 0 else "ArrowLeft"
        times.append(page.evaluate(MOVE, [cell, slider, key]))
        page.wait_for_timeout(150)
    return times[4:]  # the first ones warm up


def measure():
    """{what: figure}: slider to pixels beside the plain version, and the SVG of the largest setting."""
    g, kernel = lh.ConvGeometry(12, 7, 1, 4), explorer.PRESETS["random"](7)
    image, builds = explorer._sample_image(12), []
    for _ in range(15):
        begin = time.perf_counter()
        svg = explorer.convolution_svg(image, kernel, g)
        builds.append(1000 * (time.perf_counter() - begin))
    with (
        tempfile.TemporaryDirectory() as folder,
        private_lab(Path(folder)) as lab,
        notebooks(lab) as open_notebook,
    ):
        page = open_notebook(
            [
                "import lenet_helpers as lh\nkernel = explorer.PRESETS['random'](3).double()",
                "lh.explore_convolution(n_in=10, padding=2)",
                PLAIN,
            ]
        )
        page.wait_for_timeout(1000)
        ours, plain = (statistics.median(measure_moves(page, *place)) for place in ((1, 2), (2, 0)))
    return {
        "slider to pixels, explorer (ms)": ours,
        "slider to pixels, interact + matplotlib (ms)": plain,
        "matplotlib / explorer": plain / ours,
        "largest SVG (KB)": len(svg.encode()) / 1000,
        "largest SVG, to build (ms)": statistics.median(builds),
    }
