"""Homework: a training step and a small network judged, answers kept over kernels, and the report."""

import contextlib
import copy
import io
import json
import math
import random
import re
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest
import torch
from lab import PROJECT
from material import run_at_once
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.exercises import answers
from notebooks.support.exercises.questions import (
    EXAMPLE,
    HOMEWORK,
    NOTEBOOKS,
    QUESTIONS,
    nb07_next_lesson,
)
from notebooks.support.exercises.sandbox import Sandbox
from notebooks.support.words import texts

FOLDER = PROJECT / "notebooks" / "zh"


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "MY_ANSWERS", tmp_path / "mine" / "my_answers.json")
    monkeypatch.setattr(answers, "_unsaved", {})
    return answers.MY_ANSWERS


@pytest.fixture
def said(capsys, monkeypatch):
    """Calls check, or report; returns what is printed."""
    monkeypatch.setattr(Sandbox, "PATIENCE", math.inf)

    def call(*answer, do=lh.check):
        capsys.readouterr()
        assert do(*answer) is None
        out, err = capsys.readouterr()
        assert not err
        return out.strip()

    return call


def cells(notebook):
    cells = nbformat.read(FOLDER / f"{notebook}.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def test_every_question_stands_in_the_file_of_its_notebook():
    for notebook, names in NOTEBOOKS.items():
        asked = re.findall(r'lh\.check\("(\w+)"', "\n".join(cells(notebook)))
        assert [name for name in asked if name != EXAMPLE] == [n for n in names if n != EXAMPLE]
    assert list(NOTEBOOKS) == [path.stem for path in sorted(FOLDER.glob("*.ipynb"))]
    assert EXAMPLE in QUESTIONS and len(QUESTIONS) == sum(map(len, NOTEBOOKS.values()))


def step(*order, give=lambda loss: loss, score=lambda logits: logits):
    """A training step that does things in this order: z(ero_grad), f(orward), b(ackward), s(tep)."""

    def my_train_step(model, images, labels, optimizer):
        for do in order:
            if do == "z":
                optimizer.zero_grad()
            elif do == "m":
                model.zero_grad()
            elif do == "f":
                loss = F.cross_entropy(score(model(images)), labels)
            elif do == "b":
                loss.backward()
            elif do == "s":
                optimizer.step()
        return give(loss)

    return my_train_step


def by_hand(model, images, labels, optimizer):
    """Without zero_grad and backward; with momentum, so that the optimizer's own step is needed."""
    loss = F.cross_entropy(model(images), labels)
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
        parameter.grad = gradient
    optimizer.step()
    return loss.item()


def test_right_training_steps(said):
    for language in texts.LANGUAGES:
        texts.use(language)
        for right in (
            step(*"zfbs"),
            step(*"fzbs", give=lambda loss: loss.item()),
            step(*"fbsz", give=lambda loss: loss.detach().numpy()),
            step(*"mfbs"),
            step(*"zfbs", score=lambda logits: logits - 1),  # softmax does not mind
            by_hand,
        ):
            assert said("my_train_step", right).startswith("✓ my_train_step"), right


def another_loss(model, images, labels, optimizer):
    step(*"zfbs")(model, images, labels, optimizer)
    return F.cross_entropy(model(images), labels)


def its_own_optimizer(model, images, labels, optimizer):
    return step(*"zfbs")(model, images, labels, torch.optim.SGD(model.parameters(), 0.1))


def names_backward(model, images, labels, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward  # noqa: B018
    optimizer.step()
    return loss


def test_training_steps_that_go_wrong(said):
    for function, words in [
        (step(*"fbs"), "pile up"),
        (step(*"zfsb"), "step comes too early"),
        (step(*"fszb"), "step comes too early"),
        (step(*"zfb"), "without a call of optimizer.step()"),
        (step(*"zfs"), "backward() is never called"),
        (step(*"zf"), "backward() is never called"),
        (step(*"fbzs"), "before they are used"),
        (step(*"zfbs", score=lambda logits: logits.softmax(1)), "softmax inside"),
        (step(*"zfbs", give=lambda loss: None), "return is missing"),
        (step(*"zfbs", give=print), "return is missing"),
        (step(*"zfbs", give=lambda loss: 0), "the loss is 0.0000 and should be 2."),
        (another_loss, "before the step"),
        (step(*"zfbss"), "after step 1 the weights"),
        (its_own_optimizer, "another optimizer"),
        (names_backward, "are its parentheses there"),
        (step(*"zfbb"), "RuntimeError"),
        (lambda *case: 3, "backward() is never called"),
    ]:
        line = said("my_train_step", function)
        assert line.startswith("✗ my_train_step: ") and words in line, line
        assert len(line.splitlines()) == 1


@contextlib.contextmanager
def set_to(what, value):
    before = getattr(torch, f"get_{what}")()
    getattr(torch, f"set_{what}")(value)
    yield
    getattr(torch, f"set_{what}")(before)


def state():
    """What a cell may leave behind, and a draw of each kind of random numbers."""
    modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.empty(0).device
    sizes = torch.get_default_dtype(), torch.get_num_threads()
    return *modes, *sizes, torch.get_rng_state().sum().item(), np.random.rand(), random.random()


@pytest.mark.parametrize(
    "left_behind",
    [
        contextlib.nullcontext,
        torch.no_grad,
        torch.inference_mode,
        lambda: torch.device("meta"),
        lambda: set_to("default_dtype", torch.float64),
        lambda: set_to("num_threads", 2),
    ],
)
def test_judging_is_the_same_whatever_the_session_did(said, left_behind):
    found = []

    def my_train_step(*batch):
        found.append(state())
        return step(*"zfbs")(*batch)

    said("my_train_step", my_train_step)
    usual = found.copy()
    found.clear()
    with left_behind():
        for seed in torch.manual_seed, np.random.seed, random.seed:
            seed(7)
        before = state()
        for seed in torch.manual_seed, np.random.seed, random.seed:
            seed(7)
        line = said("my_train_step", my_train_step)
        after = state()
    assert line.startswith("✓") and found == usual and after == before, (line, after, before)


IN_A_FRESH_PROCESS = """
import sys, torch
import lenet_helpers as lh
new = []

def my_train_step(model, images, labels, optimizer):
    before = set(sys.modules)
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    new.extend(set(sys.modules) - before)
    return loss

lh.check("my_train_step", my_train_step)
print(new)
"""


def test_what_a_step_needs_is_imported_before_the_students_time_begins(own):
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS]
    out = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert "✓ my_train_step" in out and out.endswith("[]\n"), out


def test_a_step_that_takes_the_notebooks_own_network(said):
    """It is told, and the network and its optimizer are as they were."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))
    net_optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    batch = torch.rand(8, 1, 28, 28), torch.arange(8)
    step(*"zfbs")(net, *batch, net_optimizer)
    before = copy.deepcopy([net.state_dict(), net_optimizer.state_dict()])
    for function, words in [
        (lambda model, *batch: step(*"zfbs")(net, *batch[:2], net_optimizer), "another network"),
        (lambda model, *batch: step(*"fbs")(net, *batch), "another network"),
        (lambda *given: step(*"zfbs")(*given[:3], net_optimizer), "another optimizer"),
    ]:
        line = said("my_train_step", function)
        assert line.startswith("✗ my_train_step: ") and words in line, line
        assert str([net.state_dict(), net_optimizer.state_dict()]) == str(before)


def challenge_code():
    """The challenge of notebook 07: its frame, and what follows up to the check."""
    code = "\n\n".join(cells("07_next_lesson"))
    start, end = code.index("class MyNetwork"), code.index("torch.manual_seed(0)\nmy_network")
    check = 'lh.check("my_network", my_network)'
    return code[start:end], code[end : code.index(check) + len(check)]


class Small(nn.Sequential):
    """A solution: 6,898 parameters."""

    def __init__(self):
        super().__init__(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 10)),
        )


def test_the_challenge_can_be_met_as_the_notebook_asks(small, monkeypatch, said, capsys):
    """Its own cells, with a network in the frame's place: the pictures held out are check's."""
    monkeypatch.setattr(nb07_next_lesson, "load_mnist", lambda: small)
    frame, rest = challenge_code()
    names = {"lh": lh, "nn": nn, "torch": torch, "digits": small}
    names["TensorDataset"] = torch.utils.data.TensorDataset
    exec(frame + rest, names)
    assert "… my_network: not answered yet." in capsys.readouterr().out
    names["MyNetwork"] = Small
    exec(rest, names)
    out = capsys.readouterr().out
    n = nb07_next_lesson.HELD_OUT
    split = names["split"]
    assert len(split.test) == min(n, len(small.train) // 4)
    assert len(split.train) + len(split.test) == len(small.train)
    right = lh.evaluate(names["my_network"], split.test).correct.sum()
    assert f"✓ my_network: 6,898 parameters; of the last 359 pictures of digits.train (scikit-learn) it reads {right}" in out  # fmt: skip
    assert "if it was trained on all of" in out


class Unregistered(nn.Module):
    """Its last layer, or all of them, in a plain list."""

    def __init__(self, first=784):
        super().__init__()
        self.first = nn.Linear(784, 10) if first else nn.Flatten()
        self.layers = [nn.Linear(10 if first else 784, 10)]

    def forward(self, x):
        return self.layers[0](self.first(x.flatten(1)))


def test_networks_that_do_not_meet_the_challenge(small, trained, monkeypatch, said):
    monkeypatch.setattr(nb07_next_lesson, "load_mnist", lambda: small)
    few = lh.evaluate(trained[0], torch.utils.data.TensorDataset(*(t[-359:] for t in small.train.tensors)))  # fmt: skip
    untrained = Small()
    for model, words in [
        (trained[0], f"reads {few.correct.sum()}"),
        (trained[0], "fewer than 10,000 are wanted, and fc1.weight alone has 48,000"),
        (untrained, "97.5% are wanted: "),
        (untrained, "was it not trained"),
        (Unregistered(), "PyTorch knows of 7,850 parameters only"),
        (Unregistered(0), "PyTorch knows of 0 parameters only"),
        (nn.Flatten(), "(359, 784)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(700, 10)), "RuntimeError mat1 and mat2"),
        (nn.Sequential(nn.Linear(28, 10)), "logits"),
    ]:
        line = said("my_network", model)
        assert line.startswith("✗ my_network: ") and any(w in line for w in words.split("|")), line
    for answer, words in [
        (Small, "the class Small: with parentheses"),
        (lambda x: x, "model must be a network"),
        (3, "model must be a network"),
    ]:
        line = said("my_network", answer)
        assert line.startswith("… my_network: ") and words in line, line
    assert untrained.training and not any(p.grad is not None for p in untrained.parameters())
    loud = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    nn.init.constant_(loud[1].weight, float("nan"))
    assert "did the training fail" in said("my_network", loud)


def entry(name):
    return json.loads(answers.MY_ANSWERS.read_text(encoding="utf-8"))[name]


def test_every_real_answer_is_kept_and_nothing_else(said, own):
    for answer in (..., None):
        said("corner_pixel", answer)
    said("corner_pixl", 4)
    said(4, 4)
    said(EXAMPLE, 9)
    assert not own.exists()
    for answer in ("2,416", "25", (1, 2), [1], "1\ud800"):  # slips of form
        assert said("corner_pixel", answer).startswith("… corner_pixel: ")
    said("corner_pixel", 1, 2)
    said("my_output_size", 4)
    said("my_network", 4)
    said("rising_strokes", 7)
    assert not own.exists()
    for answer in (5, 5, 4, 1, 1, 25):  # the same once more is no new try; what is right stays
        assert len(said("corner_pixel", answer).splitlines()) == 1
    assert entry("corner_pixel") == {"answer": "1", "right": True, "tries": 3}

    def my_output_size(n_in, kernel_size, stride, padding):
        return (n_in + 2 * padding - kernel_size) // stride + 1

    said("my_output_size", my_output_size)
    said("rising_strokes", [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]])
    said("padding_and_stride", (2, 1))
    assert entry("my_output_size")["answer"].startswith("def my_output_size(n_in")
    assert entry("rising_strokes")["right"] and entry("padding_and_stride")["answer"] == "(2, 1)"
    text = said("Ming", do=lh.report)
    solved = "corner_pixel", "my_output_size", "rising_strokes"
    still_open = ", ".join(name for name in HOMEWORK if name not in solved)
    assert text.startswith(f"Ming · 3 of {len(HOMEWORK)} right · open: {still_open}\n")
    for words in (
        "\n  ✓ corner_pixel  right at try 3; answer: 1\n",
        "\n  ✗ padding_and_stride  not right yet, tries: 1; last answer: (2, 1)\n",
        "\n  ✓ my_output_size  right at try 1; answer:\n      def my_output_size(n_in",
        "not an exam",
    ):
        assert words in text, text
    assert re.findall(r"^\d\d_\w+", text, re.M) == list(NOTEBOOKS)[1:3]
    assert {path.suffix for path in own.parent.iterdir()} == {".json", ".lock"}
    texts.use("zh")
    assert "不是考试" in said(do=lh.report) and "请写上名字" in said(..., do=lh.report)


def test_a_timeout_is_no_try(said, own, monkeypatch):
    monkeypatch.setattr(Sandbox, "SECONDS", 0.1)
    assert "no result" in said("my_output_size", lambda *case: time.sleep(1))
    assert not own.exists()


def test_an_answer_is_kept_where_its_line_cannot_be_printed(own, monkeypatch):
    texts.use("zh")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "cp1252"))
    lh.check("corner_pixel", 1)
    lh.report("Ming")
    sys.stdout.flush()
    assert entry("corner_pixel")["right"] and b"corner_pixel" in sys.stdout.buffer.getvalue()


def test_a_damaged_file_is_put_aside_and_told(said, own):
    said("corner_pixel", 1)
    whole = own.read_bytes()
    for content in (b"", whole[:-9], b"\xff\xfe", b"[]", b'{"corner_pixel": 4}', b"[" * 10**5):
        own.write_bytes(content)
        lines = said("size_lesson", 4).splitlines()
        assert "my_answers.json is damaged" in lines[0] and lines[1].startswith("✓"), lines
        assert own.with_name("my_answers.json.damaged").read_bytes() == content
        assert list(json.loads(own.read_bytes())) == ["size_lesson"]
        own.write_bytes(content)
        assert "is damaged" in said("Ming", do=lh.report)


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
    code = """from notebooks.support.exercises import answers
for k in range(50):
    answers.keep_answer(f"{name}{{k}}", "1", True)"""
    run_at_once([code.format(name=name) for name in "ab"], own.with_name("my.pt"))
    assert len(json.loads(own.read_bytes())) == 100
    assert {path.suffix for path in own.parent.iterdir()} == {".json", ".lock"}
