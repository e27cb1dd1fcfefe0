"""Training in the background: what ends it, what does not, and what its panel is told."""

import json
import math
import signal
import threading
import warnings

import pytest
import torch
from lab import until
from material import fresh, weights
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support.files import PROJECT
from notebooks.support.training import run as training_run
from notebooks.support.widgets import panel


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
    first, _, last = (layer.weight for layer in run.first_layers)  # start, two epochs
    assert torch.equal(first, start) and torch.equal(last, behind.c1.weight)
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
    assert panel.TrainingPanel().figure() is None  # nothing to draw yet
    until(lambda: run.panel.losses)
    assert run.panel.losses[0][0] < 1  # in epochs
    assert 0 < run.panel.fraction < 1 and run.panel.left > 0
    run.stop()


def test_the_panel_is_told_of_200_points_at_most(small):
    few, told = part_of(small, 64), []
    torch.set_num_threads(2)
    run = lh.train_in_background(linear(), few, epochs=300)
    run.panel.observe(told.append, "seconds")
    run.wait()
    assert 150 <= len(run.panel.losses) <= 200 and len(told) < len(run.panel.accuracies) == 300
    assert torch.get_num_threads() == 2  # the caller's stay as they are
    assert run.panel.kernels == {} and run.panel.figure()  # without a convolution


def part_of(digits, n):
    train = TensorDataset(*(part[:n] for part in digits.train.tensors))
    return lh.Digits(train, digits.test, digits.source)


def linear():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))


def ending(end):
    """LeNet-5 whose forward ends in another way."""
    model = fresh()
    model.register_forward_hook(lambda model, inputs, logits: end(logits))
    return model


def test_the_panel_is_told_the_kernels_and_what_the_network_makes_of_ones_digit(small):
    """After each epoch and before the first."""
    image, label = small.test[4]
    model, few = fresh(), part_of(small, 320)
    run = lh.train_in_background(model, few, epochs=2, watch=[(image, int(label))])
    assert run.wait()
    assert run.panel.watched == [dict(label=int(label), image=bytes(image.flatten()))]
    with torch.no_grad():
        last = model(image[None] / 255).softmax(1)[0, label].item()
    assert len(run.panel.answers) == 3 and run.panel.answers[-1][0] == pytest.approx(last, abs=1e-5)
    kernels = [layer.weight.flatten().tolist() for layer in run.first_layers]
    assert memoryview(run.panel.kernels["values"]).cast("f").tolist() == sum(kernels, [])
    assert run.panel.kernels["shape"] == [6, 5, 5] and len(kernels) == 3


def test_a_fault_in_the_model_reaches_wait_and_panel(small):
    def faulty(logits):
        if len(logits) == 29:  # the last batch
            raise RuntimeError("mat1 and mat2 <shapes> cannot be multiplied")
        return logits

    run = lh.train_in_background(ending(faulty), small, epochs=2)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        run.wait()
    assert not run.running and run.panel.state == "failed"
    assert run.panel.error == f"RuntimeError: {run.error}"


@pytest.mark.parametrize(
    "end, loss",
    [(lambda logits: logits * math.nan, "nan"), (lambda logits: (logits - 100).relu(), "2.303")],
)
def test_a_network_that_only_guesses_is_not_finished_without_a_word(small, capsys, end, loss):
    """By `train` and by `wait` in a line, and in the panel, which no NaN keeps from the page."""
    few = part_of(small, 320)
    lh.train(ending(end), few, epochs=1)
    run = lh.train_in_background(ending(end), few, epochs=1, watch=small.test)
    run.wait()
    said = capsys.readouterr().out.splitlines()
    notes = [line for line in said if "only guesses" in line]
    assert notes == [run.panel.note] * 2 and f"loss {loss}" in notes[0]
    json.dumps(run.panel.get_state(), allow_nan=False, default=bytes.hex)  # bytes go apart
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would land in another cell
        assert "image/png" in run.panel._repr_mimebundle_()[0]


def test_a_network_that_is_right_but_unsure_does_not_guess(small, trained, capsys):
    model = ending(lambda logits: logits / 1000)
    model.load_state_dict(trained[0].state_dict())
    (result,) = lh.train(model, part_of(small, 64), epochs=1, max_lr=1e-6)
    assert result.accuracy > 0.9 and result.loss > 2.28
    assert "only guesses" not in capsys.readouterr().out


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
    for _ in range(2):  # once more does no harm
        run.stop()
    assert not run.running and run.panel.state == "stopped" and run.panel.note == ""
    assert run.wait() == run.history and len(run.history) < 500
    assert torch.equal(weights(model).float(), weights(lh.load_weights(fresh(), path)))
    assert not model.training and not model.c1.weight.requires_grad and model.fc1.weight.grad.any()


def test_a_model_with_other_layers_is_left_alone_with_a_line(small, capsys):
    model = fresh()
    run = lh.train_in_background(model, small, epochs=3)
    model.fc3 = torch.nn.Linear(84, 5)
    before = model.fc3.weight.clone()
    assert len(run.wait()) == 3 and run.panel.state == "done"
    assert capsys.readouterr().out == run.panel.note + "\n"
    assert "fc3.weight: model has (5, 84), the training (10, 84)" in run.panel.note
    assert torch.equal(before, model.fc3.weight)


def test_a_forward_that_uses_another_model_is_told(small):
    """A copy would train nothing, and end at 10% without a word."""
    other = fresh()

    class Global(lh.LeNet5):
        def forward(self, x):
            return other(x)

    with pytest.raises(ValueError, match="where it should say self"):
        lh.train_in_background(Global(), small, epochs=1).wait()


def test_the_same_model_still_in_training_shows_the_running_run(small):
    model = fresh()
    first = lh.train_in_background(model, small, epochs=500)
    until(lambda: first.history)
    assert lh.train_in_background(model, small, epochs=500) is first and first.running
    other = lh.train_in_background(fresh(), small, epochs=500)
    assert not first.running and other.running
    again = lh.train_in_background(model, part_of(small, 64), epochs=1)
    assert again is not first and len(again.wait()) == 1


def test_a_mistaken_second_start_leaves_the_first_alone(small):
    run, image = lh.train_in_background(fresh(), small, epochs=500), torch.zeros(1, 28, 28)
    for mistake in dict(epochs=0), dict(save=PROJECT), dict(watch=image), dict(watch=[(image, 10)]):
        with pytest.raises((ValueError, TypeError, OSError)):
            lh.train_in_background(fresh(), small, **mistake)
        assert run.running and run.error is None
    run.stop()


def test_an_interrupt_ends_the_waiting_only(small, interruptible):
    run = lh.train_in_background(fresh(), small, epochs=500)
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        run.wait()
    done = len(run.history)
    until(lambda: len(run.history) > done)
    run.stop()


@pytest.mark.parametrize("part", ["hold_sync", "figure"])
def test_a_fault_in_drawing_does_not_end_it(small, monkeypatch, part):
    monkeypatch.setattr(panel.TrainingPanel, part, lambda self: 1 / 0)
    run = lh.train_in_background(fresh(), part_of(small, 64), epochs=1)
    assert len(run.wait()) == 1 and run.error is None
    shown = run.panel._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "type run in" in shown["text/plain"]


def test_a_run_ends_with_python_and_says_so(small, monkeypatch):
    at_exit = []
    monkeypatch.setattr(training_run.atexit, "register", at_exit.append)
    run = lh.train_in_background(fresh(), small, epochs=500)
    until(lambda: run.history)
    at_exit[0]()  # as Python does at its end
    assert not run.running and run.error is None and run.panel.state == "gone"
