"""Firefox and WebKitGTK as Debian has them, driven by what they speak: WebDriver BiDi, WebDriver."""

import contextlib
import glob
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request

from lab import free_port, until

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT = shutil.which("WebKitWebDriver")
MINI_BROWSER = next(iter(glob.glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")), None)
XVFB = shutil.which("xvfb-run")  # WebKitGTK needs a screen


@contextlib.contextmanager
def _process(*command, **env):
    """Runs a command with a home and a port of its own, HOME and PORT in it; gives the port."""
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [part.replace("HOME", home).replace("PORT", str(port)) for part in command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        env = {**os.environ, "HOME": home, **env}
        process = subprocess.Popen(command, env=env, start_new_session=True, **quiet)
        try:
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)  # xvfb-run's children, too
            process.wait(20)


@contextlib.contextmanager
def firefox(address):
    """Opens a page; gives `evaluate(expression)`, which returns a value made of JSON."""
    import websocket

    options = "--headless", "--no-remote", "--profile", "HOME", "--remote-debugging-port=PORT"
    with _process(FIREFOX, *options, "about:blank") as port:
        url = f"ws://127.0.0.1:{port}/session"
        bidi = until(lambda: websocket.create_connection(url, timeout=60, suppress_origin=True))
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
    env = {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
    with _process(XVFB, "-a", WEBKIT, "--port=PORT", **env) as port:

        def ask(method, path, **body):
            content = json.dumps(body).encode() if method == "POST" else None
            headers = {"Content-Type": "application/json"}
            url = f"http://127.0.0.1:{port}{path}"
            request = urllib.request.Request(url, content, headers, method=method)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())["value"]

        def evaluate(expression):
            script = f"return JSON.stringify({expression})"
            return json.loads(ask("POST", f"{session}/execute/sync", script=script, args=[]))

        until(lambda: ask("GET", "/status"))
        options = {"binary": MINI_BROWSER, "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        answer = ask("POST", "/session", capabilities={"alwaysMatch": wanted})
        session = f"/session/{answer['sessionId']}"
        try:
            ask("POST", f"{session}/url", url=address)
            yield evaluate
        finally:
            ask("DELETE", session)
