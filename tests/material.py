"""What several test files work with: networks and drawings."""

import base64
import io
import json
import re

import numpy as np
import torch
from IPython.core.formatters import DisplayFormatter
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


def by_hand(model, image):
    """Each layer's activations, step by step, without the model's own pass."""
    w = dict(model.named_parameters())
    steps = {"input": image}
    steps["c1"] = F.conv2d(image, w["c1.weight"], w["c1.bias"], padding=2).relu()
    steps["s2"] = steps["c1"].unfold(1, 2, 2).unfold(2, 2, 2).amax((3, 4))
    steps["c3"] = F.conv2d(steps["s2"], w["c3.weight"], w["c3.bias"]).relu()
    steps["s4"] = steps["c3"].unfold(1, 2, 2).unfold(2, 2, 2).amax((3, 4))
    steps["fc1"] = (w["fc1.weight"] @ steps["s4"].flatten() + w["fc1.bias"]).relu()
    steps["fc2"] = (w["fc2.weight"] @ steps["fc1"] + w["fc2.bias"]).relu()
    steps["fc3"] = w["fc3.weight"] @ steps["fc2"] + w["fc3.bias"]
    return {name: value.detach() for name, value in steps.items()}


def rows_with_gradient(layers, n, cell):
    """The rows of many pictures n×n that have a gradient of a cell (row and column) of what layers make."""
    x = torch.rand(300, 1, n, n, requires_grad=True)
    gradient = torch.autograd.grad(layers(x)[:, :, cell, cell].sum(), x)[0]
    return (gradient != 0).any(0)[0].any(1).nonzero().flatten().tolist()


def decimals(text):
    """What is written in it with three decimals."""
    return [float(number) for number in re.findall(r"[-+]?\d+\.\d{3}", text.replace("−", "-"))]


def picture_of(widget):
    """The picture in a notebook that is saved with it, as an array; None if there is none."""
    bundle, _ = DisplayFormatter().format(widget)
    assert "application/vnd.jupyter.widget-view+json" in bundle and json.dumps(bundle)
    if "image/png" in bundle:
        png = io.BytesIO(base64.b64decode(bundle["image/png"]))
        return np.asarray(Image.open(png).convert("RGB"))


def moved_strokes(strokes, size, x, y):
    """Strokes scaled and moved in the unit square: longer side `size`, middle at (x, y)."""
    points = np.vstack(strokes)
    low, high = points.min(0), points.max(0)
    scale, middle = size / (high - low).max(), (low + high) / 2
    return [(np.array(stroke) - middle) * scale + (x, y) for stroke in strokes]


def on_page(element, strokes):
    """Strokes in the unit square as points on the page, where an element is."""
    element.scroll_into_view_if_needed()
    left, top, width, height = map(element.bounding_box().get, ("x", "y", "width", "height"))
    return [[(left + x * width, top + y * height) for x, y in stroke] for stroke in strokes]


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
    finger = page.context.new_cdp_session(page)
    has_touch = page.evaluate("navigator.maxTouchPoints")
    emulation = "Emulation.setTouchEmulationEnabled"
    has_touch or finger.send(emulation, {"enabled": True})
    for first, *others in strokes:
        for kind, points in ("Start", [first]), *(("Move", [p]) for p in others), ("End", []):
            at = [{"x": x, "y": y} for x, y in points]
            finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
    if not has_touch:
        page.wait_for_timeout(100)  # a tap becomes a click
        finger.send(emulation, {"enabled": False})
    finger.detach()
