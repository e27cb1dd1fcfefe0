"""Python ends: every widget says so at once, and what needs no Python goes on."""

import pytest
from lab import end_python, open_widgets, run_code
from material import draw

# what a widget's last slider changes
SHOWN = {".lh-explorer": ".lh-formula", ".lh-down": ".lh-down-all output", ".lh-soft": "figcaption"}
SELDOM = [pytest.param(how, marks=pytest.mark.ci) for how in ("shutdown", "crash")]


@pytest.mark.parametrize("how", ["restart", *SELDOM])
def test_each_widget_says_that_python_is_gone_and_goes_on(open_notebook, lab, how):
    page = open_widgets(open_notebook, epochs=400)
    page.locator(".lh-run-accuracy .lh-run-line[d*=h0]").wait_for(state="attached")
    assert run_code(page, "print(run.running)") == "True\n"
    end_python(lab, how)
    for place in (".lh-run-note", ".lh-gone", ".lh-down-gone", ".lh-soft-gone", ".lh-pad-notice"):
        page.locator(place, has_text="Python is gone").first.wait_for()
    draw(page, [[(0.5, 0.2), (0.5, 0.8)]])
    page.wait_for_timeout(3000)  # a dying Python may still send; and no answer comes, however long
    assert "Python is gone" in page.locator(".lh-pad-notice").inner_text()
    assert page.locator(".lh-run-status").inner_text().startswith("Stopped")
    assert not page.locator(".lh-run-fault").inner_text()
    assert page.get_by_role("button", name="Stop").is_disabled()

    for place, shown in SHOWN.items():
        root = page.locator(place).first
        before = root.locator(shown).inner_text()
        root.get_by_role("slider").last.press("ArrowRight")
        arg = [root.locator(shown).element_handle(), before]
        page.wait_for_function("([element, text]) => element.innerText !== text", arg=arg)
