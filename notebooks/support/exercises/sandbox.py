"""Where an answer is judged: a thread with a limit of time, the same for everyone."""

import contextlib
import contextvars
import copy
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


class Sandbox(io.TextIOBase):
    """A thread for a student's code, and its standard output. Whatever the session did before,
    numbers are float32, random numbers start anew, and it uses one thread (grad mode and
    the default device a new thread has of its own). Afterwards all is as it was, networks too."""

    SECONDS = 60  # what needs longer is taken for an endless loop
    PATIENCE = 5  # seconds; then it is said that the answer is still being tried

    def __init__(self):
        self.thread, self._stdout = None, sys.stdout
        self.began = math.inf  # the student's time
        self.call = ""  # of the student's function, which runs now
        self.printed = False  # whether the thread has printed
        self.given = ()  # networks and optimizers of the judging
        self.strangers = []  # others that the thread has used
        self._tensors, self._optimizers = {}, {}  # what these held before

    def start_clock(self):
        self.began = time.monotonic()

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """What judging imports, loads and computes first is not the student's time."""
        self.began = math.inf
        yield
        self.start_clock()

    def run(self, function: Callable, still_running: Callable):
        """What `function(self)` returns; it runs in a thread, with the caller's context. After
        PATIENCE seconds `still_running()` is called.

        Raises TimeoutError SECONDS after `began`, and passes on an interrupt; either ends it.
        """
        results, done, context = [], threading.Event(), contextvars.copy_context()

        def work():
            try:
                results.append(context.run(function, self))
            finally:
                done.set()

        self.thread = thread = threading.Thread(target=work, daemon=True)
        patience = time.monotonic() + self.PATIENCE
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
            leaving.callback(self._put_back)
            for register in register_module_forward_pre_hook, register_optimizer_step_pre_hook:
                leaving.enter_context(register(self._record))
            leaving.enter_context(contextlib.redirect_stdout(self))
            yield

    def _record(self, used, *_):
        """A hook: a network or optimizer is about to run."""
        if threading.current_thread() is not self.thread or used in self.given:
            return
        tensors = set(_tensors(used)).difference(*map(_tensors, self.given))
        for tensor in tensors - self._tensors.keys():
            self._tensors[tensor] = tensor.detach().clone(), copy.deepcopy(tensor.grad)
        if isinstance(used, Optimizer):
            self._optimizers.setdefault(used, copy.deepcopy(used.state_dict()))
        if tensors or isinstance(used, Optimizer):
            self.strangers.append(used)

    def _put_back(self):
        for tensor, (value, gradient) in self._tensors.items():
            if not torch.equal(tensor, value):
                tensor.data.copy_(value)
            tensor.grad = gradient
        for optimizer, state in self._optimizers.items():
            optimizer.load_state_dict(state)


def _tensors(used):
    """What a network holds, or an optimizer moves."""
    if isinstance(used, nn.Module):
        return [*used.parameters(), *used.buffers()]
    return [tensor for group in used.param_groups for tensor in group["params"]]
