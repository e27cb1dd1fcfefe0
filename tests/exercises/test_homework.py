"""Homework: a training step and a small network judged, answers kept over kernels, and the report."""

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from notebook_tool import ROOT, code, read
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.exercises import answers
from notebooks.support.exercises.questions import EXAMPLE, HOMEWORK, NOTEBOOKS, QUESTIONS
from notebooks.support.exercises.questions import nb07_next_lesson as nb07
from notebooks.support.words import texts


def test_every_question_stands_in_the_file_of_its_notebook():
    for notebook, names in NOTEBOOKS.items():
        asked = re.findall(r'lh\.check\("(\w+)"', code(read("zh", notebook).cells))
        assert [name for name in asked if name != EXAMPLE] == [n for n in names if n != EXAMPLE]
    assert list(NOTEBOOKS) == sorted(path.stem for path in ROOT.glob("notebooks/zh/*.ipynb"))
    assert EXAMPLE in QUESTIONS and len(QUESTIONS) == sum(map(len, NOTEBOOKS.values()))


def step(order, give=lambda loss: loss, loss_of=F.cross_entropy):
    """A training step that does things in this order: z(ero_grad), f(orward), b(ackward), s(tep)."""

    def my_train_step(model, images, labels, optimizer):
        do = {"z": optimizer.zero_grad, "m": model.zero_grad, "s": optimizer.step}
        for each in order:
            if each == "f":
                loss = loss_of(model(images), labels)
            elif each == "b":
                loss.backward()
            else:
                do[each]()
        return give(loss)

    return my_train_step


def test_right_training_steps(said):
    for right in (
        step("zfbs"),
        step("fzbs", give=lambda loss: loss.item()),
        step("fbsz", give=lambda loss: loss.detach().numpy()),
        step("mfbs"),
        step("zfbs", loss_of=lambda x, y: F.cross_entropy(x - 1, y)),  # softmax does not mind
        step("zfbs", loss_of=nn.CrossEntropyLoss(torch.ones(10))),  # its weights are no network's
    ):
        assert said("my_train_step", right).startswith("✓ my_train_step"), right


def test_training_steps_that_go_wrong(wrong):
    wrong(
        "my_train_step",
        {
            step("fbs"): "pile up",
            step("zfsb"): "step comes too early",
            step("zfb"): "without a call of optimizer.step()",
            step("zfs"): "backward() is never called (are its parentheses there",
            step("fbzs"): "before they are used",
            step("zfbs", loss_of=lambda x, y: F.cross_entropy(x.softmax(1), y)): "softmax inside",
            step("zfbs", give=lambda loss: None): "return is missing",
            step("zfbs", give=lambda loss: 0): "the loss is 0.0000 and should be 2.",
            step("zfbss"): "after step 1 the weights",
            step("zfbb"): "RuntimeError",
        },
    )


def state():
    """What a cell may have set, and where the random numbers are."""
    modes = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
    return *modes, torch.get_rng_state().sum(), str(np.random.get_state()), random.getstate()


def test_judging_is_the_same_whatever_the_session_did(said):
    """Gradients off, float64, two threads, other random numbers: after it they are as before."""
    found = []

    def my_train_step(*batch):
        found.append(state())
        return step("zfbs")(*batch)

    said("my_train_step", my_train_step)
    n = len(found)
    for draw in torch.rand, np.random.rand, random.uniform:
        draw(2, 3)
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        with torch.no_grad():
            before = state()
            assert said("my_train_step", my_train_step).startswith("✓") and state() == before
    finally:
        torch.set_default_dtype(torch.float32)
    assert found[:n] == found[n:]


def test_a_step_that_takes_the_notebooks_own_network(wrong):
    """It is told, and the network and its optimizer are as they were."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))
    own = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    right, batch = step("zfbs"), (torch.rand(8, 1, 28, 28), torch.arange(8))
    right(net, *batch, own)
    before = str([net.state_dict(), own.state_dict()])
    steps = {
        lambda model, *batch: right(net, *batch[:2], own): "another network",
        lambda *given: right(*given[:3], own): "another optimizer",
        lambda *given: right(*given[:3], torch.optim.SGD(given[0].parameters(), 0.1)): "another o",
    }
    wrong("my_train_step", steps)
    assert str([net.state_dict(), own.state_dict()]) == before


def challenge_code():
    """The challenge of notebook 07: its frame, and what follows up to the check."""
    whole, check = code(read("zh", "07_next_lesson").cells), 'lh.check("my_network", my_network)'
    start, end = whole.index("class MyNetwork"), whole.index("torch.manual_seed(0)\nmy_network")
    return whole[start:end], whole[end : whole.index(check) + len(check)]


class Small(nn.Sequential):
    """A solution: 6,898 parameters."""

    def __init__(self):
        super().__init__(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 10)),
        )


@pytest.fixture
def small_set(small, monkeypatch):
    monkeypatch.setattr(nb07, "load_mnist", lambda: small)
    return small


def test_the_challenge_can_be_met_as_the_notebook_asks(small_set, capsys):
    """Its own cells, with a network in the frame's place: the pictures held out are check's."""
    frame, rest = challenge_code()
    names = {"lh": lh, "nn": nn, "torch": torch, "digits": small_set}
    names["TensorDataset"] = torch.utils.data.TensorDataset
    exec(frame + rest, names)
    assert "… my_network: not answered yet." in capsys.readouterr().out
    names["MyNetwork"] = Small
    exec(rest, names)
    out = capsys.readouterr().out
    split, n = names["split"], len(small_set.train)
    assert len(split.test) == min(nb07.HELD_OUT, n // 4)
    assert len(split.train) + len(split.test) == n
    right = lh.evaluate(names["my_network"], split.test).correct.sum()
    found = "6,898 parameters; of the last 359 pictures of digits.train (scikit-learn) it reads"
    assert f"✓ my_network: {found} {right}" in out and "if it was trained on all of" in out


class Unregistered(nn.Module):
    """Its last layer, or all of them, in a plain list."""

    def __init__(self, first=784):
        super().__init__()
        self.first = nn.Linear(784, 10) if first else nn.Flatten()
        self.layers = [nn.Linear(10 if first else 784, 10)]

    def forward(self, x):
        return self.layers[0](self.first(x.flatten(1)))


def test_networks_that_do_not_meet_the_challenge(small_set, trained, said, wrong):
    held_out = torch.utils.data.TensorDataset(*(t[-359:] for t in small_set.train.tensors))
    right = lh.evaluate(trained[0], held_out).correct.sum()
    untrained, lost = Small(), nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    nn.init.constant_(lost[1].weight, float("nan"))
    assert f"reads {right}" in said("my_network", trained[0])
    models = {
        trained[0]: "fewer than 10,000 are wanted, and fc1.weight alone has 48,000",
        untrained: "97.5% are wanted: ",
        Small(): "was it not trained",
        Unregistered(): "PyTorch knows of 7,850 parameters only",
        Unregistered(0): "PyTorch knows of 0 parameters only",
        nn.Flatten(): "(359, 784)",
        nn.Sequential(nn.Flatten(), nn.Linear(700, 10)): "RuntimeError mat1 and mat2",
        lost: "did the training fail",
    }
    wrong("my_network", models)
    slips = {Small: "the class Small: with parentheses", 3: "model must be a network"}
    wrong("my_network", slips, "…")
    assert untrained.training and not any(p.grad is not None for p in untrained.parameters())


def entry(name):
    return json.loads(answers.MY_ANSWERS.read_text(encoding="utf-8"))[name]


def test_every_real_answer_is_kept_and_nothing_else(said, own):
    no_answers = [("corner_pixel", ...), ("corner_pixl", 4), (4, 4), (EXAMPLE, 9)]
    no_answers += [("corner_pixel", slip) for slip in ("2,416", (1, 2), "1\ud800")]
    no_answers += [("corner_pixel", 1, 2), ("my_output_size", 4), ("my_network", 4)]
    for given in no_answers:
        said(*given)
    assert not own.exists()
    for answer in (5, 5, 4, 1, 1, 25):  # the same once more is no new try; what is right stays
        assert len(said("corner_pixel", answer).splitlines()) == 1
    assert entry("corner_pixel") == {"answer": "1", "right": True, "tries": 3}

    def my_output_size(n_in, kernel_size, stride, padding):
        return (n_in + 2 * padding - kernel_size) // stride + 1

    said("my_output_size", my_output_size)
    said("rising_strokes", [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]])
    said("padding_and_stride", (2, 1))
    assert entry("rising_strokes")["right"] and entry("padding_and_stride")["answer"] == "(2, 1)"
    text = said("Ming", do=lh.report)
    solved = "corner_pixel", "my_output_size", "rising_strokes"
    still_open = ", ".join(name for name in HOMEWORK if name not in solved)
    assert text.startswith(f"Ming · 3 of {len(HOMEWORK)} right · open: {still_open}\n")
    for words in (
        "\n  ✓ corner_pixel  right at try 3; answer: 1\n",
        "\n  ✗ padding_and_stride  not right yet, tries: 1; last answer: (2, 1)\n",
        "\n  ✓ my_output_size  right at try 1; answer:\n      def my_output_size(n_in",
    ):
        assert words in text, text
    assert re.findall(r"^\d\d_\w+", text, re.M) == list(NOTEBOOKS)[1:3]
    assert {path.suffix for path in own.parent.iterdir()} == {".json", ".lock"}
    texts.use("zh")
    assert "请写上名字" in said(..., do=lh.report)


def test_a_damaged_file_is_put_aside_and_told(said, own):
    said("corner_pixel", 1)
    for content in (b"", own.read_bytes()[:-9], b"\xff\xfe", b"[]", b'{"corner_pixel": 4}'):
        own.write_bytes(content)
        lines = said("size_lesson", 4).splitlines()
        assert "my_answers.json is damaged" in lines[0] and lines[1].startswith("✓"), lines
        assert own.with_name("my_answers.json.damaged").read_bytes() == content
        assert list(json.loads(own.read_bytes())) == ["size_lesson"]


def test_where_nothing_can_be_written_answers_are_kept_in_memory(said, own, monkeypatch):
    own.parent.write_text("a file where the folder should be")
    for answer in (3, 4):
        assert len(said("size_lesson", answer).splitlines()) == 1
    text = said("Ming", do=lh.report)
    assert "✓ size_lesson  right at try 2" in text and "Ming · 1 of" in text
    assert "cannot be written" in text and "my_answers.json" in text
    own.parent.unlink()  # it can be again
    said("corner_pixel", 1)
    assert entry("size_lesson")["tries"] == 2 and entry("corner_pixel")["right"]
    assert "cannot be" not in said("Ming", do=lh.report)


def test_kernels_that_answer_at_once_lose_nothing(own):
    with ThreadPoolExecutor(8) as pool:  # each has a lock of its own, as kernels have
        list(pool.map(answers.keep_answer, map(str, range(40)), ["1"] * 40, [True] * 40))
    assert len(json.loads(own.read_bytes())) == 40
    assert {path.suffix for path in own.parent.iterdir()} == {".json", ".lock"}
