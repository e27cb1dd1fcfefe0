"""A private JupyterLab in a real Chromium, for the tests in tests/browser and for benchmark.py."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
SETTINGS = {  # no news, no saving by itself, every cell in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
IDLE = """() => {
    const panel = window.jupyterapp?.shell.currentWidget, context = panel?.sessionContext;
    return Boolean(panel?.context?.isReady && context?.isReady && context.session?.kernel?.status === "idle");
}"""

# The widgets' messages that Python has not done with: they may have a channel of their own, which no cell waits for
FOLLOW = """() => {
    const underWay = window.underWay = new Set();
    window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.anyMessage.connect((_, {msg, direction}) => {
        const {header, parent_header, content} = msg;
        if (direction === "send" && header.msg_type === "comm_msg") underWay.add(header.msg_id);
        if (header.msg_type === "status" && content.execution_state === "idle") underWay.delete(parent_header.msg_id);
    });
}"""

CLOSE = """() => Promise.all([...window.jupyterapp.shell.widgets("main")].filter(panel => panel.context).map(panel => {
    panel.context.model.dirty = false;  // no question whether to save
    const closed = new Promise(resolve => panel.disposed.connect(() => resolve()));
    panel.close();
    return closed;
}))"""


class Lab:
    """A JupyterLab of its own, whose root is a copy of the project, in one page of a browser."""

    def __init__(self, root, base, token, browser):
        self.root, self.base, self.token, self.errors = root, base, token, []
        self.session = None  # of the notebooks that are no files of the project: one kernel, which has imported the helper
        self.helpers = ThreadPoolExecutor()  # for what need not be waited for
        self.page = browser.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{base}/lab?reset&token={token}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.isEmpty('main') === false", timeout=60_000
        )
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def ask(self, method, path, content=None):
        request = urllib.request.Request(
            f"{self.base}{path}",
            json.dumps(content).encode() if content else None,
            headers={"Authorization": f"token {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def start_kernel(self, path):
        """Starts a kernel for a notebook that is still to be opened; returns the session's id."""
        return self.ask(
            "POST",
            "/api/sessions",
            {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}},
        )["id"]

    def reload(self):
        """The page anew, with the notebook that is shown. (The old workspace would open it, too, and late.)"""
        path = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
        self.page.goto(f"{self.base}/lab/tree/{path}?reset")
        self.page.wait_for_function(IDLE, timeout=60_000)
        self.page.evaluate(FOLLOW)

    def close_notebooks(self):
        self.page.evaluate(CLOSE)
        self.page.wait_for_timeout(100)  # a cell that was still running complains
        self.errors.clear()


@contextlib.contextmanager
def chromium():
    """Gives playwright's browser; a process has one at a time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@contextlib.contextmanager
def server(folder, application="jupyterlab", *options):
    """Runs JupyterLab, or Notebook 7 ("notebook"), in an empty folder; gives its root, a copy of the
    project, its address and its token. Its kernels have the small data set and no network but this
    machine."""
    root = folder / "root"
    root.mkdir()
    for name in ("lenet_helpers.py", "requirements.txt"):
        shutil.copy(PROJECT / name, root)
    for name in ("notebooks", "img"):
        shutil.copytree(PROJECT / name, root / name)
    for name, value in SETTINGS.items():
        file = folder / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")
    page_config = folder / "config/labconfig/page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text('{"buildCheck": false}', encoding="utf-8")  # seconds of node
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token, base = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("LENET_DATA", "LENET_SAVE")
    }
    env |= dict(
        JUPYTER_TOKEN=token,
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
        JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"),
        no_proxy="localhost,127.0.0.1",
        **dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    )
    command = [
        sys.executable,
        "-m",
        application,
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--allow-root",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        "--expose-app-in-browser",
        *options,
    ]
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=root)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/api/status?token={token}", timeout=2).close()
                break
            time.sleep(0.2)
        else:
            raise RuntimeError(
                f"{application} did not start:\n" + log.read_text(errors="replace")[-2000:]
            )
        yield root, base, token
    finally:
        process.terminate()  # ends its kernels, too
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def private_lab(folder, browser=None):
    """Gives a `Lab` in an empty folder, in a browser of its own if none is given."""
    quiet = (
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    with contextlib.ExitStack() as stack:
        root, base, token = stack.enter_context(server(folder, "jupyterlab", *quiet))
        yield Lab(root, base, token, browser or stack.enter_context(chromium()))


@contextlib.contextmanager
def notebooks(lab):
    """Gives `open_notebook(cells_or_path, run=True, theme="light")` -> playwright's page, with that notebook alone, run
    from top to bottom.

    cells_or_path: a list of code cells (strings), written as a notebook at the root, where `import lenet_helpers` works,
    all such on one kernel; or the path of a notebook below the project, opened as the root's copy of it, on a kernel of
    its own, shut down at the end. Fails for a cell that raises and, at the end, for a JavaScript error in the page.
    """
    page, sessions = lab.page, []

    def open_notebook(cells_or_path, run=True, theme="light", width=1280, height=1000, seconds=120):
        if isinstance(cells_or_path, Path):
            path = cells_or_path.resolve().relative_to(PROJECT).as_posix()
            sessions.append(lab.start_kernel(path))
        else:
            path = f"test_{secrets.token_hex(3)}.ipynb"
            cells = [
                {
                    "cell_type": "code",
                    "id": f"c{i}",
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                    "source": source,
                }
                for i, source in enumerate(cells_or_path)
            ]
            kernel = {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            }
            (lab.root / path).write_text(
                json.dumps(
                    {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
                ),
                encoding="utf-8",
            )
            lab.session = lab.session or lab.start_kernel(path)
            lab.ask("PATCH", f"/api/sessions/{lab.session}", {"path": path})
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(2, 2)
        page.evaluate(CLOSE)
        page.evaluate(
            "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => null)",
            path,
        )
        page.wait_for_function(IDLE, timeout=60_000)
        page.evaluate(FOLLOW)
        page.evaluate(
            "dark => window.jupyterapp.commands.execute('apputils:change-theme', {theme: dark})",
            f"JupyterLab {theme.title()}",
        )
        if run:
            run_all(page, seconds)
        return page

    try:
        yield open_notebook
    finally:
        errors = lab.errors[:]
        lab.close_notebooks()
        for session in sessions:
            lab.helpers.submit(lab.ask, "DELETE", f"/api/sessions/{session}")
    assert not errors, errors


def run_all(page, seconds=120):
    """Runs the notebook from top to bottom; fails for a cell that raises."""
    page.evaluate("""() => { window.ran = false; window.jupyterapp.commands.execute('notebook:run-all-cells')
        .finally(() => { window.ran = true; }); }""")
    page.wait_for_function(f"() => window.ran && ({IDLE})()", timeout=1000 * seconds)
    failed = page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
        .flatMap(cell => cell.outputs ?? []).filter(output => output.output_type === "error")
        .map(output => `${output.ename}: ${output.evalue}`)""")
    assert not failed


def end_python(lab, how):
    """Ends the kernel of the notebook that is shown: how is "restart", "shutdown" or "crash"."""
    context, page = "window.jupyterapp.shell.currentWidget.sessionContext", lab.page
    if how == "restart":
        page.evaluate(f"() => {context}.session.kernel.restart()")
    elif how == "shutdown":
        page.evaluate(f"() => {context}.shutdown()")
        lab.session = None
    else:
        code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
        page.evaluate(
            f"code => {{ {context}.session.kernel.requestExecute({{code}}); }}",
            code,
        )
        page.locator(".jp-Dialog button").click()  # "The kernel appears to have died"


def run_code(page, code):
    """Runs code in the notebook's kernel, past the cells, once it has done with all that the widgets sent; returns what
    it prints."""
    return page.evaluate(
        """async code => {
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        const pause = () => new Promise(resolve => setTimeout(resolve, 20));
        await pause();
        for (let i = 0; i < 500 && window.underWay?.size; i++) await pause();
        const future = kernel.requestExecute({code}), texts = [];
        future.onIOPub = message => {
            if (message.header.msg_type === "stream") texts.push(message.content.text);
            if (message.header.msg_type === "error") texts.push(message.content.evalue);
        };
        await future.done;
        return texts.join("");
    }""",
        code,
    )
