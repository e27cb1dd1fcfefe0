"""How fast the lesson's two small widgets are in the page: parts `downhill` and `softmax` of benchmark.py.

JupyterLab and Chromium are needed.
"""

import tempfile
from pathlib import Path

from benchmark_explorer import DRAWN, measure_moves
from lab import notebooks, private_lab

SETUP = """import lenet_helpers as lh, torch
digits = lh.sklearn_digits()
torch.manual_seed(0)
model = lh.LeNet5()"""
CELLS = {
    "downhill": "lh.downhill(model, digits.train)",
    "softmax": "lh.explore_softmax(model(digits.train.tensors[0][:1] / 255), 3)",
}
MOVE = (
    """async step => {
    const slider = document.querySelector(SELECTOR), begin = performance.now();
    slider.value = Number(slider.value) + 3 * step * Number(slider.step || 1);
    slider.dispatchEvent(new Event("input", {bubbles: true}));"""
    + DRAWN
)
SLIDERS = {
    "downhill": {
        "weight's slider to pixels (ms)": ".lh-down-one input",
        "learning rate's slider to pixels (ms)": ".lh-down-all input",
    },
    "softmax": {"score's slider to pixels (ms)": ".lh-soft input"},
}


def measure(part):
    """{what: milliseconds}, the kernel idle."""
    with (
        tempfile.TemporaryDirectory() as folder,
        private_lab(Path(folder)) as lab,
        notebooks(lab) as open_notebook,
    ):
        page = open_notebook([SETUP, CELLS[part]])
        page.wait_for_timeout(1000)
        return {
            what: measure_moves(page, MOVE.replace("SELECTOR", repr(selector)))
            for what, selector in SLIDERS[part].items()
        }
