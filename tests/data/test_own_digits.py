"""Drawings that a reader keeps on the pad: kept whole, read back as a dataset, damaged files told."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch

import lenet_helpers as lh
from notebooks.support import files
from notebooks.support.data import own_digits


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(own_digits, "MY_DIGITS", tmp_path / "mine" / "my_digits.npz")
    return own_digits.MY_DIGITS


def press_keep(pad, label):
    """What the page sends, and what it gets."""
    content = {"data": {"method": "custom", "content": {"keep": label}}}
    pad.comm.handle_msg({"content": content, "buffers": []})
    return pad.get_state()["_kept"]


def test_what_the_pad_keeps_comes_back_in_mnists_style(network, own, capsys):
    pad = lh.DrawPad(network)
    assert "digit" in press_keep(pad, 3)["note"] and not own.exists()  # nothing is drawn
    for digit in range(10):
        pad.drawing = lh.sample_drawing(digit)
        told = press_keep(pad, digit)
        assert told["done"] and str(digit + 1) in told["note"]
    assert "10 kept" in lh.DrawPad(network).get_state()["_kept"]["note"]  # another kernel's pad
    images, labels = own_digits.load_drawings().tensors
    assert "10" in capsys.readouterr().out and labels.tolist() == list(range(10))
    assert images.dtype == torch.uint8 and labels.dtype == torch.int64
    by_hand = torch.stack([lh.to_mnist_style(lh.sample_drawing(digit)) for digit in range(10)])
    assert (images / 255 - by_hand).abs().max() <= 0.5 / 255 + 1e-6
    assert {path.suffix for path in own.parent.iterdir()} == {".npz", ".lock"}


def test_a_training_shows_the_last_that_were_kept(small):
    for digit in (5, 3, 7, 1):
        own_digits.keep_drawing(lh.sample_drawing(digit), digit)
    run = lh.train_in_background(lh.LeNet5(), small, epochs=1)
    run.wait()
    assert [digit["label"] for digit in run.panel.watched] == [3, 7, 1]


def test_of_too_few_the_projects_own_take_their_place(capsys):
    own_digits.keep_drawing(lh.sample_drawing(3), 3)
    assert np.bincount(own_digits.load_drawings().tensors[1]).tolist() == [3] * 10
    said = capsys.readouterr().out
    assert "kept: 1" in said and "at least 10" in said and "30" in said


def test_kernels_that_keep_at_once_lose_nothing(own):
    labels = [*range(8)] * 2
    with ThreadPoolExecutor(8) as pool:  # each has a lock of its own, as kernels have
        list(pool.map(own_digits.keep_drawing, [lh.sample_drawing(3)] * 16, labels))
    assert sorted(own_digits.read_drawings()[1]) == sorted(labels)


def test_a_lock_is_its_owners_until_it_lets_go(own, monkeypatch):
    """Whoever has waited long enough is told so, and breaks nothing."""
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.1)
    keep = partial(own_digits.keep_drawing, lh.sample_drawing(3), 3)
    with files.one_at_a_time(own), ThreadPoolExecutor() as pool:
        with pytest.raises(OSError, match="my_digits.npz"):
            pool.submit(keep).result()
    assert keep() == 1


def test_a_damaged_file_is_told_and_never_written_over(network, own):
    pad = lh.DrawPad(network)
    pad.drawing = lh.sample_drawing(4)
    press_keep(pad, 4)
    half = own.read_bytes()[:500]
    np.savez(own, drawings=np.zeros((1, 28, 28), np.uint8), labels=np.array([3]))
    for content in (half, own.read_bytes()):
        own.write_bytes(content)
        with pytest.raises(ValueError, match="my_digits.npz is damaged"):
            own_digits.load_drawings()
        told = press_keep(pad, 4)
        assert "damaged" in told["note"] and not told["done"] and own.read_bytes() == content
    own.unlink()
    own.mkdir()  # cannot be written
    assert "my_digits.npz" in press_keep(pad, 4)["note"]
