"""A training in the background, which its panel shows. Notebook 04."""

import atexit
import contextlib
import contextvars
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from IPython.display import display

from ..network.copies import copied, copy_back, first_convolution
from ..network.predictions import as_scores, predict_logits
from ..widgets.panel import TrainingPanel
from .plan import TrainingPlan


class _Stopped(Exception):
    pass


class TrainingRun:
    """A training in the background; as a cell's value, its panel. Notebook 04.

        run = lh.train_in_background(model, digits)
        run.wait()[-1].accuracy  # run.stop() ends it

    `model`, `epochs`; `history`: the `EpochResult`s so far; `first_layers`: copies of the first
    convolution, if there is one, at the start and after each of these epochs; `running`; `error`:
    what ended it, or None; `panel`: the `TrainingPanel`.
    """

    _latest, _starting = None, threading.Lock()  # here, where reloading the helper does not reach

    @classmethod
    def begin(cls, plan: TrainingPlan, training: Callable[..., Iterator[Any]]) -> "TrainingRun":
        """A new run, which ends the latest; or the latest, if it is still training that model."""
        with cls._starting:
            latest = cls._latest
            if latest is None or not latest.running or latest.model is not plan.model:
                plan.begin_files()
                if latest is not None:
                    latest.stop()
                cls._latest = cls(plan, training)
            return cls._latest

    def __init__(self, plan: TrainingPlan, training: Callable[..., Iterator[Any]]):
        """training: given the copy, `plan` and on_batch(batch, loss), gives `EpochResult`s."""
        self.model, self.epochs, self._plan = plan.model, plan.epochs, plan
        self.history, self.running, self.error = [], True, None
        self._twin, self._apart = copied(plan.model), ""  # and why the model is not as its twin
        self.first_layers, self._answers = [], []
        self._results = training(self._twin, plan, self._on_batch)
        self._stop, self._done, self._leaving = threading.Event(), threading.Event(), False
        self._losses, self._recent = [], []  # points of the curve; the losses since the last one
        self._batch = 0  # of the whole run
        self._began = self._reported = time.monotonic()
        self._shown = None
        self.panel = TrainingPanel(epochs=self.epochs)
        self.panel.show_digits(plan.watched)
        self._record()
        self._report()
        self.panel.on_msg(lambda panel, content, buffers: content.get("stop") and self._stop.set())
        atexit.register(self._leave)
        # what the thread sends then belongs to this cell, not to what was asked of Python last
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._work,), daemon=True).start()

    def wait(self) -> list:
        """Returns `history` at the training's end and prints the panel's note; raises what ended
        it, if anything did. An interrupt (the square button) ends the waiting, not the training."""
        while not self._done.wait(0.2):  # an interrupt in Thread.join leaves a broken state behind
            pass
        self._show_again()  # nbclient heeds only what comes from the running cell
        if self.error is not None:
            raise self.error
        if note := self._note():
            print(note)
        return self.history

    def stop(self) -> None:
        """Ends the training after the batch at hand; the epochs that are finished stay."""
        self._stop.set()
        self._done.wait()

    def _leave(self):
        """Python ends: the training must, before what it uses is taken apart."""
        self._leaving = True
        self.stop()

    def _work(self):
        try:
            torch.set_num_threads(threads_beside_the_kernel())
            for result in self._results:
                self._copy_back()
                self._record()
                self.history.append(result)
        except _Stopped:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.running = False
            self._report()
            self._show_again()
            atexit.unregister(self._leave)
            self._done.set()

    def _show_again(self):
        """A saved notebook then has the whole curves."""
        with contextlib.suppress(Exception):
            if self._shown and not self._leaving:
                self._shown.update(self.panel)

    def _record(self):
        """Keeps the first layer as it is now, and the probability of each watched label."""
        self.first_layers.append(first_convolution(self._twin))
        if watched := self._plan.watched:
            logits = predict_logits(self._twin, torch.stack([image for image, _ in watched]))
            rows = as_scores(logits).softmax(1).tolist()
            shares = (row[label] for row, (_, label) in zip(rows, watched))
            self._answers.append([share if math.isfinite(share) else None for share in shares])

    def _copy_back(self):
        """The model gets the weights of its twin, unless a cell gave it other layers."""
        try:
            copy_back(self._twin, self.model)
            self._apart = ""
        except Exception as error:
            self._apart = str(error)

    def _note(self):
        ended = self.history and not self.running  # a first epoch may be for warming up
        guess = self._plan.guess_note(self.history[-1]) if ended else ""
        return "\n".join(filter(None, (guess, self._apart)))

    def _on_batch(self, batch: int, loss: float):
        if self._stop.is_set():
            raise _Stopped
        self._batch = len(self.history) * self._plan.batches + batch
        self._recent.append(loss)
        if len(self._recent) * 200 >= self.epochs * self._plan.batches:  # 200 points are a curve
            mean = sum(self._recent) / len(self._recent)
            here = round(self._batch / self._plan.batches, 4)
            self._losses.append((here, mean if math.isfinite(mean) else None))
            self._recent = []
        if time.monotonic() - self._reported > 0.25:
            self._report()

    def _report(self):
        """Tells the panel. Only traits change: a print would land in whatever cell is running."""
        self._reported = time.monotonic()
        with contextlib.suppress(Exception), self.panel.hold_sync():  # training before drawing
            panel, seconds = self.panel, self._reported - self._began
            panel.state, panel.seconds = self._state(), seconds
            panel.fraction = done = self._batch / self._plan.batches / self.epochs
            panel.left = seconds / done * (1 - done) if done else None
            panel.losses = list(self._losses)
            panel.accuracies = [float(result.accuracy) for result in self.history]
            panel.show_kernels(self.first_layers)
            panel.answers = list(self._answers)
            panel.note = self._note()
            panel.log = str(self.history[-1]) if self.history else ""
            if self.error is not None:
                panel.error = f"{type(self.error).__name__}: {self.error}"

    def _state(self):
        if self._leaving:
            return "gone"
        if self.running:
            return "running"
        if self.error is not None:
            return "failed"
        return "done" if len(self.history) == self.epochs else "stopped"

    def _ipython_display_(self):
        self._shown = display(self.panel, display_id=self.panel.model_id)


def threads_beside_the_kernel() -> int:
    """A core stays free for the kernel, so that sliders and cells answer while a training runs."""
    return max(1, (os.cpu_count() or 1) - 1)
