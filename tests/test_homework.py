"""Homework: a training step and a small network judged, answers kept over kernels, and the report."""

import json
import re

import nbformat
import pytest
import torch
from lab import PROJECT
from material import run_at_once
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support import answers, files, small_net, texts
from notebooks.support.exercises import EXAMPLE, EXERCISES, NOTEBOOKS

FOLDER = PROJECT / "notebooks" / "zh"


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "MY_ANSWERS", tmp_path / "mine" / "my_answers.json")
    monkeypatch.setattr(answers, "_unsaved", {})
    return answers.MY_ANSWERS


@pytest.fixture
def said(capsys):
    """Calls check, or report; returns what is printed."""

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


def test_every_exercise_is_asked_where_the_report_says():
    for notebook, names in NOTEBOOKS.items():
        asked = re.findall(r'lh\.check\("(\w+)"', "\n".join(cells(notebook)))
        assert [name for name in asked if name != EXAMPLE] == names
    assert sorted(NOTEBOOKS) == [path.stem for path in sorted(FOLDER.glob("*.ipynb"))]
    asked = [name for names in NOTEBOOKS.values() for name in names]
    assert sorted([*asked, EXAMPLE]) == sorted(EXERCISES) and all(NOTEBOOKS.values())


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


def test_training_steps_that_go_wrong(said):
    for function, words in [
        (step(*"fbs"), "pile up"),
        (step(*"zfsb"), "step comes too early"),
        (step(*"fszb"), "step comes too early"),
        (step(*"zfb"), "without optimizer.step()"),
        (step(*"zfs"), "no loss.backward()"),
        (step(*"zf"), "no loss.backward()"),
        (step(*"fbzs"), "before they are used"),
        (step(*"zfbs", score=lambda logits: logits.softmax(1)), "softmax inside"),
        (step(*"zfbs", give=lambda loss: None), "return is missing"),
        (step(*"zfbs", give=print), "return is missing"),
        (step(*"zfbs", give=lambda loss: 0), "the loss is 0.0000 and should be 2."),
        (step(*"zfbs", give=lambda loss: (loss, 1)), "plain number"),
        (another_loss, "before the step"),
        (step(*"zfbss"), "after step 1 the weights"),
        (its_own_optimizer, "no optimizer.step()|without optimizer.step()"),
        (step(*"zfbb"), "RuntimeError"),
        (lambda *case: 3, "no loss.backward()"),
        (lambda model: 3, "my_train_step(model, images, labels, optimizer)"),
        (3, "without parentheses"),
    ]:
        line = said("my_train_step", function)
        known = any(word in line for word in words.split("|"))
        assert line.startswith("✗ my_train_step: ") and known, line
        assert len(line.splitlines()) == 1


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
    monkeypatch.setattr(small_net, "load_mnist", lambda: small)
    frame, rest = challenge_code()
    names = {"lh": lh, "nn": nn, "torch": torch, "digits": small}
    names["TensorDataset"] = torch.utils.data.TensorDataset
    exec(frame + rest, names)
    assert "… my_network: not answered yet." in capsys.readouterr().out
    names["MyNetwork"] = Small
    exec(rest, names)
    out = capsys.readouterr().out
    n = small_net.NETWORKS["my_network"].held_out
    split = names["split"]
    assert len(split.test) == min(n, len(small.train) // 4)
    assert len(split.train) + len(split.test) == len(small.train)
    right = lh.evaluate(names["my_network"], split.test).correct.sum()
    assert f"✓ my_network: 6,898 parameters; of the 359 pictures held out (scikit-learn) it reads {right}" in out  # fmt: skip


def test_networks_that_do_not_meet_the_challenge(small, trained, monkeypatch, said):
    monkeypatch.setattr(small_net, "load_mnist", lambda: small)
    few = lh.evaluate(trained[0], torch.utils.data.TensorDataset(*(t[-359:] for t in small.train.tensors)))  # fmt: skip
    untrained = Small()
    for model, words in [
        (trained[0], f"reads {few.correct.sum()}"),
        (trained[0], "fewer than 10,000 are wanted, and fc1.weight alone has 48,000"),
        (untrained, "97.5% are wanted: "),
        (untrained, "was it not trained"),
        (Small, "the class Small: with parentheses"),
        (lambda x: x, "model must be a network"),
        (3, "model must be a network"),
        (nn.Flatten(), "(359, 784)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(700, 10)), "RuntimeError mat1 and mat2"),
        (nn.Sequential(nn.Linear(28, 10)), "logits"),
    ]:
        line = said("my_network", model)
        assert line.startswith("✗ my_network: ") and any(w in line for w in words.split("|")), line
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
    for answer in (5, 5, "1\ud800", 1, 1, 25):  # the same once more is no new try
        assert len(said("corner_pixel", answer).splitlines()) == 1
    assert entry("corner_pixel") == {"answer": "25", "right": False, "tries": 4, "first_right": 3}

    def my_output_size(n_in, kernel_size, stride, padding):
        return (n_in + 2 * padding - kernel_size) // stride + 1

    said("my_output_size", my_output_size)
    said("rising_strokes", [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]])
    said("padding_and_stride", (2, 1))
    assert entry("my_output_size")["answer"].startswith("def my_output_size(n_in")
    assert entry("rising_strokes")["right"] and entry("padding_and_stride")["answer"] == "(2, 1)"
    text = said("Ming", do=lh.report)
    assert text.startswith("Homework · Ming · 20")
    for words in (
        "✓ corner_pixel          right at try 3 of 4; last answer (wrong): 25\n",
        "– corner_pixel_padding  not answered\n",
        "✗ padding_and_stride    not right yet, tries: 1; last answer: (2, 1)\n",
        "✓ my_output_size        right at try 1 of 1; last answer:\n      def my_output_size(n_in",
        f"\n{len(EXERCISES) - 1} exercises: 4 answered, 3 right.\n",
        "not an exam",
    ):
        assert words in text, text
    assert re.findall(r"^\d\d_\w+", text, re.M) == list(NOTEBOOKS)
    assert list(own.parent.iterdir()) == [own]
    texts.use("zh")
    assert "不是考试" in said(do=lh.report) and "请写上名字" in said(..., do=lh.report)


def test_a_damaged_file_is_put_aside_and_told(said, own):
    said("corner_pixel", 1)
    whole = own.read_bytes()
    for content in (b"", whole[:-9], b"\xff\xfe", b"[]", b'{"corner_pixel": 4}', b"[" * 10**5):
        own.write_bytes(content)
        lines = said("size_lesson", 4).splitlines()
        assert lines[0].startswith("✓") and "my_answers.json is damaged" in lines[1], lines
        assert own.with_name("my_answers.json.damaged").read_bytes() == content
        assert list(json.loads(own.read_bytes())) == ["size_lesson"]
        own.write_bytes(content)
        assert "is damaged" in said("Ming", do=lh.report)


def test_where_nothing_can_be_written_answers_are_kept_in_memory(said, own, monkeypatch):
    own.parent.write_text("a file where the folder should be")
    for answer in (3, 4):
        assert len(said("size_lesson", answer).splitlines()) == 1
    text = said("Ming", do=lh.report)
    assert "✓ size_lesson           right at try 2 of 2" in text and "1 right" in text
    assert "cannot be written" in text and "my_answers.json" in text
    own.parent.unlink()  # it can be again
    said("corner_pixel", 1)
    assert entry("size_lesson")["tries"] == 2 and entry("corner_pixel")["right"]
    assert "cannot be" not in said("Ming", do=lh.report)


def test_a_lock_that_a_dead_kernel_left_is_no_hindrance(said, own, monkeypatch):
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.1)
    own.parent.mkdir()
    own.with_name("my_answers.json.lock").touch()
    said("corner_pixel", 1)
    assert entry("corner_pixel")["right"] and list(own.parent.iterdir()) == [own]


def test_kernels_that_answer_at_once_lose_nothing(own):
    code = """from notebooks.support import answers
for k in range(50):
    answers.keep_answer(f"{name}{{k}}", "1", True)"""
    run_at_once([code.format(name=name) for name in "ab"], own.with_name("my.pt"))
    assert len(json.loads(own.read_bytes())) == 100 and list(own.parent.iterdir()) == [own]
