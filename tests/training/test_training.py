"""Training on the small set, the report's format, the command line, and files that are whole or not there."""

import errno
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest
import torch
from material import fresh, weights
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support import files
from notebooks.support.data import mnist
from notebooks.support.training import plan
from notebooks.support.training.run import threads_beside_the_kernel


def test_loss_falls_and_digits_are_read(small, trained):
    model, history = trained
    assert [result.epoch for result in history] == [1, 2, 3, 4, 5]
    assert history[-1].loss < history[0].loss / 4 and history[-1].accuracy > 0.9
    assert history[-1].accuracy == lh.evaluate(model, small.test).accuracy
    assert all(result.seconds > 0 for result in history)


def test_same_seed_same_weights(small):
    models = [fresh(), fresh(), fresh()]
    for model, seed in zip(models, (3, 3, 4)):
        lh.train(model, small, epochs=1, seed=seed)
    same, again, other = map(weights, models)
    assert torch.equal(same, again) and not torch.equal(same, other)


def test_dropout_draws_from_the_seed(small):
    """Wherever torch's random numbers are, and they stay there."""

    class Dropout(lh.LeNet5):
        def forward(self, x):
            return F.dropout(super().forward(x), 0.3, self.training)

    trained = []
    for numbers, seed in ((1, 3), (2, 3), (1, 4)):
        model = Dropout()
        model.load_state_dict(fresh().state_dict())
        torch.manual_seed(numbers)
        before = torch.get_rng_state()
        lh.train(model, small, epochs=1, seed=seed)
        assert torch.equal(before, torch.get_rng_state())
        trained.append(weights(model))
    assert torch.equal(trained[0], trained[1]) and not torch.equal(trained[0], trained[2])


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
    save, log = tmp_path / "new folder" / "lenet5.pt", tmp_path / "log.txt"
    saved, real = [], lh.train_epoch

    def interrupted(model, *rest):
        if len(saved) == 2:
            raise KeyboardInterrupt
        loss = real(model, *rest)
        saved.append(weights(model))
        return loss

    monkeypatch.setattr(lh, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lh.train(fresh(), small, epochs=5, save=save, log=log)
    model = lh.LeNet5()
    model.load_state_dict(torch.load(save, weights_only=True))
    assert torch.equal(weights(model), saved[1])
    assert re.fullmatch(
        r"Epoch: 1 \tTraining Loss: \d\.\d{6}\nEpoch: 2 \tTraining Loss: \d\.\d{6}\n",
        log.read_text(),
    )
    assert not list(tmp_path.rglob("*.part")) and not list(tmp_path.rglob("*.test"))


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")

    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        lh.save_weights(lh.LeNet5(), path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_numbers_of_numpy_and_large_ones(small, tmp_path):
    numbers = dict(epochs=np.int64(1), seed=np.int64(2**40), batch_size=np.int32(64))
    assert len(lh.train(fresh(), small, **numbers, max_lr=np.float64(0.05))) == 1


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENAMETOOLONG])
def test_a_folder_that_takes_nothing_is_a_sentence(tmp_path, monkeypatch, code):
    """A read-only disk refuses to delete what is not there, too."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    for name in ("write_bytes", "unlink"):
        monkeypatch.setattr(files.Path, name, refuse)
    with pytest.raises(OSError, match=rf"w.pt cannot be written \({os.strerror(code)}"):
        files.write_file(tmp_path / "w.pt", b"")


class Fixed(torch.nn.Module):
    """Answers what is written in the first pixels: logits known by hand."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x[:, 0, 0, :10] * self.scale * 10


def known():
    """1,032 twos (1,024 right, 8 taken for a seven) and 60 sevens (all right)."""
    labels = torch.tensor([2] * 1032 + [7] * 60)
    guesses = torch.tensor([2] * 1024 + [7] * 68)
    images = torch.zeros(len(labels), 1, 28, 28, dtype=torch.uint8)
    images[torch.arange(len(labels)), 0, 0, guesses] = 255
    return TensorDataset(images, labels)


def test_evaluation_by_hand():
    result = lh.evaluate(Fixed(), known())
    log_sum = np.log(np.exp(10) + 9)
    assert result.loss == pytest.approx(log_sum - 10 * 1084 / 1092, rel=1e-5)
    assert result.accuracy == 1084 / 1092
    assert result.correct.tolist() == [0, 0, 1024, 0, 0, 0, 0, 60, 0, 0]
    assert result.total.tolist() == [0, 0, 1032, 0, 0, 0, 0, 60, 0, 0]
    assert result.confusion.shape == (10, 10) and result.confusion.sum() == 1092
    assert result.confusion[2, 7] == 8
    assert result.predictions.tolist() == [2] * 1024 + [7] * 68


def test_report_is_the_lessons_to_the_column():
    lines = repr(lh.evaluate(Fixed(), known())).splitlines()
    assert re.fullmatch(r"Test Loss: \d\.\d{6}", lines[0]) and lines[1] == ""
    assert lines[2] == "Test Accuracy of     0:  0% ( 0/ 0)"  # the lesson's %2d
    assert lines[4] == "Test Accuracy of     2: 99% (1024/1032)"  # 99.22%, rounded down
    assert lines[9] == "Test Accuracy of     7: 100% (60/60)"
    assert lines[12:] == ["", "Test Accuracy (Overall): 99% (1084/1092)"]


def test_weights_come_back(tmp_path):
    path = tmp_path / "w.pt"
    model = fresh(3)
    lh.save_weights(model, path)
    assert torch.equal(weights(lh.load_weights(fresh(4), path)), weights(model))


def checkpoint(name):
    """A checkpoint of a compiled network in DataParallel, with what else people keep in one."""
    state = {f"module._orig_mod.{key}": value for key, value in fresh(3).state_dict().items()}
    optimizer = torch.optim.SGD(fresh().parameters(), 0.1).state_dict()
    return {"epoch": 7, "optimizer_state_dict": optimizer, name: state}


AS_PEOPLE_HAVE_THEM = {
    "state_dict": lambda path: torch.save(checkpoint("state_dict"), path),
    "model": lambda path: torch.save(checkpoint("model"), path),
    "DataParallel": lambda path: torch.save(torch.nn.DataParallel(fresh(3)).state_dict(), path),
    "before 1.6": lambda path: torch.save(
        fresh(3).state_dict(), path, _use_new_zipfile_serialization=False
    ),
}


@pytest.mark.parametrize("kind", AS_PEOPLE_HAVE_THEM)
def test_weights_as_people_have_them(kind, tmp_path):
    AS_PEOPLE_HAVE_THEM[kind](tmp_path / "w.pt")
    assert torch.equal(weights(lh.load_weights(fresh(), tmp_path / "w.pt")), weights(fresh(3)))


def test_a_whole_model_is_said_to_be_one(tmp_path):
    torch.save(fresh(), tmp_path / "w.pt")
    with pytest.raises(ValueError, match="w.pt holds more than numbers.*save_weights"):
        lh.load_weights(fresh(), tmp_path / "w.pt")


def test_the_projects_weights_from_any_folder(tmp_path, monkeypatch):
    shipped = "notebooks/trained/lenet5.pt"
    expected = weights(lh.load_weights(fresh(), files.PROJECT / shipped))
    for folder in (tmp_path, files.PROJECT, files.PROJECT / "notebooks" / "zh"):
        monkeypatch.chdir(folder)
        for path in ("../trained/lenet5.pt", shipped):
            assert torch.equal(weights(lh.load_weights(fresh(), path)), expected)


class Payload:
    def __reduce__(self):
        return (print, ("code from a weights file was run",))


def spoilt(path, spoil):
    lh.save_weights(lh.LeNet5(), path)
    path.write_bytes(spoil(path.read_bytes()))


def changed_state(path, **more):
    torch.save({**lh.LeNet5().state_dict(), **more}, path)


FOREIGN = {
    "text": lambda path: path.write_text("<html>not weights</html>"),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: spoilt(path, lambda c: c[:5000]),
    "a byte flipped": lambda path: spoilt(
        path, lambda c: c[:100_000] + bytes([c[100_000] ^ 1]) + c[100_001:]
    ),
    "a payload": lambda path: torch.save({"c1.weight": Payload()}, path),
    "another network": lambda path: lh.save_weights(torch.nn.Linear(2, 2), path),
    "another fc1": lambda path: changed_state(path, **{"fc1.weight": torch.zeros(120, 256)}),
    "a layer more": lambda path: changed_state(path, **{"fc4.weight": torch.zeros(1)}),
    "no dictionary": lambda path: torch.save(torch.zeros(3), path),
    "no tensors": lambda path: torch.save({"c1.weight": 3}, path),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_damaged_or_foreign_file_is_refused(kind, tmp_path, capsys):
    path, model = tmp_path / "w.pt", fresh()
    FOREIGN[kind](path)
    before = weights(model).clone()
    with pytest.raises(ValueError, match="w.pt") as error:
        lh.load_weights(model, path)
    assert len(str(error.value).splitlines()) == 1
    assert torch.equal(weights(model), before) and capsys.readouterr().out == ""
    with pytest.raises(FileNotFoundError, match="notebook 04"):
        lh.load_weights(model, tmp_path / "none.pt")


def test_weights_of_somebody_else(tmp_path, monkeypatch):
    lh.save_weights(fresh(), tmp_path / "w.pt")

    def refuse(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files.Path, "read_bytes", refuse)
    with pytest.raises(OSError, match=r"w.pt cannot be read \(Input"):
        lh.load_weights(fresh(), tmp_path / "w.pt")


def test_two_threads_write_one_file(tmp_path):
    """Neither fails, and what is there at any time is one of the two, whole."""
    models, path = [fresh(1), fresh(2)], tmp_path / "w.pt"
    lh.save_weights(models[0], path)
    with ThreadPoolExecutor() as pool:
        writing = [pool.submit(lh.save_weights, model, path) for model in 40 * models]
        while not all(each.done() for each in writing):
            found = weights(lh.load_weights(lh.LeNet5(), path))
            assert any(torch.equal(found, weights(model)) for model in models)
        assert not any(each.exception() for each in writing)
    assert [path.name for path in tmp_path.iterdir()] == ["w.pt"]


def test_the_disk_fills_up_during_a_background_training(small, tmp_path, monkeypatch):
    """The run ends with the reason; the last whole epoch stays on disk."""
    path, written = tmp_path / "w.pt", []

    def full(*_):
        written.append(path)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(*_)

    replace = os.replace
    monkeypatch.setattr(os, "replace", full)
    run = lh.train_in_background(fresh(), small, epochs=50, save=path)
    with pytest.raises(OSError, match="w.pt cannot be written .No space left"):
        run.wait()
    assert len(run.history) == 2 and list(tmp_path.iterdir()) == [path]
    assert weights(lh.load_weights(lh.LeNet5(), path)).isfinite().all()


def test_what_is_there_stays_until_the_first_epoch_has_ended(small, tmp_path, monkeypatch):
    """A folder that cannot be written is found at once, and an earlier network is not lost."""
    paths = tmp_path / "w.pt", tmp_path / "log.txt"
    lh.train(fresh(), small, epochs=1, save=paths[0], log=paths[1])
    before = [path.read_bytes() for path in paths]
    monkeypatch.setattr(lh, "train_epoch", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lh.train(fresh(1), small, epochs=1, save=paths[0], log=paths[1])
    assert [path.read_bytes() for path in paths] == before


def test_on_one_core(monkeypatch, small):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert threads_beside_the_kernel() == 1
    assert len(lh.train_in_background(fresh(), small, epochs=1).wait()) == 1


def command(*arguments):
    script = [sys.executable, str(files.PROJECT / "lenet_helpers.py"), *map(str, arguments)]
    return subprocess.run(script, capture_output=True, encoding="utf-8", timeout=120)


@pytest.fixture
def no_network(monkeypatch):
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("LENET_DATA", raising=False)


def test_command_line(tmp_path, no_network):
    save, log = tmp_path / "lenet5.pt", tmp_path / "log.txt"
    done = command("--epochs", 2, "--seed", 1, "--save", save, "--log", log)
    assert done.returncode == 0, done.stderr
    title, *lines = log.read_text(encoding="utf-8").splitlines()
    options = f"--epochs 2 --seed 1 --save {save.as_posix()} --log {log.as_posix()}"
    assert title == f"python lenet_helpers.py {options}"
    assert re.fullmatch(r"Epoch: 1 \tTraining Loss: \d\.\d{6}", lines[0])
    assert re.fullmatch(r"Test Accuracy \(Overall\): \d\d% \(\d+/\d+\)", lines[-1])
    assert done.stdout.splitlines()[-len(lines) :] == lines
    state = torch.load(save, weights_only=True)
    assert lh.LeNet5().load_state_dict(state)
    assert all(value.is_contiguous() for value in state.values())


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--epochs", "0"], "0"),
        (["--epochs", "ten"], "ten"),
        (["--nonsense"], "--nonsense"),
        (["--data", "no-such-folder"], "no-such-folder"),
        (["--save", "."], "."),
        (["--save", ""], "cannot be written"),
        (["--save", "file/w.pt"], "file/w.pt cannot be written"),  # found before the data
        (["--log=~/log.txt", "--data", "~/no"], "home/no"),
    ],
)
def test_a_bad_argument_is_a_line(arguments, word, monkeypatch, tmp_path, capsys, small):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "file").touch()
    monkeypatch.setattr(
        mnist, "_download", lambda folder: (_ for _ in ()).throw(OSError("no network"))
    )
    with pytest.raises(SystemExit) as exit:
        lh.main(arguments)
    error = capsys.readouterr().err
    assert exit.value.code and word in error and len(error.strip().splitlines()) <= 2


def test_the_command_prints_the_report(small, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(lh, "load_mnist", lambda root: small)
    assert lh.main(["--epochs", "1", "--save", str(tmp_path / "w.pt")]) == 0
    out = capsys.readouterr().out
    assert "Epoch: 1" in out and out.splitlines()[-1].startswith("Test Accuracy (Overall)")


def test_an_interrupt_of_the_command_is_a_line(small, monkeypatch, capsys, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lh, "load_mnist", lambda root: small)
    monkeypatch.setattr(lh, "train", interrupted)
    for options, said in [
        ([], "Interrupted.\n"),
        (["--save", str(tmp_path / "w.pt")], f"on disk: {tmp_path / 'w.pt'}.\n"),
    ]:
        with pytest.raises(SystemExit) as exit:
            lh.main(options)
        error = capsys.readouterr().err
        assert exit.value.code == 130 and error.startswith("Interrupted.") and error.endswith(said)


def test_two_files_that_are_one_are_refused_and_nothing_changes(tmp_path, monkeypatch):
    """Through `..`, a link or a folder's link; a link stays one, and no file is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.pt").write_bytes(b"old")
    for link, target in (("link.pt", "old.pt"), ("new.pt", "none.pt")):
        (tmp_path / link).symlink_to(target)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    files.try_files("old.pt", "w.pt", "new.pt")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    files.write_file("link.pt", b"new")
    assert (tmp_path / "link.pt").is_symlink() and (tmp_path / "old.pt").read_bytes() == b"new"


def test_where_the_projects_folder_cannot_be_written_a_line_says_so(
    small, tmp_path, monkeypatch, capsys
):
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


def test_it_trains_where_a_cell_switched_gradients_off(small):
    model = fresh()
    before = weights(model)
    with torch.no_grad():
        lh.train(model, small, epochs=1)
    assert not torch.equal(weights(model), before)
