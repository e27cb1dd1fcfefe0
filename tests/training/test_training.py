"""Training on the small set, the report's format, the command line, and files that are whole or not there."""

import errno
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import torch
from material import fresh, weights
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support import files
from notebooks.support.training import plan


def test_loss_falls_and_digits_are_read(small, trained):
    model, history = trained
    assert [result.epoch for result in history] == [1, 2, 3, 4, 5]
    assert history[-1].loss < history[0].loss / 4 and history[-1].accuracy > 0.9
    assert history[-1].accuracy == lh.evaluate(model, small.test).accuracy


class Dropout(lh.LeNet5):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.3, self.training)


@pytest.mark.parametrize("network", [lh.LeNet5, Dropout])
def test_same_seed_same_weights(small, network):
    """Wherever torch's random numbers are, and they stay there; also without gradients in a cell."""
    trained = []
    for numbers, seed in ((1, 3), (2, 3), (1, 4)):
        model = network()
        model.load_state_dict(fresh().state_dict())
        torch.manual_seed(numbers)
        before = torch.get_rng_state()
        with torch.no_grad():
            lh.train(model, small, epochs=1, seed=seed)
        assert torch.equal(before, torch.get_rng_state())
        trained.append(weights(model))
    same, again, other = trained
    assert torch.equal(same, again) and not torch.equal(same, other)


def test_train_epoch_is_the_loop_that_notebook_04_writes_out(small):
    cells = nbformat.read(files.PROJECT / "notebooks/en/04_train_lenet5.ipynb", as_version=4).cells
    names = {"F": F}
    exec(next(cell.source for cell in cells if "def plain_epoch" in cell.source), names)
    results = []
    for one_epoch in (lh.train_epoch, names["plain_epoch"]):
        model, order = fresh(), torch.Generator().manual_seed(5)
        loader = lh.digit_loader(small.train, 100, shuffle=True, generator=order)
        loss = one_epoch(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))
        results.append((loss, weights(model)))
    (loss, ours), (plain_loss, plain) = results
    assert loss == plain_loss and torch.equal(ours, plain)


def test_interrupt_leaves_whole_files(small, tmp_path, monkeypatch):
    """Of the epochs that are done; before the first has ended, what was there."""
    save, log = tmp_path / "new folder" / "lenet5.pt", tmp_path / "log.txt"
    saved, real = [], lh.train_epoch

    def interrupted(model, *rest):
        if len(saved) == 2:
            raise KeyboardInterrupt
        loss = real(model, *rest)
        saved.append(weights(model))
        return loss

    monkeypatch.setattr(lh, "train_epoch", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            lh.train(fresh(), small, epochs=5, save=save, log=log)
        model = lh.LeNet5()
        model.load_state_dict(torch.load(save, weights_only=True))
        assert torch.equal(weights(model), saved[1])
        lines = [rf"Epoch: {epoch} \tTraining Loss: \d\.\d{{6}}\n" for epoch in (1, 2)]
        assert re.fullmatch("".join(lines), log.read_text())
        assert not list(tmp_path.rglob("*.part"))


def test_a_failed_write_is_a_sentence_and_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")

    def refuse(path, content=b""):
        path.touch()
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(files.Path, "write_bytes", refuse)
    with pytest.raises(OSError, match=r"weights.pt cannot be written \(disk full"):
        lh.save_weights(lh.LeNet5(), path)
    assert path.read_bytes() == b"old" and [*tmp_path.iterdir()] == [path]
    monkeypatch.setattr(files.Path, "unlink", refuse)  # a read-only disk refuses that, too
    with pytest.raises(OSError, match="weights.pt cannot be written"):
        lh.save_weights(lh.LeNet5(), path)


class Fixed(torch.nn.Module):
    """Answers what is written in the first pixels: logits known by hand."""

    def forward(self, x):
        return x[:, 0, 0, :10] * 10


def test_evaluation_by_hand():
    """1,032 twos (1,024 right, 8 taken for a seven) and 60 sevens (all right)."""
    labels = torch.tensor([2] * 1032 + [7] * 60)
    guesses = torch.tensor([2] * 1024 + [7] * 68)
    images = torch.zeros(len(labels), 1, 28, 28, dtype=torch.uint8)
    images[torch.arange(len(labels)), 0, 0, guesses] = 255
    result = lh.evaluate(Fixed(), TensorDataset(images, labels))
    assert result.loss == pytest.approx(np.log(np.exp(10) + 9) - 10 * 1084 / 1092, rel=1e-5)
    assert result.accuracy == 1084 / 1092
    assert result.correct.tolist() == [0, 0, 1024, 0, 0, 0, 0, 60, 0, 0]
    assert result.total.tolist() == [0, 0, 1032, 0, 0, 0, 0, 60, 0, 0]
    assert result.confusion.shape == (10, 10) and result.confusion.sum() == 1092
    assert result.confusion[2, 7] == 8 and torch.equal(result.predictions, guesses)
    lines = repr(result).splitlines()  # the lesson's, to the column
    assert re.fullmatch(r"Test Loss: \d\.\d{6}", lines[0]) and lines[1] == ""
    assert lines[2] == "Test Accuracy of     0:  0% ( 0/ 0)"  # the lesson's %2d
    assert lines[4] == "Test Accuracy of     2: 99% (1024/1032)"  # 99.22%, rounded down
    assert lines[9] == "Test Accuracy of     7: 100% (60/60)"
    assert lines[12:] == ["", "Test Accuracy (Overall): 99% (1084/1092)"]


def test_weights_as_people_have_them(tmp_path):
    """Alone, of DataParallel, and in two checkpoints of a compiled network in DataParallel."""
    state, path = fresh(3).state_dict(), tmp_path / "w.pt"
    compiled = {f"module._orig_mod.{key}": value for key, value in state.items()}
    rest = {"epoch": 7, "optimizer": torch.optim.SGD(fresh().parameters(), 0.1).state_dict()}
    checkpoints = {**rest, "state_dict": compiled}, {**rest, "model": compiled}
    for content in state, torch.nn.DataParallel(fresh(3)).state_dict(), *checkpoints:
        torch.save(content, path)
        assert torch.equal(weights(lh.load_weights(fresh(), path)), weights(fresh(3)))


def test_the_projects_weights_from_any_folder(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in "../trained/lenet5.pt", "notebooks/trained/lenet5.pt":
        assert torch.equal(weights(lh.load_weights(fresh(), path)), weights(network))


DAMAGED = {  # what the bytes of a whole file become
    "a web page": lambda content: b"<html>not weights</html>",
    "cut off": lambda content: content[:5000],
    "a byte flipped": lambda c: c[:100_000] + bytes([c[100_000] ^ 1]) + c[100_001:],
}
FOREIGN = {  # what is saved
    "a whole model": fresh(),
    "another fc1": {**fresh().state_dict(), "fc1.weight": torch.zeros(120, 256)},
    "a layer more": {**fresh().state_dict(), "fc4.weight": torch.zeros(1)},
    "no dictionary": torch.zeros(3),
    "no tensors": {"c1.weight": 3},
}


@pytest.mark.parametrize("kind", DAMAGED | FOREIGN)
def test_a_damaged_or_foreign_file_is_refused(kind, tmp_path, capsys):
    path, model = tmp_path / "w.pt", fresh()
    torch.save(FOREIGN.get(kind, model.state_dict()), path)
    if kind in DAMAGED:
        path.write_bytes(DAMAGED[kind](path.read_bytes()))
    before = weights(model).clone()
    words = "holds more than numbers.*save_weights" if kind == "a whole model" else ""
    with pytest.raises(ValueError, match=f"w.pt.*{words}") as error:
        lh.load_weights(model, path)
    assert len(str(error.value).splitlines()) == 1
    assert torch.equal(weights(model), before) and capsys.readouterr().out == ""
    with pytest.raises(FileNotFoundError, match="notebook 04"):
        lh.load_weights(model, tmp_path / "none.pt")


def test_command_line(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lh, "load_mnist", lambda root: small)
    save, log = tmp_path / "lenet5.pt", tmp_path / "log.txt"
    arguments = f"--epochs 2 --seed 1 --save {save.as_posix()} --log {log.as_posix()}"
    monkeypatch.setattr(sys, "argv", ["lenet_helpers.py", *arguments.split()])
    assert lh.main() == 0
    title, *lines = log.read_text(encoding="utf-8").splitlines()
    assert title == f"python lenet_helpers.py {arguments}"
    assert re.fullmatch(r"Epoch: 1 \tTraining Loss: \d\.\d{6}", lines[0])
    assert re.fullmatch(r"Test Accuracy \(Overall\): \d\d% \(\d+/\d+\)", lines[-1])
    assert capsys.readouterr().out.splitlines()[-len(lines) :] == lines
    state = torch.load(save, weights_only=True)
    assert lh.LeNet5().load_state_dict(state)
    assert all(value.is_contiguous() for value in state.values())


def test_the_helper_is_a_script():
    script = [sys.executable, files.PROJECT / "lenet_helpers.py", "--epochs", "0"]
    done = subprocess.run(script, capture_output=True, encoding="utf-8")
    assert done.returncode and done.stderr.startswith("python lenet_helpers.py: epochs = 0")


BAD = {  # arguments: what is said of them
    "--epochs ten": "ten",
    "--save=": "cannot be written",
    "--save file/w.pt": "file/w.pt cannot be written",  # found before the data
    "--data there/is/none": "there/is/none",
}


@pytest.mark.parametrize("arguments", BAD)
def test_a_bad_argument_is_a_line(arguments, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as exit:
        lh.main(arguments.split())
    said = capsys.readouterr().err.strip()
    assert exit.value.code and BAD[arguments] in said and len(said.splitlines()) <= 2


def test_an_interrupt_of_the_command_is_a_line(monkeypatch, capsys, tmp_path):
    def interrupted(root):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lh, "load_mnist", interrupted)
    for options, said in {(): "", ("--save", "w.pt"): " on disk: w.pt"}.items():
        with pytest.raises(SystemExit) as exit:
            lh.main([*options])
        error = capsys.readouterr().err
        assert exit.value.code == 130 and error.startswith("Interrupted.")
        assert error.endswith(f"{said}.\n")


def test_trying_files_changes_nothing_and_a_link_stays_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old, link = tmp_path / "old.pt", tmp_path / "link.pt"
    old.write_bytes(b"old")
    link.symlink_to(old)
    files.try_files("old.pt", "w.pt", "link.pt")
    assert old.read_bytes() == b"old" and {*tmp_path.iterdir()} == {old, link}
    files.write_file(link, b"new")
    assert link.is_symlink() and old.read_bytes() == b"new"


def test_a_folder_that_cannot_be_written_is_a_line(small, tmp_path, monkeypatch, capsys):
    """As on a shared folder: nobody chose the place, so the class goes on; a chosen one raises."""
    (tmp_path / "data").write_text("in the way of the folder")
    own = tmp_path / "data" / "my_lenet5.pt"
    monkeypatch.setattr(plan, "UNNAMED", own)
    run = lh.train_in_background(fresh(), small, epochs=1, save=own)
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 1 and "my_lenet5.pt cannot be written" in said
    assert "LENET_SAVE" in said and len(run.wait()) == 1
    with pytest.raises(OSError, match="other.pt cannot be written"):
        lh.train_in_background(fresh(), small, epochs=1, save=own.with_name("other.pt"))
