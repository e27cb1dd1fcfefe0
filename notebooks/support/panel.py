"""A training in the background, and the widget that shows it. Notebook 04."""

import contextlib
import html
import math
import os
import threading
import time

import ipywidgets as widgets
import torch
from IPython.display import display
from matplotlib.figure import Figure

from .images import png
from .texts import text


class _Stopped(Exception):
    pass


class TrainingRun:
    """A training in the background; as a cell's value, its panel. `train_in_background` makes it. Notebook 04.

    `model`, `epochs`; `history`: the `EpochResult`s so far; `running`; `error`: what ended it, or None.
    """

    def __init__(self, model, epochs, batches, start):
        """batches: how many an epoch has; start: on_batch -> the generator of EpochResults that is the training."""
        self.model, self.epochs, self.history, self.running, self.error = (
            model,
            epochs,
            [],
            True,
            None,
        )
        self._results, self._batches = start(self._on_batch), batches
        self._stop, self._done = threading.Event(), threading.Event()
        self._losses, self._recent = (
            [],
            [],
        )  # (epochs, mean loss) for the curve; the losses since its last point
        self._batch = self._first = (
            0  # batches of the whole run; of an earlier run that this one resumes
        )
        self._began, self._drawn = time.monotonic(), 0.0
        self._body = widgets.HTML()
        self._toggle = widgets.ToggleButton(description=text("stop"), icon="stop")
        self._toggle.observe(lambda change: self._stop.set(), "value")
        self.panel = widgets.VBox([self._body, self._toggle])
        self._draw()
        threading.Thread(target=self._work, daemon=True).start()

    def wait(self):
        """Returns `history` when the training has ended; raises what ended it, if anything did. An interrupt (Ctrl-C, the
        square button) ends the waiting, not the training."""
        while not self._done.wait(
            0.2
        ):  # not Thread.join: an interrupt in it leaves a broken state behind
            pass
        if self.error is not None:
            raise self.error
        return self.history

    def stop(self):
        """Ends the training after the batch at hand; returns when it has ended. The epochs finished stay as they are."""
        self._stop.set()
        self._done.wait()

    def _work(self):
        try:
            torch.set_num_threads(threads_beside_the_kernel())
            for result in self._results:
                self.history.append(result)
                self._draw()
        except _Stopped:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.running = False
            self._draw()  # before `wait` returns
            self._done.set()
            with contextlib.suppress(Exception):
                self._shown.update(self._bundle(), raw=True)

    def _on_batch(self, batch, loss):
        if self._stop.is_set():
            raise _Stopped
        self._batch = len(self.history) * self._batches + batch
        self._first = self._first or self._batch - 1
        self._recent.append(loss)
        if len(self._recent) * 200 >= self.epochs * self._batches:  # 200 points are a curve
            self._losses.append(
                (self._batch / self._batches, sum(self._recent) / len(self._recent))
            )
            self._recent = []
        if time.monotonic() - self._drawn > 0.25:
            self._draw()

    def _draw(self):
        """Writes the panel's text. Only widget values change: a print would land in whatever cell is running."""
        with contextlib.suppress(Exception):  # a fault in drawing must not end the training
            self._drawn = time.monotonic()
            self._body.value = _panel_html(
                self._status(),
                self.error,
                self._batch / self._batches / self.epochs,
                self._losses,
                self.history,
                self.epochs,
            )
            self._toggle.disabled = not self.running

    def _status(self):
        done = len(self.history)
        if self.running:
            here = self._batch - self._first
            left = here and (time.monotonic() - self._began) / here * (
                self.epochs * self._batches - self._batch
            )
            return text(
                "run_running",
                epoch=min(done + 1, self.epochs),
                epochs=self.epochs,
                left=f"{int(left) // 60}:{int(left) % 60:02d}" if here else "?",
                clock=time.strftime("%H:%M:%S"),
            )
        key = "run_failed" if self.error else "run_done" if done == self.epochs else "run_stopped"
        return text(key, done=done, epochs=self.epochs, clock=time.strftime("%H:%M:%S"))

    def _ipython_display_(self):
        self._shown = display(self._bundle(), raw=True, display_id=True)

    def _bundle(self):
        """The panel, and once there are epochs a PNG of the curves for a page without a kernel (a saved notebook): the
        output of the start cell is given anew when the training ends."""
        bundle = self.panel._repr_mimebundle_()
        if self.history:
            fig = Figure(figsize=(9, 2.6), layout="constrained")
            loss, accuracy = fig.subplots(1, 2)
            loss.semilogy(*zip(*self._losses), color="#3070b0")
            accuracy.plot(
                [r.epoch for r in self.history],
                [100 * r.accuracy for r in self.history],
                "o-",
                color="#c05a00",
            )
            for ax, title in ((loss, "training loss"), (accuracy, "test accuracy (%)")):
                ax.set(title=title, xlabel="epoch")
                ax.locator_params(axis="x", integer=True, min_n_ticks=1)
            bundle["image/png"] = png(fig)
        return bundle


def threads_beside_the_kernel():
    """A core stays free for the kernel, so that sliders and cells answer while a training runs."""
    return max(1, (os.cpu_count() or 1) - 1)


def _panel_html(status, error, fraction, losses, history, epochs):
    """The training panel: status, bar, two curves, the last line of the log. Built anew for each update (1 ms)."""
    width, height, left, gap = 300, 130, 58, 70

    def curve(x0, points, low, high, ticks, color, title):
        def at(x, y):
            return (
                x0 + width * x / epochs,
                24 + height * (1 - (min(max(y, low), high) - low) / (high - low)),
            )

        grid = "".join(
            f'<line x1="{x0}" x2="{x0 + width}" y1="{at(0, y)[1]:.0f}" y2="{at(0, y)[1]:.0f}" class="lh-grid"/>'
            f'<text x="{x0 - 6}" y="{at(0, y)[1] + 4:.0f}" text-anchor="end">{text}</text>'
            for y, text in ticks
        )
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        dots = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
            for x, y in (at(*point) for point in points[-1:])
        )
        axis = "".join(
            f'<text x="{at(e, low)[0]:.0f}" y="{height + 42}" text-anchor="middle">{e}</text>'
            for e in range(0, epochs + 1, max(1, epochs // 5))
        )
        return (
            f'<text x="{x0}" y="14">{title}</text>{grid}{axis}'
            f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>{dots}'
        )

    accuracies = [(result.epoch, result.accuracy) for result in history]
    floor = min([0.9, *(math.floor(accuracy * 10) / 10 for _, accuracy in accuracies)])
    charts = curve(
        left,
        [(x, math.log10(max(loss, 1e-9))) for x, loss in losses],
        -4,
        0.5,
        [(-y, f"{10**-y:g}") for y in range(5)],
        "#3070b0",
        text("run_loss"),
    ) + curve(
        left + width + gap,
        accuracies,
        floor,
        1.0,
        [(floor + (1 - floor) * k / 2, f"{floor + (1 - floor) * k / 2:.0%}") for k in range(3)],
        "#c05a00",
        text("run_accuracy"),
    )
    last = html.escape(str(history[-1])) if history else ""
    fault = (
        f'<pre class="lh-fault">{html.escape(f"{type(error).__name__}: {error}")}</pre>'
        if error
        else ""
    )
    return (
        f"<style>.lh-run {{font-size: 14px; line-height: 1.5; max-width: 740px}} .lh-run svg text {{font-size: 13px; "
        f"fill: var(--jp-content-font-color1, #222)}} .lh-grid {{stroke: var(--jp-border-color2, #ddd)}} "
        f".lh-bar {{height: 10px; background: var(--jp-border-color2, #ddd)}} .lh-bar div {{height: 10px; "
        f"background: #3070b0}} .lh-fault {{color: #cc3311; white-space: pre-wrap; margin: 4px 0}}</style>"
        f'<div class="lh-run"><b>{html.escape(status)}</b>'
        f'<div class="lh-bar" role="progressbar" aria-valuenow="{fraction:.0%}">'
        f'<div style="width: {fraction:.1%}"></div></div>{fault}'
        f'<svg width="{left + 2 * width + gap + 20}" height="{height + 48}" role="img" '
        f'aria-label="{text("run_loss")}, {text("run_accuracy")}">{charts}</svg><pre>{last}</pre></div>'
    )
