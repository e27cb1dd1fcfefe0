"""Firefox and WebKitGTK as Debian has them, driven by what they speak: WebDriver BiDi, WebDriver."""

import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT = shutil.which("WebKitWebDriver")
MINI_BROWSER = next(iter(glob.glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")), None)
XVFB = shutil.which("xvfb-run")  # WebKitGTK needs a screen


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def _process(command, **env):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        env = {**os.environ, "HOME": home, **env}
        command = [part.replace("HOME", home) for part in command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env=env, start_new_session=True, **quiet)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)  # xvfb-run's children, too
            process.wait(20)


def _until(connect, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def firefox(address):
    """Opens a page; gives `evaluate(expression)`, which returns a value made of JSON."""
    import websocket

    port = _free_port()
    options = ["--headless", "--no-remote", "--profile", "HOME"]
    with _process([FIREFOX, *options, f"--remote-debugging-port={port}", "about:blank"]):
        url = f"ws://127.0.0.1:{port}/session"
        bidi = _until(lambda: websocket.create_connection(url, timeout=60, suppress_origin=True))
        numbers = iter(range(1, 1000))

        def ask(method, **params):
            number = next(numbers)
            bidi.send(json.dumps({"id": number, "method": method, "params": params}))
            while (message := json.loads(bidi.recv())).get("id") != number:
                pass
            assert message["type"] == "success", message
            return message["result"]

        def evaluate(expression):
            text = f"(async () => JSON.stringify(await ({expression})))()"
            target = {"context": context}
            result = ask("script.evaluate", expression=text, target=target, awaitPromise=True)
            assert result["type"] == "success", result
            return json.loads(result["result"]["value"])

        ask("session.new", capabilities={})
        context = ask("browsingContext.getTree")["contexts"][0]["context"]
        ask("browsingContext.navigate", context=context, url=address, wait="complete")
        yield evaluate


@contextlib.contextmanager
def webkit(address):
    """The same in WebKitGTK's MiniBrowser."""
    port = _free_port()
    env = {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}

    def ask(method, path, **body):
        content = json.dumps(body).encode() if method == "POST" else None
        headers = {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{port}{path}"
        request = urllib.request.Request(url, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]

    with _process([XVFB, "-a", WEBKIT, f"--port={port}"], **env):
        _until(lambda: ask("GET", "/status"))
        options = {"binary": MINI_BROWSER, "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        session = ask("POST", "/session", capabilities={"alwaysMatch": wanted})["sessionId"]
        try:
            ask("POST", f"/session/{session}/url", url=address)
            yield lambda expression: json.loads(
                ask(
                    "POST",
                    f"/session/{session}/execute/sync",
                    script=f"return JSON.stringify({expression})",
                    args=[],
                )
            )
        finally:
            ask("DELETE", f"/session/{session}")
