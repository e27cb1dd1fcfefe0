"""Makes the README's pictures, as a person sees them: `python tests/make_pictures.py`. JupyterLab and Chromium are needed."""

import sys
import tempfile
from pathlib import Path

import matplotlib
from lab import PROJECT, notebooks, private_lab

sys.path.insert(0, str(PROJECT))
import lenet_helpers as lh

SETUP = """import lenet_helpers as lh, torch
torch.manual_seed(0)
digits = lh.sklearn_digits()
network = lh.load_weights(lh.LeNet5(), "notebooks/trained/lenet5.pt")"""
PICTURES = {  # file: (cell, what to take once it is there)
    "demo": (
        "pad = lh.DrawPad(network)\npad.drawing = lh.sample_drawing(3)\npad",
        ".lh-pad-body:has(.lh-pad-maps canvas)",
    ),
    "explorer": (
        "lh.explore_convolution(n_in=6, kernel_size=3, padding=1, stride=2)",
        ".lh-explorer:has(canvas)",
    ),
    "panel": (
        "run = lh.train_in_background(lh.LeNet5(), digits, epochs=20)\nrun",
        ".lh-run:has(b:has-text('finished'))",
    ),
    "results": ("lh.show_predictions(network, digits.test)", ".jp-OutputArea-output img"),
}


def main():
    for language in ("zh", "en"):
        lh.start(language)
        with matplotlib.rc_context({"svg.hashsalt": "lenet5"}):  # the same file each time
            path = PROJECT / "img" / f"lenet5_{language}.svg"
            lh.lenet5_diagram().savefig(path, metadata={"Date": None})
    with (
        tempfile.TemporaryDirectory() as folder,
        private_lab(Path(folder)) as lab,
        notebooks(lab) as open_notebook,
    ):
        for name, (cell, part) in PICTURES.items():
            page = open_notebook([SETUP, cell])
            page.locator(part).last.wait_for(timeout=120_000)
            page.mouse.move(2, 2)
            page.wait_for_timeout(500)
            page.locator(part).last.screenshot(path=PROJECT / "img" / f"{name}.png")
            print(PROJECT / "img" / f"{name}.png")


if __name__ == "__main__":
    main()
