"""One step downhill and softmax in a real JupyterLab: by mouse, keys and touch, and without Python."""

import ast
import math

import pytest
import torch
from lab import end_python, run_code
from material import fresh
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.widgets.widget import module

SETUP = """import lenet_helpers as lh, torch
lh.start("{}")
digits = lh.sklearn_digits()
torch.manual_seed(0)
model = lh.LeNet5()
model.fc3.bias.data[0] = 5
down = lh.downhill(model, digits.train)
down"""
SOFTMAX = """soft = lh.explore_softmax(torch.linspace(-4.25, 4.75, 10), 6)
soft"""
IMPORT = """async ([source, name, calls]) => {
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const call = (await import(url))[name];
    return calls.map(args => call(...args));
}"""


def ask(lab, file, name, calls):
    return lab.page.evaluate(IMPORT, [module(file), name, calls])


def text_of(root, selector):
    return root.locator(selector).inner_text().replace("−", "-").replace("\n", " ")


def value(page, expression):
    """What Python has, once it has all that the page sends."""
    return ast.literal_eval(run_code(page, f"print({expression})"))


def slide(page, slider, share):
    """Drags a slider's thumb to a share of its way."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 + (box["width"] - 16) * share, y, steps=4)
    page.mouse.up()


def tap(page, target):
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, points in (("touchStart", [point]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_timeout(100)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    touch.detach()


def count_cells(page):
    return page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")


def test_the_pages_numbers_are_torchs(lab, small):
    model, digit = fresh(), 3
    valley = lh.downhill(model, small.train, digit=digit).valley
    images, labels = (tensor[:500] for tensor in small.train.tensors)
    biases, losses, slopes = [-80, -6, -0.5, 0, 2, 6, 80], [], []
    for bias in biases:
        model.fc3.bias.data[digit] = bias
        model.zero_grad()
        loss = F.cross_entropy(model(images / 255), labels)
        loss.backward()  # what the lesson calls `.grad`
        losses.append(loss.item())
        slopes.append(model.fc3.bias.grad[digit].item())
    found = ask(lab, "downhill", "lossAt", [[valley, bias] for bias in biases])
    assert found == pytest.approx(losses, rel=1e-5)
    found = ask(lab, "downhill", "slopeAt", [[valley, bias] for bias in biases])
    assert found == pytest.approx(slopes, abs=1e-5)
    near = [[valley, bias + step] for bias in biases for step in (1e-4, -1e-4)]
    near = ask(lab, "downhill", "lossAt", near)
    rises = [(right - left) / 2e-4 for right, left in zip(near[::2], near[1::2])]
    assert found == pytest.approx(rises, abs=1e-7)  # finite differences

    scores = [torch.randn(10).double() * 10, torch.zeros(10), torch.tensor([900.0, 0, -900])]
    for each, answer in zip(scores, ask(lab, "softmax", "softmax", [[s.tolist()] for s in scores])):
        assert answer["shares"] == pytest.approx(each.softmax(0).tolist())
        assert answer["costs"] == pytest.approx((-each.log_softmax(0)).tolist())
    assert answer["costs"][1] == 900  # no infinity where a share is 0


def test_a_step_downhill_by_mouse_keys_and_touch(open_notebook):
    page = open_notebook([SETUP.format("en"), "down"])
    root = page.locator(".lh-down").first
    step, reset = root.get_by_role("button").all()
    weight, rate = root.get_by_role("slider").all()
    slope = value(page, "(down.loss(5.001) - down.loss(4.999)) / 0.002")
    assert text_of(root, ".lh-down-one output") == "5.000"
    assert text_of(root, ".lh-down-one p").endswith(f"5.000 - 1 × {slope:.3f} = {5 - slope:.3f}")
    step.click()
    assert value(page, "down.weights") == pytest.approx([5, 5 - slope], abs=1e-6)
    assert text_of(page.locator(".lh-down").last, ".lh-down-one output") == f"{5 - slope:.3f}"
    tap(page, step)
    assert len(value(page, "down.weights")) == 3
    assert text_of(root, ".lh-down-live") == text_of(root, ".lh-down-one p")

    reset.focus()
    page.keyboard.press("Enter")
    assert value(page, "down.weights") == [5]
    page.keyboard.type("dd")  # JupyterLab's keys for: delete the cell
    weight.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("dd")
    assert count_cells(page) == 2 and value(page, "down.weights") == [4.9]
    assert weight.get_attribute("aria-valuetext") == "4.900"
    rate.focus()
    page.keyboard.press("End")
    assert value(page, "down.learning_rate") == 70
    step.click()  # a leap out of the picture: no point stands for it, a word says where it is
    (left, far), lost = value(page, "down.weights"), text_of(root, ".lh-down-all p")
    assert text_of(root, ".lh-down-one .lh-down-out") == f"← to {far:.1f}"
    for part in ("one .lh-down-here", "one .lh-down-tangent", "all .lh-down-here"):
        assert not root.locator(f".lh-down-{part}").get_attribute("d"), part
    assert text_of(root, ".lh-down-all .lh-down-out").startswith("↑ to ")
    assert left == 4.9 and far < -50 and weight.evaluate("e => e.value") == "-10"
    assert f"to {value(page, 'down.losses[-1]'):.3f}" in lost or "e" in lost.split("to ")[1]
    slide(page, weight, 0.25)
    assert len(value(page, "down.weights")) == 1
    assert root.locator(".lh-down-one .lh-down-here").get_attribute("d")
    assert value(page, "down.weights[0]") == pytest.approx(-5, abs=0.3)
    run_code(page, "down.learning_rate = 0.5; down.weights = [-2.5]")
    page.wait_for_timeout(300)
    assert text_of(root, ".lh-down-one p").startswith(f"loss {value(page, 'down.loss(-2.5)'):.3f}")
    best = value(page, "min(zip(down.losses, down.rates))")
    assert f"best here is {best[1]:g} (loss {best[0]:.3f})" in text_of(root, ".lh-down-all p")
    ids = page.evaluate("[...document.querySelectorAll('.lh-down [id]')].length")
    assert ids == 0 and root.locator("svg").first.get_attribute("aria-label")


def test_softmax_by_mouse_keys_and_touch(open_notebook):
    page = open_notebook([SETUP.format("en"), SOFTMAX])
    root = page.locator(".lh-soft")
    equal, reset = root.get_by_role("button").all()
    sliders = root.get_by_role("slider").all()
    real = torch.linspace(-4.25, 4.75, 10)

    def check(scores):
        scores = torch.tensor(scores)
        shown = [row.split() for row in root.locator("tbody tr").all_inner_texts()]
        assert [row[-1] for row in shown] == [f"{100 * p:.1f}%" for p in scores.softmax(0).tolist()]
        loss = F.cross_entropy(scores, torch.tensor(6)).item()
        assert float(text_of(root, "figcaption").split("= ")[-1]) == pytest.approx(loss, abs=6e-4)
        assert value(page, "soft.scores") == pytest.approx(scores.tolist())

    assert len(sliders) == 10 and root.get_by_label("score of digit 6").count() == 1
    check(real.tolist())
    tap(page, equal)
    check([0.0] * 10)
    assert text_of(root, ".lh-soft-live").endswith(f"{math.log(10):.3f}")
    slide(page, sliders[2], 1)
    check([0.0, 0.0, 10.0] + [0.0] * 7)  # sure and wrong
    reset.click()
    check(real.tolist())  # to the digit, although sliders move in steps of 0.1
    sliders[6].focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.type("dd")
    assert count_cells(page) == 2 and value(page, "soft.scores[6]") > real[6]
    assert sliders[6].get_attribute("aria-valuetext").endswith("%")


def test_both_say_that_python_is_gone_and_go_on(open_notebook, lab):
    page = open_notebook([SETUP.format("en"), SOFTMAX])
    end_python(lab, "restart")
    for name, part in (("down", ".lh-down-one output"), ("soft", "figcaption")):
        note = page.locator(f".lh-{name}-gone", has_text="Python is gone")
        note.wait_for(timeout=10_000)
        root = page.locator(f".lh-{name}")
        before = text_of(root, part)
        root.get_by_role("button").first.click()
        assert text_of(root, part) != before
