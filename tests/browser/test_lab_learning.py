"""One step downhill and softmax in a real JupyterLab: by mouse, keys and touch."""

import ast
import math

import pytest
import torch
from lab import keys_stay_in, run_code
from material import on_page, touch
from torch.nn import functional as F

SETUP = """import lenet_helpers as lh, torch
lh.start("en")
torch.manual_seed(0)
model = lh.LeNet5()
model.fc3.bias.data[0] = 5
down = lh.downhill(model, lh.sklearn_digits().train)
down"""
SOFTMAX = """import lenet_helpers as lh, torch
soft = lh.explore_softmax(torch.linspace(-4.25, 4.75, 10), 6)
soft"""


def text_of(root, selector):
    return root.locator(selector).inner_text().replace("−", "-").replace("\n", " ")


def value(page, expression):
    """What Python has, once it has all that the page sends."""
    return ast.literal_eval(run_code(page, f"print({expression})"))


def slide(page, slider, share):
    """Drags a slider's thumb from its middle to a share of its way."""
    [[start, end]] = on_page(slider, [[(0.5, 0.5), (share, 0.5)]])
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def tap(page, target):
    touch(page, on_page(target, [[(0.5, 0.5)]]))


def test_a_step_downhill_by_mouse_keys_and_touch(open_notebook):
    page = open_notebook([SETUP, "down"])
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
    weight.focus()
    page.keyboard.press("ArrowLeft")
    assert value(page, "down.weights") == [4.9]
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
    assert value(page, "down.weights[0]") == pytest.approx(-5, abs=0.6)
    run_code(page, "down.learning_rate = 0.5; down.weights = [-2.5]")
    loss = f"loss {value(page, 'down.loss(-2.5)'):.3f}".replace("-", "−")
    root.locator(".lh-down-one p", has_text=loss).wait_for()
    best = value(page, "min(zip(down.losses, down.rates))")
    assert f"best here is {best[1]:g} (loss {best[0]:.3f})" in text_of(root, ".lh-down-all p")
    keys_stay_in(page, step, weight)


def test_softmax_by_mouse_keys_and_touch(open_notebook):
    page = open_notebook([SOFTMAX, "'another cell'"])
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
    assert value(page, "soft.scores[6]") > real[6]
    assert sliders[6].get_attribute("aria-valuetext").endswith("%")
    keys_stay_in(page, equal, sliders[6])
