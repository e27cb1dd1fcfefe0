"""How fast the explorer is: `python tests/benchmark_explorer.py` (JupyterLab and Chromium needed)."""
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lenet_helpers as lh

LIMITS = {"slider to pixels, ms": 80, "largest SVG, KB": 400, "largest SVG, ms to build": 15}  # at most
LEAST_RATIO = 4

PLAIN = """
import matplotlib.pyplot as plt
from ipywidgets import interact
from matplotlib.patches import Rectangle

def draw(stride=1, padding=2):
    g = lh.ConvGeometry(10, 3, stride, padding)
    padded, output = lh._convolve(lh._sample_image(10), kernel, g)
    fig, axes = plt.subplots(1, 3, figsize=(11.3, 5.8), width_ratios=[g.padded, 3, g.n_out])
    for ax, table, title in zip(axes, (padded, kernel, output), ("input", "kernel", "output")):
        colors, low, high = lh._scale(table)
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


def explorer_benchmark(open_notebook):
    """Figures as a dict, printed as a table. open_notebook: the fixture of tests/test_lab.py."""
    g, kernel = lh.ConvGeometry(12, 7, 1, 4), lh.PRESETS["random"](7)
    image, builds = lh._sample_image(12), []
    for _ in range(15):
        begin = time.perf_counter()
        svg = lh.convolution_svg(image, kernel, g)
        builds.append(1000 * (time.perf_counter() - begin))
    page = open_notebook(["import lenet_helpers as lh\nkernel = lh.PRESETS['random'](3).double()",
                          "lh.explore_convolution(n_in=10, padding=2)", PLAIN])
    page.wait_for_timeout(1000)
    ours, plain = measure_moves(page, 1, 2), measure_moves(page, 2, 0)
    figures = {"slider to pixels, ms": statistics.median(ours), "matplotlib, ms": statistics.median(plain),
               "matplotlib / explorer": statistics.median(plain) / statistics.median(ours),
               "largest SVG, KB": len(svg.encode()) / 1000, "largest SVG, ms to build": statistics.median(builds)}
    for name, figure in figures.items():
        limit = f"at most {LIMITS[name]}" if name in LIMITS else f"at least {LEAST_RATIO}" if "/" in name else ""
        print(f"{name:<26}{figure:>8.1f}   {limit}")
    return figures


def test_explorer_benchmark(open_notebook):
    figures = explorer_benchmark(open_notebook)
    assert all(figures[name] <= most for name, most in LIMITS.items())
    assert figures["matplotlib / explorer"] >= LEAST_RATIO


if __name__ == "__main__":
    import pytest

    sys.exit(pytest.main([__file__, "-q", "-s", "-p", "test_lab", "-p", "no:cacheprovider"]))
