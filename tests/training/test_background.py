"""Training in the background: what ends it, what does not, and what its panel is told."""

import base64
import importlib
import io
import json
import math
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest
import torch
from material import fresh, weights
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support.files import PROJECT
from notebooks.support.training import run as training_run
from notebooks.support.widgets import panel


@pytest.fixture(autouse=True)
def ended():
    """No training outlives its test."""
    yield
    if run := lh.TrainingRun._latest:  # the others have been ended by the next
        run.stop()


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_it_is_the_same_training(small, capsys):
    torch.set_num_threads(training_run.threads_beside_the_kernel())
    here, behind = fresh(), fresh()
    start = behind.c1.weight.detach().clone()
    history = lh.train(here, small, epochs=2, seed=1)
    capsys.readouterr()
    run = lh.train_in_background(behind, small, epochs=2, seed=1)
    assert run.running and run.model is behind
    assert run.wait() is run.history and not run.running and run.error is None
    assert [r[:3] for r in run.history] == [r[:3] for r in history]
    assert torch.equal(weights(here), weights(behind))
    first, between, last = (layer.weight for layer in run.first_layers)  # start, two epochs
    assert torch.equal(first, start) and torch.equal(last, behind.c1.weight)
    assert not torch.equal(between, first) and not torch.equal(between, last)
    assert capsys.readouterr() == ("", "")  # nothing lands in another cell
    shown = run.panel
    assert (shown.state, shown.epochs, shown.fraction, shown.left) == ("done", 2, 1, 0)
    assert shown.accuracies == [r.accuracy for r in history] and shown.log == str(history[-1])
    assert len(shown.losses) == 90 and shown.losses[-1][0] == 2  # every batch of so few
    mean = sum(loss for _, loss in shown.losses[:45]) / 45  # its last batch has 29 pictures, not 32
    assert mean == pytest.approx(history[0].loss, abs=0.02)


def test_start_returns_at_once_and_something_moves_before_the_first_epoch_ends(small):
    run = lh.train_in_background(fresh(), small, epochs=20, batch_size=4)
    assert run.running and (run.panel.fraction, run.panel.left) == (0, None)
    until(lambda: run.panel.losses)
    assert run.panel.losses[0][0] < 1  # in epochs
    assert 0 < run.panel.fraction < 1 and run.panel.left > 0


def test_the_panel_is_told_of_200_points_at_most(small):
    few = small._replace(train=TensorDataset(*(part[:64] for part in small.train.tensors)))
    told = []
    run = lh.train_in_background(fresh(), few, epochs=300)
    run.panel.observe(told.append, "seconds")
    run.wait()
    assert 150 <= len(run.panel.losses) <= 200 and len(told) < len(run.panel.accuracies) == 300


class InColour(lh.LeNet5):
    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(3, 6, 5, padding=2)

    def forward(self, x):
        return super().forward(x.expand(-1, 3, -1, -1))


def without_convolution():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))


@pytest.mark.parametrize("make", [fresh, InColour, without_convolution])
def test_the_panel_is_told_the_kernels_and_what_the_network_makes_of_ones_digit(small, make):
    """After each epoch and before the first; of a first layer without kernels of one channel none."""
    image, label = small.test[4]
    model = make()
    run = lh.train_in_background(model, small, epochs=2, watch=[(image, int(label))])
    assert run.wait() and run.panel.watched == [
        dict(label=int(label), image=bytes(image.flatten()))
    ]
    with torch.no_grad():
        last = model(image[None] / 255).softmax(1)[0, label].item()
    assert len(run.panel.answers) == 3 and run.panel.answers[-1][0] == pytest.approx(last, abs=1e-5)
    if make is not fresh:
        assert run.panel.kernels == {} and run.panel.figure()
        return
    values = torch.frombuffer(bytearray(run.panel.kernels["values"]), dtype=torch.float32)
    weights = torch.stack([layer.weight for layer in run.first_layers])
    assert torch.equal(values.view(3, 6, 5, 5), weights[:, :, 0])


class Faulty(lh.LeNet5):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        if self.calls == 5:
            raise RuntimeError("mat1 and mat2 <shapes> cannot be multiplied")
        return super().forward(x)


def test_a_fault_in_the_model_reaches_wait_and_panel(small):
    run = lh.train_in_background(Faulty(), small, epochs=2)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        run.wait()
    assert not run.running and isinstance(run.error, RuntimeError)
    assert run.panel.state == "failed"
    assert run.panel.error == "RuntimeError: mat1 and mat2 <shapes> cannot be multiplied"


class Diverging(lh.LeNet5):
    def forward(self, x):
        return super().forward(x) * float("nan")


def test_a_loss_that_is_no_number_reaches_the_page_as_a_gap(small):
    run = lh.train_in_background(Diverging(), small, epochs=1, watch=small.test)
    assert math.isnan(run.wait()[0].loss)
    assert {loss for _, loss in run.panel.losses} == {None} and run.panel.answers == [
        [None] * 3
    ] * 2
    state = run.panel.get_state()  # its bytes go apart
    json.dumps(
        state, allow_nan=False, default=bytes.hex
    )  # else the page would get no message at all
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would land in another cell
        assert "image/png" in run.panel._repr_mimebundle_()[0]


class Dead(lh.LeNet5):
    def forward(self, x):
        return F.relu(super().forward(x) - 100)


def all_zero():
    model = fresh()
    for p in model.parameters():
        torch.nn.init.zeros_(p)
    return model


@pytest.mark.parametrize("make, loss", [(Diverging, "nan"), (Dead, "2.303"), (all_zero, "2.30")])
def test_a_network_that_only_guesses_is_not_finished_without_a_word(small, capsys, make, loss):
    """By `train` and by `wait` in a line, and in the panel."""
    lh.train(make(), small, epochs=1)
    run = lh.train_in_background(make(), small, epochs=1)
    run.wait()
    said = capsys.readouterr().out.splitlines()
    notes = [line for line in said if "only guesses" in line]
    assert notes == [run.panel.note] * 2 and f"loss {loss}" in notes[0]


def test_the_model_gets_each_epochs_weights(small, tmp_path):
    """And keeps its own type, mode and gradients; what a cell is about to do with it still works."""
    model, path = fresh(), tmp_path / "w.pt"
    run = lh.train_in_background(model, small, epochs=500, save=path)
    until(lambda: run.history)
    model.double().eval()
    model.c1.requires_grad_(False)
    loss = model(small.test.tensors[0].double() / 255).sum()
    done = len(run.history)
    until(lambda: len(run.history) > done)
    loss.backward()
    run.stop()
    assert torch.equal(weights(model).float(), weights(lh.load_weights(fresh(), path)))
    assert not model.training and not model.c1.weight.requires_grad and model.fc1.weight.grad.any()
    assert run.panel.note == "" and run.error is None


def test_a_model_with_other_layers_is_left_alone_with_a_line(small, tmp_path, capsys):
    model, path = fresh(), tmp_path / "w.pt"
    run = lh.train_in_background(model, small, epochs=3, save=path)
    model.fc3 = torch.nn.Linear(84, 5)
    before = model.fc3.weight.clone()
    assert len(run.wait()) == 3
    out = capsys.readouterr().out
    assert out == run.panel.note + "\n"
    assert "fc3.weight: model has (5, 84), the training (10, 84)" in out
    assert torch.equal(before, model.fc3.weight) and run.panel.state == "done"
    saved = lh.load_weights(fresh(), path)
    assert lh.evaluate(saved, small.test).accuracy == run.history[-1].accuracy


def test_a_forward_that_uses_another_model_is_told(small):
    """A copy would train nothing, and end at 10% without a word."""

    class Global(lh.LeNet5):
        def forward(self, x):
            return other(x)

    other = fresh()
    for start in (lh.train, lambda *args, **kw: lh.train_in_background(*args, **kw).wait()):
        with pytest.raises(ValueError, match="where it should say self"):
            start(Global(), small, epochs=1)


def test_of_four_starts_at_once_one_run_is_left(small):
    models = [fresh() for _ in range(4)]
    runs = [None] * 8

    def start(i):
        runs[i] = lh.train_in_background(models[i % 4], small, epochs=500)

    for first in (0, 4):
        threads = [threading.Thread(target=start, args=[i]) for i in range(first, first + 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(run.running for run in runs[first : first + 4]) == 1


def test_the_same_model_still_in_training_shows_the_running_run(small):
    model = fresh()
    first = lh.train_in_background(model, small, epochs=500)
    until(lambda: first.history)
    assert lh.train_in_background(model, small, epochs=500) is first and first.running
    first.stop()
    second = lh.train_in_background(model, small, epochs=1)
    assert second is not first and len(second.wait()) == 1


def test_a_reloaded_helper_knows_the_run(small, tmp_path):
    model, before = fresh(), dict(vars(lh))
    first = lh.train_in_background(model, small, epochs=500, save=tmp_path / "w.pt")
    try:
        importlib.reload(lh)
        assert lh.train_in_background(model, small, epochs=500) is first and first.running
        second = lh.train_in_background(fresh(1), small, epochs=1, save=tmp_path / "w.pt")
        assert not first.running and len(second.wait()) == 1
    finally:
        vars(lh).update(before)  # its classes, for the tests that follow


MISTAKES = dict(epochs=0), dict(epoch=5), dict(model=lh.LeNet5), dict(save=PROJECT), dict(seed="7")
MISTAKES += dict(watch=torch.zeros(1, 28, 28)), dict(watch=[(torch.zeros(1, 28, 28), 10)])


def test_a_mistaken_second_start_leaves_the_first_alone(small):
    first = lh.train_in_background(fresh(), small, epochs=500)
    for mistake in MISTAKES:
        with pytest.raises((ValueError, TypeError, OSError)):
            lh.train_in_background(**{"model": fresh(), "digits": small, **mistake})
        assert first.running and first.error is None


def test_stop_is_soon_and_keeps_what_is_done(small, tmp_path):
    run = lh.train_in_background(fresh(), small, epochs=500, save=tmp_path / "w.pt")
    until(lambda: run.history)
    run.stop()
    assert not run.running and 1 <= len(run.history) < 20 and run.panel.state == "stopped"
    assert run.wait() == run.history and (tmp_path / "w.pt").is_file()
    run.stop()  # once more does no harm


@pytest.fixture
def interruptible():
    """SIGINT interrupts, as in a kernel; a shell's background job, as CI may be, is started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_waiting_only(small, interruptible):
    run = lh.train_in_background(fresh(), small, epochs=500)
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        run.wait()
    assert run.running
    done = len(run.history)
    until(lambda: len(run.history) > done)
    threading.Timer(0.3, run.stop).start()
    assert run.wait() == run.history


@pytest.mark.parametrize("part", ["hold_sync", "figure"])
def test_a_fault_in_drawing_does_not_end_it(small, monkeypatch, part):
    monkeypatch.setattr(panel.TrainingPanel, part, lambda self: 1 / 0)
    run = lh.train_in_background(fresh(), small, epochs=1)
    assert len(run.wait()) == 1 and run.error is None
    assert "application/vnd.jupyter.widget-view+json" in run.panel._repr_mimebundle_()[0]


def test_threads_of_the_caller_stay_as_they_are(small):
    torch.set_num_threads(2)
    lh.train_in_background(fresh(), small, epochs=1).wait()
    assert torch.get_num_threads() == 2


def test_without_its_widget_the_panel_has_a_picture_once_there_are_curves(small):
    run = lh.train_in_background(fresh(), small, epochs=1)
    assert "image/png" not in panel.TrainingPanel()._repr_mimebundle_()[0]
    run.wait()
    shown = run.panel._repr_mimebundle_()[0]
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    assert picture.width > 2 * picture.height and "type run in" in shown["text/plain"]


ENDS = """
import time, torch
import lenet_helpers as lh
class Net(lh.LeNet5):
    def forward(self, x):
        return super().forward(x) + torch.zeros(10)
run = lh.train_in_background(Net(), lh.sklearn_digits(), epochs=500)
while not run.history:
    time.sleep(0.01)
print("the end")
"""


def test_a_script_that_ends_during_a_run_ends_in_peace():
    script = [sys.executable, "-W", "ignore", "-c", ENDS]
    done = subprocess.run(script, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


def test_a_run_ends_with_python_and_says_so(small, monkeypatch):
    at_exit = []
    monkeypatch.setattr(training_run.atexit, "register", at_exit.append)
    run = lh.train_in_background(fresh(), small, epochs=500)
    until(lambda: run.history)
    at_exit[0]()  # as Python does at its end
    assert not run.running and run.error is None and run.panel.state == "gone"
