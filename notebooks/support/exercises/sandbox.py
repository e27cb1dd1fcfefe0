"""Where an answer is judged: a thread with a limit of time, the same for everyone."""

import contextlib
import contextvars
import ctypes
import io
import math
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook


class Stranger(Exception):
    """Code is about to use a network or an optimizer, the argument, that was not given to it."""


class Sandbox(io.TextIOBase):
    """A thread for a student's code, and its standard output. Whatever the session did before,
    numbers are float32, random numbers start anew, and it uses one thread (grad mode and
    the default device a new thread has of its own). Afterwards all is as it was."""

    SECONDS = 60  # what needs longer is taken for an endless loop
    PATIENCE = 5  # seconds; then it is said that the answer is still being tried

    def __init__(self):
        self.thread, self._stdout = None, sys.stdout
        self.began = math.inf  # the student's time
        self.call = ""  # of the student's function, which runs now
        self.printed = False  # whether the thread has printed

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """What judging imports, loads and computes first is not the student's time."""
        self.began = math.inf
        yield
        self.began = time.monotonic()

    def run(self, function: Callable, still_running: Callable):
        """What `function(self)` returns; it runs in a thread, with the caller's context. Calls
        `still_running()` after PATIENCE seconds, raises TimeoutError SECONDS after `began`, and
        passes on an interrupt; the last two end it."""
        results, done, context = [], threading.Event(), contextvars.copy_context()

        def work():
            try:
                results.append(context.run(function, self))
            finally:
                done.set()

        self.thread = thread = threading.Thread(target=work, daemon=True)
        self.began = time.monotonic()
        patience = self.began + self.PATIENCE
        with self._same_for_everyone():
            try:
                thread.start()  # and wait in small parts: Windows interrupts no wait
                while not done.wait(0.1) and time.monotonic() < self.began + self.SECONDS:
                    if time.monotonic() > patience:
                        patience = math.inf
                        still_running()
                if not done.is_set():
                    raise TimeoutError
                return results[0]
            finally:
                if thread.is_alive() and not done.is_set():
                    ident, end = ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, end)
                    done.wait(0.5)

    def write(self, string: str) -> int:
        if threading.current_thread() is not self.thread:
            return self._stdout.write(string)
        self.printed = True
        return len(string)

    @contextlib.contextmanager
    def _same_for_everyone(self):
        """The session's settings and random numbers are set, and put back afterwards."""
        with contextlib.ExitStack() as leaving:
            for get, put, value in (
                (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
                (torch.get_num_threads, torch.set_num_threads, 1),
                (torch.get_rng_state, torch.set_rng_state, torch.Generator().get_state()),
                (np.random.get_state, np.random.set_state, np.random.RandomState(0).get_state()),
                (random.getstate, random.setstate, random.Random(0).getstate()),
            ):
                leaving.callback(put, get())
                put(value)
            leaving.enter_context(contextlib.redirect_stdout(self))
            yield


@contextlib.contextmanager
def only(model: nn.Module, *optimizers: Optimizer) -> Iterator[None]:
    """Raises Stranger before this thread runs another network or optimizer, so that a student's own
    stays as it is."""
    thread, own = threading.current_thread(), set(model.parameters())

    def refuse(used, *_):
        if threading.current_thread() is not thread or used in optimizers:
            return
        if isinstance(used, Optimizer) or set(used.parameters()) - own:
            raise Stranger(used)

    with register_module_forward_pre_hook(refuse), register_optimizer_step_pre_hook(refuse):
        yield
