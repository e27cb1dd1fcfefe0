"""A call with a limit of time, whatever it does: a student's function in its own thread."""

import contextlib
import contextvars
import ctypes
import io
import sys
import threading
import time
from collections.abc import Callable

import torch


class StillRunning(Exception):
    """The call has not returned at its limit. `ended`: it does not go on, either."""

    def __init__(self, ended: bool):
        self.ended = ended


class Printed(io.TextIOBase):
    """A standard output that keeps one thread quiet; what others print goes where it went.

    `something`: whether that thread has printed.
    """

    def __init__(self, others: io.TextIOBase):
        self.thread, self.something, self._others = None, False, others

    def write(self, string: str) -> int:
        if threading.current_thread() is not self.thread:
            return self._others.write(string)
        self.something = True
        return len(string)

    def flush(self):
        self._others.flush()


def call_in_time(function: Callable, seconds: float):
    """What `function(printed)` returns; it runs in a thread of its own, with the caller's context
    and grad mode, and `printed` takes what it prints.

    Raises StillRunning after `seconds`, and passes on an interrupt (Ctrl-C, the square button);
    either ends `function`, if that can be done. `function` raises nothing. No thread can end a call
    into C that keeps Python's lock to itself, such as sum(range(10**12)).
    """
    results, done, context = [], threading.Event(), contextvars.copy_context()
    grad, printed = torch.is_grad_enabled(), Printed(sys.stdout)

    def work():
        try:
            torch.set_grad_enabled(grad)  # a thread has its own
            results.append(context.run(function, printed))
        finally:
            done.set()

    printed.thread = thread = threading.Thread(target=work, daemon=True)
    limit = time.monotonic() + seconds
    with contextlib.redirect_stdout(printed):
        try:
            thread.start()
            while not done.wait(0.1) and time.monotonic() < limit:  # Windows interrupts no wait
                pass
            in_time = done.is_set()
        finally:
            ended = done.is_set() or _end(thread, done)
    if not in_time:
        raise StillRunning(ended)
    return results[0]


def _end(thread, done):
    """Ends a thread, or puts it to sleep; whether it has come to that."""

    class Sleep(SystemExit):
        """Made in a thread that swallows exceptions: to make it takes for ever."""

        def __init__(self, *_):
            done.set()
            threading.Event().wait()

    for error in SystemExit, Sleep:  # a thread says nothing of a SystemExit
        if thread.is_alive() and not done.is_set():
            ident = ctypes.c_ulong(thread.ident)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(error))
            done.wait(0.5)
    return done.is_set()
