"""Python ends: every widget says so at once, and what needs no Python goes on."""

import pytest
from lab import end_python, run_code
from material import draw

CELLS = """import lenet_helpers as lh, torch
lh.start("en")
class Net(lh.LeNet5):  # needs a name of the notebook, which a kernel that shuts down takes away
    def forward(self, x):
        return super().forward(x) + torch.zeros(10)
digits = lh.sklearn_digits()
run = lh.train_in_background(Net(), digits, epochs=400)
run
---
lh.explore_convolution()
---
lh.downhill(lh.LeNet5(), digits.train)
---
lh.explore_softmax(torch.linspace(-4.25, 4.75, 10), 6)
---
lh.DrawPad(lh.LeNet5())"""
SHOWN = {  # what a slider changes
    ".lh-explorer": ".lh-formula",
    ".lh-down": ".lh-down-one output",
    ".lh-soft": "figcaption",
}


@pytest.mark.parametrize("how", ["restart", "shutdown", "crash"])
def test_each_widget_says_that_python_is_gone_and_goes_on(open_notebook, lab, how):
    page = open_notebook(CELLS.split("\n---\n"))
    page.locator(".lh-run-accuracy .lh-run-line[d*=h0]").wait_for(state="attached")
    assert run_code(page, "print(run.running)") == "True\n"
    end_python(lab, how)
    for place in (".lh-run-note", ".lh-gone", ".lh-down-gone", ".lh-soft-gone", ".lh-pad-notice"):
        page.locator(place, has_text="Python is gone").wait_for()
    page.wait_for_timeout(1000)  # what a dying Python may still send
    assert page.locator(".lh-run-status").inner_text().startswith("Stopped")
    assert not page.locator(".lh-run-fault").inner_text()
    assert page.get_by_role("button", name="Stop").is_disabled()

    for place, shown in SHOWN.items():
        root = page.locator(place)
        before = root.locator(shown).inner_text()
        root.get_by_role("slider").first.press("ArrowRight")
        arg = [root.locator(shown).element_handle(), before]
        page.wait_for_function("([element, text]) => element.innerText !== text", arg=arg)
    page.clock.install()
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    page.clock.run_for(3000)  # however long no answer comes
    assert "Python is gone" in page.locator(".lh-pad-notice").inner_text()
