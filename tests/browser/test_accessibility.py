"""Pages and widgets as axe-core sees them: no fault against WCAG 2.1, A and AA."""

import pytest
from lab import PROJECT, WIDGETS, open_widgets

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.ci

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
SHOW_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"


def check(page, within=None):
    results = axe.Axe().run(page, context=within, options=RULES)
    assert not results.violations_count, results.generate_report()
    assert results.response["passes"]


@pytest.mark.parametrize("language, width, colours", [("zh", 390, "light"), ("en", 1280, "dark")])
@pytest.mark.parametrize("name", ["00_demo", "worksheet"])
def test_pages(browser, language, name, width, colours):
    screen = {"width": width, "height": 900}
    page = browser.new_page(offline=True, color_scheme=colours, viewport=screen)
    page.goto((PROJECT / "notebooks" / language / f"{name}.html").as_uri())
    page.evaluate(SHOW_ALL)
    if name == "00_demo":
        page.locator(".lh-pad-guess").wait_for()
        page.locator('[data-sample="3"]').click()
    check(page)
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_widgets(open_notebook, theme):
    page = open_widgets(open_notebook, theme=theme)
    page.evaluate(SHOW_ALL)
    for place in WIDGETS:
        check(page, place)
