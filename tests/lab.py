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
from pathlib import Path

import nbformat

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
        self.page = browser.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{base}/lab?reset&token={token}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.isEmpty('main') === false", timeout=60_000
        )
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def ask(self, method, path, content):
        headers = {"Authorization": f"token {self.token}"}
        address = f"{self.base}/api/sessions{path}"
        return self.page.request.fetch(address, method=method, data=content, headers=headers).json()

    def start_kernel(self, path):
        """Starts a kernel for a notebook that is still to be opened; returns the session's id."""
        kernel = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        return self.ask("POST", "", kernel)["id"]

    def place(self, notebook):
        """Puts a notebook where JupyterLab finds it, with its kernel started; returns its path, and the session if it
        is to be ended."""
        if isinstance(notebook, Path):
            path = notebook.resolve().relative_to(PROJECT).as_posix()
            return path, self.start_kernel(path)
        path = f"test_{secrets.token_hex(3)}.ipynb"
        cells = [nbformat.v4.new_code_cell(source) for source in notebook]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        content = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(content, self.root / path)
        self.session = self.session or self.start_kernel(path)
        self.ask("PATCH", f"/{self.session}", {"path": path})
        return path, None

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
    where = ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    where += ["--no-browser", "--allow-root", f"--ServerApp.root_dir={root}"]
    command = [sys.executable, "-m", application, "--expose-app-in-browser", *where, *options]
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
    execute = (
        "([name, values]) => window.jupyterapp.commands.execute(name, values).then(() => null)"
    )

    def open_notebook(cells_or_path, run=True, theme="light", width=1280, height=1000, seconds=120):
        path, session = lab.place(cells_or_path)
        sessions.append(session)
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(2, 2)
        page.evaluate(CLOSE)
        page.evaluate(execute, ["docmanager:open", {"path": path}])
        page.wait_for_function(IDLE, timeout=60_000)
        page.evaluate(FOLLOW)
        look = {"theme": f"JupyterLab {theme.title()}"}
        page.evaluate(execute, ["apputils:change-theme", look])
        if run:
            run_all(page, seconds)
        return page

    try:
        yield open_notebook
    finally:
        errors = lab.errors[:]
        lab.close_notebooks()
        end = "window.jupyterapp.serviceManager.sessions.shutdown(id)"
        for session in filter(None, sessions):
            page.evaluate(f"id => {{ {end}; }}", session)  # nobody waits for it
    assert not errors, errors


def run_all(page, seconds=120):
    """Runs the notebook from top to bottom; fails for a cell that raises."""
    is_over = (
        page.evaluate(  # no looking at it meanwhile, which would have the page drawn all the time
            """seconds => Promise.race([
            window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true, () => true),
            new Promise(resolve => setTimeout(() => resolve(false), 1000 * seconds)),
        ])""",
            seconds,
        )
    )
    assert is_over, f"not done in {seconds} s"
    page.wait_for_function(IDLE)
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
        send(page, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
        page.locator(".jp-Dialog button").click()  # "The kernel appears to have died"


def send(page, code):
    """Sends code to the notebook's kernel, past the cells; `window.ended` once it is done."""
    page.evaluate(
        """code => {
        const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
        window.ended = false;
        kernel.requestExecute({code}).done.then(() => { window.ended = true; }, () => {});
    }""",
        code,
    )


@contextlib.contextmanager
def busy(page, folder, code=""):
    """The notebook's kernel is busy for as long: with this code, which must be ended, or with nothing."""
    over = folder / "over"
    loop = f"import os, time\nwhile not os.path.exists({str(over)!r}): time.sleep(0.05)"
    send(page, code or loop)
    page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    )
    try:
        yield
    finally:
        over.touch()


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
