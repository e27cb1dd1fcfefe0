"""What several test files work with: networks and drawings."""

import base64
import io
import json

import numpy as np
import torch
from IPython.core.formatters import DisplayFormatter
from lab import PROJECT
from PIL import Image
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.data import drawing

DRAWINGS = [each for each in drawing.DRAWINGS if each["note"] != "sample"]  # three of each digit
TRAINED = "lh.load_weights(lh.LeNet5(), 'notebooks/trained/lenet5.pt')"  # in a copy of the project


def fresh(seed=0):
    """LeNet-5 untrained, the same for the same seed."""
    torch.manual_seed(seed)
    return lh.LeNet5()


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def read_trained():
    """The network that the project ships."""
    return lh.load_weights(lh.LeNet5(), PROJECT / "notebooks" / "trained" / "lenet5.pt")


def by_hand(model, image):
    """Each layer's activations, step by step, without the model's own pass."""
    w = dict(model.named_parameters())
    steps = {"input": image}
    steps["c1"] = F.conv2d(image[None], w["c1.weight"], w["c1.bias"], padding=2).relu()
    steps["s2"] = steps["c1"].unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    steps["c3"] = F.conv2d(steps["s2"], w["c3.weight"], w["c3.bias"]).relu()
    steps["s4"] = steps["c3"].unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    steps["fc1"] = (w["fc1.weight"] @ steps["s4"].flatten() + w["fc1.bias"]).relu()[None]
    steps["fc2"] = (w["fc2.weight"] @ steps["fc1"][0] + w["fc2.bias"]).relu()[None]
    steps["fc3"] = (w["fc3.weight"] @ steps["fc2"][0] + w["fc3.bias"])[None]
    return {
        name: value.detach() if name == "input" else value.detach()[0]
        for name, value in steps.items()
    }


def runs_in_browser(path):
    """Whether a notebook of this path runs in the browser; its other edition runs under nbval."""
    return path.parent.name == ("zh", "en")[int(path.name[:2]) % 2]


def picture_of(widget):
    """The picture in a notebook that is saved with it, as an array; None if there is none."""
    bundle, _ = DisplayFormatter().format(widget)
    assert "application/vnd.jupyter.widget-view+json" in bundle and json.dumps(bundle)
    if "image/png" in bundle:
        return np.asarray(
            Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")
        )


def moved_strokes(strokes, size, x, y):
    """Strokes scaled and moved in the unit square: longer side `size`, middle at (x, y)."""
    points = np.vstack(strokes)
    low, high = points.min(0), points.max(0)
    scale, middle = size / (high - low).max(), (low + high) / 2
    return [(np.array(stroke) - middle) * scale + (x, y) for stroke in strokes]


def on_page(element, strokes):
    """Strokes in the unit square as points on the page, where an element is."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    return [
        [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        for stroke in strokes
    ]


def draw(page, strokes):
    """Draws on a page's pad with the mouse."""
    for stroke in on_page(page.locator(".lh-pad-canvas"), strokes):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def touch(page, strokes):
    """A finger on the page; a stroke of one point is a tap."""
    finger, has_touch = (
        page.context.new_cdp_session(page),
        page.evaluate("navigator.maxTouchPoints"),
    )
    emulate = lambda on: finger.send("Emulation.setTouchEmulationEnabled", {"enabled": on})  # noqa: E731
    if not has_touch:
        emulate(True)
    for stroke in strokes:
        for kind, points in (
            ("Start", stroke[:1]),
            *(("Move", [p]) for p in stroke[1:]),
            ("End", []),
        ):
            at = [{"x": x, "y": y} for x, y in points]
            finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
    if not has_touch:
        page.wait_for_timeout(100)  # a tap becomes a click
        emulate(False)
    finger.detach()
