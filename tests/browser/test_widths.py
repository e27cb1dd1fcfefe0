"""Every widget at every width: nothing is cut, lies outside or over another part, and heights stay."""

import pytest
from lab import open_widgets, run_code

WIDTHS = (280, 390, 479, 480, 567, 820, 1280, 1900)
LOOK = """async ([selector, widths]) => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    const boxOf = element => element.getBoundingClientRect(), all = [...document.querySelectorAll(selector)];
    const meet = (p, q) => p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1;
    const look = root => {
        const room = boxOf(root), faults = [], text = document.createRange();
        const seen = [...root.querySelectorAll("*")].filter(each => each.getClientRects().length
            && !each.closest("svg, .lh-explorer canvas, [aria-live]") && getComputedStyle(each).visibility === "visible");
        for (const each of seen) {
            text.selectNodeContents(each);  // what is empty has no place
            if ([boxOf(each), ...each.textContent && !each.matches("select, option") ? [boxOf(text)] : []].some(box => box.left < room.left - 1 || box.right > room.right + 1
                || box.bottom > room.bottom + 1)) faults.push(["outside", each.outerHTML.slice(0, 80)]);
            if (each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible") {
                faults.push(["cut", each.outerHTML.slice(0, 80)]);
            }
        }
        const parts = seen.filter(each => each.matches("b:not(.lh-pad-guess b), button, canvas, figcaption, input, label, p, pre, span, td, th"))
            .map(each => [each, [...each.getClientRects()]]);  // a sentence may be broken in two
        for (const [i, [a, lines]] of parts.entries()) for (const [b, others] of parts.slice(i + 1)) {
            if (lines.some(p => others.some(q => meet(p, q))) && !a.contains(b) && !b.contains(a)) {
                faults.push(["overlap", a.outerHTML.slice(0, 80), b.outerHTML.slice(0, 80)]);
            }
        }
        const held = [...root.querySelectorAll("button, input, select, .lh-pad-canvas")].map(each => boxOf(each));
        return [faults, [room.height, ...held.flatMap(box => [box.left - room.left, box.top - room.top])].map(Math.round)];
    };
    const found = [];
    for (const width of widths) {
        let before, now;
        for (const root of all) root.parentElement.style.width = `${width}px`;
        do {  // until it is the same twice: values may still arrive
            await frame();
            [before, now] = [now, JSON.stringify(all.map(look))];
        } while (before !== now);
        found.push(...JSON.parse(now));
    }
    return found;
}"""
SETTINGS = [(6, 3, 1, 0, 1, "random"), (12, 7, 1, 4, 1, "blur"), (12, 7, 4, 4, 3, "random")]
SETTINGS += [(3, 7, 1, 0, 1, "blur"), (10, 7, 1, 3, 1, "own")]  # the first does not fit
SET = """one.n_in, one.kernel_size, one.stride, one.padding, one.dilation, one.preset = {}
if one.preset == 'own': one.kernel = torch.randn(7, 7) * 3"""
ARRIVED = """([n, preset]) => document.querySelector("[name=n_in]").value === n
    && document.querySelector("[name=preset]").value === preset"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_at_any_width_and_nothing_moves(open_notebook, language):
    page = open_widgets(open_notebook, language, width=2100)
    run_code(page, "run.wait(); torch.manual_seed(0)")

    def places(selector):
        """Height, and where the controls are, at each width; no fault at any."""
        looks = page.evaluate(LOOK, [selector, WIDTHS])
        assert looks and [faults for faults, _ in looks if faults] == [], selector
        return [held for _, held in looks]

    places(".lh-run")
    for root in (".lh-down", ".lh-soft"):
        before = places(root)
        first, *_, last = page.locator(root).get_by_role("slider").all()
        for slider in (first, last):  # nothing moves under it
            for key in ("Home", "End"):
                slider.press(key)
            assert places(root) == before
    empty, guess = places(".lh-pad"), page.locator(".lh-pad-guess")
    for control, state in ("[data-sample='1']", "visible"), (".lh-pad-clear", "hidden"):
        page.locator(control).click()
        guess.wait_for(state=state)
        assert places(".lh-pad") == empty
    seen = []
    for setting in SETTINGS:
        run_code(page, SET.format(setting))
        page.wait_for_function(ARRIVED, arg=[str(setting[0]), setting[-1]])
        seen.append(places(".lh-explorer"))
    assert all(each == seen[0] for each in seen)


WHOLE = """root => {
    root.scrollIntoView();
    const [seen, box] = [root.closest(".jp-WindowedPanel-outer"), root].map(each => each.getBoundingClientRect());
    return box.top >= seen.top && box.bottom <= seen.bottom;
}"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_projector_shows_the_whole_explorer(open_notebook, language):
    """At 1024x768, from the sliders to the hint."""
    start = f"import lenet_helpers as lh\nlh.start({language!r})"
    page = open_notebook([start, "lh.explore_convolution()"], width=1024, height=768)
    root = page.locator(".lh-explorer")
    root.locator("canvas").first.wait_for()
    page.wait_for_function(WHOLE, arg=root.element_handle())  # once it has fitted itself
