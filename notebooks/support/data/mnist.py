"""MNIST: from files, downloaded, or scikit-learn's digits in its place."""

import multiprocessing
import os
import urllib.request
from multiprocessing.pool import ThreadPool
from pathlib import Path

import torch
from torch.utils.data import TensorDataset

from ..files import PROJECT, shown_path, typed_path, write_file
from ..words.texts import text
from .digits import Digits, sklearn_digits
from .mnist_files import MNIST_FILES, plain_content, read_files

NETWORK_SECONDS = 4  # a server that says nothing for so long counts as dead


def load_mnist(root: str | Path | None = None) -> Digits:
    """MNIST, from `root`, else $LENET_DATA, else the project's data/. Notebooks 01 and 03 to 07.

        digits = lh.load_mnist()
        images, labels = digits.train.tensors  # uint8 (60000, 1, 28, 28), int64 (60000,)

    A folder holds the four files, plain or .gz, whatever their names, at most three folders deep.
    What data/ lacks is downloaded; where that fails, scikit-learn's 1,797 digits take MNIST's
    place, and a line says so. Raises OSError or ValueError for another folder that lacks a file.
    """
    folder, named = data_folder(root)
    try:
        return _as_digits(read_files(folder))
    except (OSError, ValueError) as error:
        if named:
            raise
        fault = error
    try:
        return _as_digits(_download(folder))
    except OSError as error:
        cause = error if isinstance(fault, FileNotFoundError) else fault
        why = str(cause).splitlines()[0].rstrip("。.")
        digits = sklearn_digits()
        n = len(digits.train) + len(digits.test)
        print(text("data_fall_back", why=why, n=n, folder=shown_path(folder)))
        return digits


def data_folder(root: str | Path | None = None) -> tuple[Path, bool]:
    """Where `load_mnist` looks, and whether somebody named that folder."""
    named = typed_path(root) or typed_path(os.environ.get("LENET_DATA"), PROJECT)
    return named or PROJECT / "data", named is not None


def _as_digits(contents):
    parts = [torch.frombuffer(content, dtype=torch.uint8) for content in contents]
    train, test = (
        TensorDataset(images[16:].view(-1, 1, 28, 28), labels[8:].long())  # behind the IDX headers
        for images, labels in (parts[:2], parts[2:])
    )
    return Digits(train, test, "MNIST")


def _download(folder):
    """The contents of MNIST_FILES from torchvision's mirrors, kept where it would have them."""
    from torchvision.datasets import MNIST  # takes seconds

    for mirror in MNIST.mirrors:
        try:
            contents = [_fetch(f"{mirror}{name}.gz", name) for name in MNIST_FILES]
            break
        except Exception as error:  # no network, and whatever half an answer makes of it
            reason = (str(error) or repr(error)).splitlines()[0].rstrip("。.")
    else:
        raise OSError(text("data_no_download", reason=reason))
    for name, content in zip(MNIST_FILES, contents):
        write_file(folder / "MNIST" / "raw" / name, content)
    return contents


def _fetch(url, name):
    # looking up a name has no limit of its own: hence a thread, which may be left behind
    with ThreadPool(1) as pool:
        opening = pool.apply_async(urllib.request.urlopen, (url,), {"timeout": NETWORK_SECONDS})
        try:
            response = opening.get(NETWORK_SECONDS)
        except multiprocessing.TimeoutError:
            raise OSError(text("data_silent", seconds=NETWORK_SECONDS)) from None
    with response:
        return plain_content(response.read(), name, url)
