"""Faults on purpose that no other file has: what a classroom does to a program."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from test_data import is_tiny, tiny  # noqa: F401 (fixture)
from test_training import fresh, weights

import lenet_helpers as lh
from notebooks.support import files, panel, texts


def test_the_data_folder_goes_away_during_use(tiny):  # noqa: F811
    digits = lh.load_mnist(tiny)
    shutil.rmtree(tiny)  # the USB stick is pulled out
    assert is_tiny(digits) and len(lh.train(fresh(), digits, epochs=1)) == 1
    with pytest.raises(FileNotFoundError):
        lh.load_mnist(tiny)


def test_the_disk_fills_up_during_a_background_training(small, tmp_path, monkeypatch):
    """The run ends with the reason; the last whole epoch stays on disk."""
    path, real = tmp_path / "w.pt", files.write_file
    written = []

    def full(target, content):
        if len(written) >= 6:
            raise OSError(texts.text("cannot_write", path=target, error="No space left on device"))
        written.append(target)
        real(target, content)

    monkeypatch.setattr(files, "write_file", full)
    run = lh.train_in_background(fresh(), small, epochs=50, save=path)
    with pytest.raises(OSError, match="No space left"):
        run.wait()
    assert "No space left" in run._body.value
    assert weights(lh.load_weights(lh.LeNet5(), path)).isfinite().all() and not list(
        tmp_path.glob("*.part")
    )


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_may_not_be_written(small, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="cannot be written"):
        lh.train(fresh(), small, epochs=1, save=tmp_path / "w.pt")


def test_the_data_folder_may_be_read_only(tiny):  # noqa: F811
    for path in [*tiny.iterdir(), tiny]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    assert is_tiny(lh.load_mnist(tiny))
    tiny.chmod(0o700)


def test_on_one_core(monkeypatch, small):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert panel.threads_beside_the_kernel() == 1
    assert len(lh.train_in_background(fresh(), small, epochs=1).wait()) == 1


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="only Linux can bind a process to a core"
)
def test_a_notebook_under_nbval_on_one_core(tmp_path):
    notebook = files.PROJECT / "notebooks" / "en" / "02_output_size.ipynb"
    core = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os, sys, pytest; os.sched_setaffinity(0, {{{core}}}); "
            f"sys.exit(pytest.main([{str(notebook)!r}, '-q', '-n', '0', '-p', 'no:cacheprovider']))",
        ],
        cwd=files.PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "call",
    [
        lambda small: lh.train("LeNet5", small),
        lambda small: lh.train_in_background(lh.LeNet5, small),  # the class, not a model
        lambda small: lh.train(lh.LeNet5(), small.train),
        lambda small: lh.evaluate(lh.LeNet5(), small),
        lambda small: lh.show_predictions(lh.LeNet5(), small),
    ],
)
def test_what_was_given_instead_is_named(small, call):
    with pytest.raises(TypeError, match="this is|but it is"):
        call(small)


def test_a_model_on_the_wrong_number_of_channels_is_torchs_error(small):
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 5), torch.nn.Flatten(), torch.nn.Linear(3456, 10)
    )
    with pytest.raises(RuntimeError, match="3 channels"):
        lh.train(model, small, epochs=1)
