"""00_demo.html beside the pad in JupyterLab: part `page` of benchmark.py. Chromium is needed."""

import statistics
import tempfile
import time
from pathlib import Path

import torch
from benchmark_draw_pad import pen_up_to_answer
from lab import PROJECT, chromium, notebooks, private_lab
from test_lab_draw_pad import CELL

import lenet_helpers as lh

READY = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"  # the script has run
PAGE = (PROJECT / "notebooks" / "en" / "00_demo.html").as_uri()
FOLLOW_TASKS = """() => {
    window.lhTasks = [];
    new PerformanceObserver(list => lhTasks.push(...list.getEntries().map(e => e.duration)))
        .observe({ type: "longtask" });
}"""


def learn_in_page(browser, slower=1):
    """Pictures a second, longest task (ms; 0: none above 50) and their number, while LeNet-5
    learns in the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(PAGE)
    page.wait_for_timeout(1000 * slower)
    page.evaluate(FOLLOW_TASKS)
    page.locator("[data-learn]").click()
    page.locator("#learn[data-done]").wait_for(timeout=600_000)
    rate = float(page.locator("#learn").get_attribute("data-rate"))
    tasks = page.evaluate("lhTasks")
    page.close()
    return rate, max(tasks, default=0), len(tasks)


def learn_in_torch():
    """Pictures a second on one thread, the same data and recipe: the second of two epochs."""
    torch.set_num_threads(1)
    digits, model = lh.sklearn_digits(), lh.LeNet5()
    optimizer = torch.optim.SGD(model.parameters(), 0.005, momentum=0.9)
    loader = lh.digit_loader(digits.train, 16, shuffle=True)
    for _ in range(2):
        started = time.perf_counter()
        lh.train_epoch(model, loader, optimizer)
    return len(digits.train) / (time.perf_counter() - started)


def learning():
    """{what: pictures a second, milliseconds or a number}, in the page beside torch."""
    with chromium() as browser:
        rate, task, tasks = learn_in_page(browser)
        beside = learn_in_torch()
        slow_rate, slow_task, slow_tasks = learn_in_page(browser, 6)
    return {
        "learning in the page (pictures/s)": rate,
        "the same in torch, one thread (pictures/s)": beside,
        "page / torch": rate / beside,
        "longest task meanwhile, 0 if none over 50 (ms)": task,
        "tasks over 50 ms": tasks,
        "learning, Chromium slowed 6 times (pictures/s)": slow_rate,
        "its longest task (ms)": slow_task,
        "its tasks over 50 ms": slow_tasks,
    }


def measure():
    """{what: milliseconds, the median of 20, of 5 for opening}, and the ratio; then learning."""
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        private_lab(Path(folder), browser) as lab,
    ):
        page, opened = browser.new_page(viewport={"width": 1280, "height": 1000}), []
        for _ in range(5):
            page.goto(PAGE)
            page.wait_for_timeout(500)
            opened.append(page.evaluate(READY))
        without_python = statistics.median(pen_up_to_answer(page))
        page.close()
        with notebooks(lab) as open_notebook:
            page = open_notebook([CELL.replace("{}", "network()")])
            page.locator(".lh-pad").scroll_into_view_if_needed()
            with_python = statistics.median(pen_up_to_answer(page))
    return {
        "open to ready (ms)": statistics.median(opened),
        "pen up to new guess and maps, in the page (ms)": without_python,
        "the same in JupyterLab (ms)": with_python,
        "JupyterLab / page": with_python / without_python,
    } | learning()
