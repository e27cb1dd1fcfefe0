"""Training in the background: what ends it, what does not, and what is on disk afterwards."""

import re
import signal
import threading
import time

import pytest
import torch
from material import fresh, weights
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support import files, panel, texts


@pytest.fixture(autouse=True)
def ended():
    """No training outlives its test."""
    yield
    if lh._run is not None:
        lh._run.stop()
        lh._run = None


def panel_text(run):
    return run._body.value


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_it_is_the_same_training(small, capsys):
    torch.set_num_threads(panel.threads_beside_the_kernel())
    here, behind = fresh(), fresh()
    history = lh.train(here, small, epochs=2, seed=3)
    capsys.readouterr()
    run = lh.train_in_background(behind, small, epochs=2, seed=3)
    assert run.running and run.model is behind
    assert run.wait() is run.history and not run.running and run.error is None
    assert [r[:3] for r in run.history] == [r[:3] for r in history]
    assert torch.equal(weights(here), weights(behind))
    assert capsys.readouterr() == ("", "")  # nothing lands in another cell
    assert (
        str(history[-1]) in panel_text(run)
        and "2 epochs" in panel_text(run)
        and run._toggle.disabled
    )


def test_start_returns_at_once_and_something_moves_before_the_first_epoch_ends(small):
    run = lh.train_in_background(fresh(), small, epochs=20)
    before = panel_text(run)
    assert run.running
    until(lambda: run._losses and panel_text(run) != before)
    assert run._losses[0][0] < 1  # in epochs


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
    assert "mat1 and mat2 &lt;shapes&gt;" in panel_text(run) and "0 of 2" in panel_text(run)


def test_a_fault_in_the_data_reaches_wait(small):
    images, labels = small.train.tensors
    run = lh.train_in_background(
        fresh(), small._replace(train=TensorDataset(images, labels + 5)), epochs=1
    )
    with pytest.raises(IndexError):
        run.wait()


def test_what_is_wrong_from_the_start_is_said_by_the_start(small, tmp_path):
    with pytest.raises(ValueError, match="0"):
        lh.train_in_background(fresh(), small, epochs=0)
    with pytest.raises(OSError):
        lh.train_in_background(fresh(), small, save=tmp_path)
    with pytest.raises(TypeError):
        lh.train_in_background(fresh(), small, learning_rate=1)


def test_a_second_start_ends_the_first(small):
    first = lh.train_in_background(fresh(), small, epochs=500)
    second = lh.train_in_background(fresh(1), small, epochs=1)
    assert not first.running and first.wait() == first.history
    assert f"{len(first.history)} of 500" in panel_text(first)
    assert len(second.wait()) == 1


@pytest.mark.parametrize(
    "mistake",
    [
        dict(epochs=0),
        dict(epoch=5),
        dict(model=lh.LeNet5),
        dict(save=files.PROJECT),
        dict(seed="7"),
        dict(max_lr="fast"),
    ],
)
def test_a_mistaken_second_start_leaves_the_first_alone(small, mistake):
    first = lh.train_in_background(fresh(), small, epochs=500)
    for _ in range(50):  # of the same model, too, which is in use
        with pytest.raises((ValueError, TypeError, OSError)):
            lh.train_in_background(**{"model": first.model, "digits": small, **mistake})
    assert first.running and lh._run is first
    until(lambda: len(first.history) > 1 or first.error)
    assert first.error is None


def test_stop_is_soon_and_keeps_what_is_done(small, tmp_path):
    run = lh.train_in_background(fresh(), small, epochs=500, save=tmp_path / "w.pt")
    until(lambda: run.history)
    run._toggle.value = True  # what a click on it sets
    until(lambda: not run.running, seconds=10)
    assert len(run.history) < 20
    assert len(run.wait()) >= 1 and (tmp_path / "w.pt").is_file()
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


def test_a_fault_in_drawing_does_not_end_it(small, monkeypatch):
    monkeypatch.setattr(panel, "_panel_html", lambda *_: 1 / 0)
    run = lh.train_in_background(fresh(), small, epochs=1)
    assert len(run.wait()) == 1 and run.error is None


def test_the_model_is_in_use_meanwhile(small):
    run = lh.train_in_background(fresh(), small, epochs=500)
    until(lambda: len(run.history) >= 3)
    for _ in range(5):
        assert lh.evaluate(run.model, small.test).accuracy > 0.5
        lh.show_predictions(run.model, small.test)
        lh.show_filters(run.model)
    assert run.running and run.error is None


def test_threads_of_the_caller_stay_as_they_are(small):
    torch.set_num_threads(2)
    lh.train_in_background(fresh(), small, epochs=1).wait()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("language, word", [("zh", "训练完成"), ("en", "Training finished")])
def test_the_panel_says_when(small, language, word, monkeypatch):
    texts.use(language)
    run = lh.train_in_background(fresh(), small, epochs=1)
    run.wait()
    until(lambda: word in panel_text(run))
    assert re.search(r"\d\d:\d\d:\d\d", panel_text(run))
