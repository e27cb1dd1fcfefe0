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
NAMES = "chromium", "chromium-browser", "google-chrome", "chrome"
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
CONFIG = {  # no saving by itself, every cell in the page; no seconds of node
    "default_setting_overrides.json": {
        "@jupyterlab/apputils-extension:notification": NO_NEWS,
        "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    },
    "page_config.json": {"buildCheck": False},
}
IDLE = """() => {
    const panel = window.jupyterapp?.shell.currentWidget, context = panel?.sessionContext;
    return Boolean(panel?.context?.isReady && context?.isReady && context.session?.kernel?.status === "idle");
}"""

# For short, `notebook` and `kernel`; and the widgets' messages that Python has not done with: they may have a channel of
# their own, which no cell waits for
FOLLOW = """() => {
    const {content, sessionContext} = jupyterapp.shell.currentWidget, underWay = window.underWay = new Set();
    [window.notebook, window.kernel] = [content, sessionContext.session.kernel];
    kernel.anyMessage.connect((_, {msg, direction}) => {
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
        self.load("/lab")

    def load(self, address):
        """The page anew, without the side bar: it would take a fifth of a projector's width from what is measured. (And
        without the old workspace, which would open its notebooks, and late.)"""
        self.page.goto(f"{self.base}{address}?reset&token={self.token}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.isEmpty('main') === false", timeout=60_000
        )
        self.page.evaluate("() => jupyterapp.restored.then(() => jupyterapp.shell.collapseLeft())")

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
        """The page anew, with the notebook that is shown."""
        path = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
        self.load(f"/lab/tree/{path}")
        self.page.wait_for_function(IDLE, timeout=60_000)
        self.page.evaluate(FOLLOW)

    def close_notebooks(self):
        self.page.evaluate(CLOSE)
        self.page.wait_for_timeout(100)  # a cell that was still running complains
        self.errors.clear()


def runs_in_browser(path):
    """Whether a notebook of this path runs in the browser; its other edition runs under nbval."""
    return path.parent.name == ("zh", "en")[int(path.name[:2]) % 2]


@contextlib.contextmanager
def chromium():
    """Gives playwright's browser; a process has one at a time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def until(ask, seconds=60):
    """What `ask` gives once it gives something; it may raise an OSError meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if answer := ask():
                return answer
        time.sleep(0.2)
    raise TimeoutError


@contextlib.contextmanager
def server(folder, application="jupyterlab"):
    """Runs JupyterLab, or Notebook 7 ("notebook"), in an empty folder; gives its root, a copy of the
    project, its address and its token. Its kernels have the small data set and no network but this
    machine."""
    root, config, token = folder / "root", folder / "config", secrets.token_hex(16)
    for name in ("notebooks", "img"):
        shutil.copytree(PROJECT / name, root / name)
    for name in ("lenet_helpers.py", "requirements.txt"):
        shutil.copy(PROJECT / name, root)
    (config / "labconfig").mkdir(parents=True)
    for name, content in CONFIG.items():
        (config / "labconfig" / name).write_text(json.dumps(content), encoding="utf-8")
    kept = {name: os.environ[name] for name in os.environ.keys() - {"LENET_DATA", "LENET_SAVE"}}
    env = kept | dict(
        JUPYTER_TOKEN=token,
        JUPYTER_CONFIG_DIR=str(config),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
        JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"),
        no_proxy="localhost,127.0.0.1",
        **dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    )
    base = f"http://127.0.0.1:{(port := free_port())}"
    where = ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    where += ["--no-browser", "--allow-root", f"--ServerApp.root_dir={root}"]
    command = [sys.executable, "-m", application, "--expose-app-in-browser", *where]
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=root)
    try:
        until(lambda: urllib.request.urlopen(f"{base}/api/status?token={token}", timeout=2).read())
        yield root, base, token
    except TimeoutError as error:
        error.add_note(log.read_text(errors="replace")[-2000:])
        raise
    finally:
        process.terminate()  # ends its kernels, too
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def private_lab(folder, browser=None):
    """Gives a `Lab` in an empty folder, in a browser of its own if none is given."""
    with server(folder) as where, contextlib.ExitStack() as stack:
        yield Lab(*where, browser or stack.enter_context(chromium()))


@contextlib.contextmanager
def notebooks(lab):
    """Gives `open_notebook(cells_or_path, run=True, theme="light")` -> playwright's page, with that notebook alone, run
    from top to bottom.

    cells_or_path: a list of code cells (strings), written as a notebook at the root, where `import lenet_helpers` works,
    all such on one kernel; or the path of a notebook below the project, opened as the root's copy of it, on a kernel of
    its own, shut down at the end. Fails for a cell that raises and, at the end, for a JavaScript error in the page.
    """
    page, sessions = lab.page, []
    execute = "([name, values]) => jupyterapp.commands.execute(name, values).then(() => null)"

    def open_notebook(cells_or_path, run=True, theme="light", width=1280, height=1000, seconds=120):
        path, session = lab.place(cells_or_path)
        sessions.append(session)
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(2, 2)
        page.evaluate(CLOSE)
        page.evaluate(execute, ["docmanager:open", {"path": path}])
        page.wait_for_function(IDLE, timeout=60_000)
        page.evaluate(FOLLOW)
        page.evaluate(execute, ["apputils:change-theme", {"theme": f"JupyterLab {theme.title()}"}])
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
    run = """seconds => Promise.race([  // nobody looks meanwhile, which would have the page drawn all the time
        jupyterapp.commands.execute("notebook:run-all-cells").then(() => true, () => true),
        new Promise(resolve => setTimeout(() => resolve(false), 1000 * seconds)),
    ])"""
    assert page.evaluate(run, seconds), f"not done in {seconds} s"
    page.wait_for_function(IDLE)
    outputs = [output for cell in cells(page) for output in cell.get("outputs", [])]
    assert not [each["evalue"] for each in outputs if each["output_type"] == "error"]


def cells(page):
    """The notebook's, as it would be saved."""
    return page.evaluate("notebook.model.toJSON().cells")


def keys_stay_in(page, *controls):
    """No key that is pressed on a control, None: where the focus is, reaches the notebook: `d d` would delete a cell."""
    look = "[notebook.model.toJSON().cells.map(cell => [cell.cell_type, cell.source]), notebook.activeCellIndex]"
    for control in controls:
        if control:
            control.focus()  # which makes its cell the active one
        before = page.evaluate(look)
        for key in ("d", "d", "x", "a", "b", "m", "ArrowDown", "ArrowUp", "Escape"):
            page.keyboard.press(key)
        assert page.evaluate(look) == before, control


WIDGETS = {  # its place in the page: the cell
    ".lh-run": """class Net(lh.LeNet5):  # needs a name of the notebook, which a kernel that shuts down takes away
    def forward(self, x):
        return super().forward(x) + torch.zeros(10)
run = lh.train_in_background(Net(), digits, epochs=EPOCHS)
run""",
    ".lh-explorer": "one = lh.explore_convolution()\none",
    ".lh-picture": "lh.explore_kernels(torch.rand(40, 40) - 0.5)",
    ".lh-down": "lh.downhill(Net(), digits.train)",
    ".lh-soft": "lh.explore_softmax(torch.linspace(-4.25, 4.75, 10), 6)",
    ".lh-pad": "lh.DrawPad({'100 epochs': Net(), 'my own': lh.LeNet5()})",
}


def open_widgets(open_notebook, language="en", epochs=2, **look):
    """A notebook with every widget."""
    setup = "import lenet_helpers as lh, torch\nlh.start({!r})\ndigits = lh.sklearn_digits()"
    cells = [cell.replace("EPOCHS", str(epochs)) for cell in WIDGETS.values()]
    page = open_notebook([setup.format(language), *cells], **look)
    for place in WIDGETS:
        page.locator(place).first.wait_for()
    return page


def end_python(lab, how):
    """Ends the kernel of the notebook that is shown: how is "restart", "shutdown" or "crash"."""
    page = lab.page
    if how == "restart":
        page.evaluate("kernel.restart()")
    elif how == "shutdown":
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        lab.session = None
    else:
        send(page, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
        page.locator(".jp-Dialog button").click()  # "The kernel appears to have died"


def send(page, code):
    """Sends code to the notebook's kernel, past the cells; `window.ended` once it is done."""
    execute = "kernel.requestExecute({code}).done.then(() => { window.ended = true; }, () => {})"
    page.evaluate(f"code => {{ window.ended = false; {execute}; }}", code)


@contextlib.contextmanager
def busy(page, folder, code=""):
    """The notebook's kernel is busy for as long: with this code, which must be ended, or with nothing."""
    over = folder / "over"
    loop = f"import os, time\nwhile not os.path.exists({str(over)!r}): time.sleep(0.05)"
    send(page, code or loop)
    page.wait_for_function("kernel.status === 'busy'")
    try:
        yield
    finally:
        over.touch()


def run_code(page, code):
    """Runs code in the notebook's kernel, past the cells, once it has done with all that the widgets sent; returns what
    it prints."""
    return page.evaluate(
        """async code => {
        const pause = () => new Promise(resolve => setTimeout(resolve, 20));
        await pause();
        for (let i = 0; i < 500 && underWay.size; i++) await pause();
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
