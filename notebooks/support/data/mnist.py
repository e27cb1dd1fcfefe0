"""MNIST: from files, downloaded, or scikit-learn's digits in its place.

torchvision and scikit-learn take seconds to import: the functions that need them do it.
"""

import contextlib
import io
import os
import queue
import socket
import threading
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from .mnist_files import MNIST_FILES, checked_bytes, read_files
from ..files import PROJECT, shown_path, typed_path
from ..words.texts import text

NETWORK_SECONDS = 8  # a network that says nothing for so long counts as dead


class Digits(NamedTuple):
    """`train` and `test`: TensorDatasets of uint8 images (N, 1, 28, 28) and int64 labels (N,).
    `source`: "MNIST" or "scikit-learn". Notebook 06."""

    train: TensorDataset
    test: TensorDataset
    source: str


def load_mnist(root: str | Path | None = None) -> Digits:
    """MNIST, from `root`, else from $LENET_DATA, else from the project's data/.

    A folder holds the four files, plain or .gz, itself or in folders in it, two levels down. They
    may have any names: size and MD5 tell which is which. A folder that was named is only read:
    FileNotFoundError says what is missing, ValueError which file is wrong, OSError what cannot be
    read. Into data/, torchvision downloads what is missing or faulty; where that fails,
    scikit-learn's 1,797 digits take MNIST's place, and a line says so. A relative $LENET_DATA
    counts from the project's folder, since kernels run in the notebook's. Notebooks 01 and 03 to
    06.
    """
    folder, named = data_folder(root)
    try:
        return _read_mnist(folder)
    except (OSError, ValueError) as error:
        if named:
            raise
        fault = error
    try:
        _download_mnist(folder)
        return _read_mnist(folder)
    except (OSError, ValueError) as error:
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


def _read_mnist(folder):
    parts = [torch.frombuffer(content, dtype=torch.uint8) for content in read_files(folder)]
    train, test = (
        TensorDataset(images[16:].view(-1, 1, 28, 28), labels[8:].long())  # behind the IDX headers
        for images, labels in (parts[:2], parts[2:])
    )
    return Digits(train, test, "MNIST")


def _download_mnist(folder):
    """Downloads what `folder` lacks through torchvision. Raises OSError where that fails."""
    from torchvision.datasets import MNIST

    before = socket.getdefaulttimeout()
    try:
        _check_network(MNIST)
        for name in MNIST_FILES:
            path = folder / "MNIST" / "raw" / name
            try:
                checked_bytes(path, name)
            except (OSError, ValueError):  # torchvision trusts any file that exists
                path.unlink(missing_ok=True)
        socket.setdefaulttimeout(NETWORK_SECONDS)  # torchvision sets no limit
        with contextlib.redirect_stdout(io.StringIO()):  # an old torchvision tells of each file
            MNIST(folder, download=True)
    except Exception as error:  # no network, no room, and whatever half an answer makes of it
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OSError(text("data_no_download", reason=reason.splitlines()[0])) from None
    finally:
        socket.setdefaulttimeout(before)


def _check_network(source):
    """Raises OSError where none of torchvision's mirrors answers within NETWORK_SECONDS."""
    answers = queue.Queue()

    def ask():
        error = None
        for mirror in source.mirrors:
            try:
                request = urllib.request.Request(mirror + source.resources[1][0], method="HEAD")
                urllib.request.urlopen(request, timeout=NETWORK_SECONDS / 2).close()
                return answers.put(None)
            except Exception as failure:
                error = failure
        answers.put(error)

    # looking up a name has no time limit of its own: hence a thread, which may be left behind
    threading.Thread(target=ask, daemon=True).start()
    try:
        error = answers.get(timeout=NETWORK_SECONDS)
    except queue.Empty:
        error = text("data_silent", seconds=NETWORK_SECONDS)
    if error is not None:
        raise OSError(str(error))


def small_set() -> tuple[np.ndarray, np.ndarray, int]:
    """scikit-learn's 1,797 digits: 8x8 numbers from 0 to 16 (1797, 64), labels (1797,), and how
    many are to learn from: the first ones. A fifth, always the same, is for the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    order = np.concatenate(parts)
    return images[order], labels[order], len(parts[0])


def sklearn_digits() -> Digits:
    """scikit-learn's 1,797 real digits: 8x8 pixels in MNIST's style, 20x20 in the middle of 28x28.

    A fifth, always the same, is for the test. Notebook 06, and wherever there is no MNIST.
    """
    images, labels, n_train = small_set()
    images = torch.tensor(images).view(-1, 1, 8, 8) * (255 / 16)
    images = F.interpolate(images, size=20, mode="bicubic").clamp(0, 255)
    # float64, and halves upwards: the same pixels on every machine, and in 00_demo.html
    images = F.pad((images + 1e-7).round().to(torch.uint8), [4] * 4)
    labels = torch.tensor(labels, dtype=torch.int64)
    train, test = (
        TensorDataset(images[part], labels[part]) for part in (slice(n_train), slice(n_train, None))
    )
    return Digits(train, test, "scikit-learn")
