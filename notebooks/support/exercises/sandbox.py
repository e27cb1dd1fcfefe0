"""A student's call, judged: in a thread of its own, with a limit of time, the same for everyone."""

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
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

PATIENCE = 5  # seconds; then it is said that the call still runs


class StillRunning(Exception):
    """The call has not returned at its limit; the argument: whether it has been ended."""


class Room(io.TextIOBase):
    """Where `thread` is judged, the same for everyone: whatever the session did before, numbers are
    float32, random numbers start anew, and there is one thread (grad mode, inference mode and the
    default device a new thread has of its own). Left, all is as it was: so are the networks and
    optimizers that ran.

    As standard output it keeps that thread quiet; what others print goes where it went.
    """

    def __init__(self):
        self.thread, self._others = None, sys.stdout
        self.printed = False  # whether the thread has printed
        self.began = math.inf  # the student's time: when what judging needs is there
        self.given = ()  # networks and optimizers of the judging
        self.strangers = []  # others that the thread has used
        self._tensors, self._optimizers = {}, {}  # what these held before

    def write(self, string: str) -> int:
        if threading.current_thread() is not self.thread:
            return self._others.write(string)
        self.printed = True
        return len(string)

    def flush(self):
        self._others.flush()

    def furnish(self, leaving: contextlib.ExitStack):
        """Makes the room what it is; `leaving` undoes it."""
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
            leaving.enter_context(register(self._note))
        leaving.enter_context(contextlib.redirect_stdout(self))

    def _note(self, used, *_):
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
            with contextlib.suppress(RuntimeError):  # of what has no numbers
                if not torch.equal(tensor, value):
                    tensor.data.copy_(value)
                tensor.grad = gradient
        for optimizer, state in self._optimizers.items():
            optimizer.load_state_dict(state)


def _tensors(used):
    """What a network holds, or an optimizer moves."""
    if isinstance(used, nn.Module):
        return [t for t in (*used.parameters(), *used.buffers()) if not is_lazy(t)]
    return [tensor for group in used.param_groups for tensor in group["params"]]


def call_in_time(function: Callable, seconds: float, still_running: Callable):
    """What `function(room)` returns; it runs in a thread of its own, with the caller's context, in
    a Room. After PATIENCE seconds `still_running()` is called.

    Raises StillRunning `seconds` after `room.began`, and passes on an interrupt (Ctrl-C, the
    square button); either ends `function`, if that can be done. `function` raises nothing. No
    thread can end a call into C that keeps Python's lock to itself, such as sum(range(10**12)).
    """
    results, done, room = [], threading.Event(), Room()
    context = contextvars.copy_context()

    def work():
        try:
            results.append(context.run(function, room))
        finally:
            done.set()

    room.thread = thread = threading.Thread(target=work, daemon=True)
    patience = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as leaving:
        room.furnish(leaving)
        try:
            thread.start()  # and wait in small parts: Windows interrupts no wait
            while not done.wait(0.1) and time.monotonic() < room.began + seconds:
                if time.monotonic() > patience:
                    patience = math.inf
                    still_running()
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
