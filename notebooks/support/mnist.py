"""MNIST: found, checked, downloaded, or scikit-learn's digits in its place."""

import gzip
import hashlib
import os
import queue
import socket
import threading
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from .files import PROJECT
from .texts import text

# torchvision and scikit-learn take seconds to import: the functions that need them do it

MNIST_FILES = {  # name: (bytes, MD5) of the plain file
    "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}
NETWORK_SECONDS = 8  # a network that says nothing for so long counts as dead


class Digits(NamedTuple):
    """`train` and `test`: TensorDatasets of uint8 images (N, 1, 28, 28) and int64 labels (N,).
    `source`: "MNIST" or "scikit-learn"."""

    train: TensorDataset
    test: TensorDataset
    source: str


def load_mnist(root=None):
    """MNIST as `Digits`, from `root`, else from $LENET_DATA, else from data/ beside this file. Notebooks 00, 01, 04-06.

    A folder holds the four files, plain or .gz, itself or in MNIST/raw. Each is checked by size and MD5. A folder
    that was named is only read: FileNotFoundError says what is missing, ValueError which file is wrong,
    PermissionError what may not be read. Into data/
    torchvision downloads what is missing or faulty; with no network, scikit-learn's 1,797 digits take MNIST's place,
    and a line says so. A relative $LENET_DATA counts from this file's folder, since kernels run in the notebook's.
    """
    folder, named = data_folder(root)
    if named:
        return _read_mnist(folder)
    try:
        return _read_mnist(folder)
    except (OSError, ValueError):
        try:
            _download_mnist(folder)
            return _read_mnist(folder)
        except (
            OSError,
            RuntimeError,
            ValueError,
        ) as error:  # no network, no room, a login page's answer
            digits = sklearn_digits()
            print(
                text(
                    "data_fall_back",
                    n=len(digits.train) + len(digits.test),
                    folder=folder,
                    reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
                )
            )
            return digits


def data_folder(root=None):
    """(folder, whether somebody named it)."""
    if root is not None:
        return Path(root).expanduser().absolute(), True
    if os.environ.get("LENET_DATA"):
        return Path(os.path.normpath(PROJECT / Path(os.environ["LENET_DATA"]).expanduser())), True
    return PROJECT / "data", False


def has_mnist(folder):
    """Whether the four files are in a folder; what is in them is not looked at."""
    return all(_mnist_files(folder, name) for name in MNIST_FILES)


def _mnist_files(folder, name):
    """The paths at which a folder has one of MNIST_FILES."""
    places = [
        place / (name + end) for place in (folder / "MNIST" / "raw", folder) for end in ("", ".gz")
    ]
    return [
        path for path in places if os.path.isfile(path)
    ]  # Path.is_file raises where one may not look


def _read_mnist(folder):
    try:
        for place in (folder, folder / "MNIST", folder / "MNIST" / "raw"):
            if place.is_dir() and not os.access(
                place, os.X_OK
            ):  # a folder above may raise the same
                raise PermissionError
    except PermissionError:
        raise PermissionError(text("not_readable", path=place)) from None
    if not folder.is_dir():
        raise FileNotFoundError(text("data_no_folder", folder=folder))
    contents = []
    for name in MNIST_FILES:
        paths = _mnist_files(folder, name)
        if not paths:
            raise FileNotFoundError(text("data_no_file", folder=folder, name=name))
        contents.append(_first_whole(paths, name))
    parts = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in contents]
    train, test = (
        TensorDataset(images[16:].view(-1, 1, 28, 28), labels[8:].long())  # behind the IDX headers
        for images, labels in (parts[:2], parts[2:])
    )
    return Digits(train, test, "MNIST")


def _first_whole(paths, name):
    """The content of the first of these files that is whole; where none is, what is wrong with the first."""
    errors = []
    for path in paths:
        try:
            return _checked_bytes(path, name)
        except (PermissionError, ValueError) as error:
            errors.append(error)
    raise errors[0]


def _checked_bytes(path, name):
    """The plain content of one of MNIST_FILES; ValueError names the file, what is wrong and what to do."""
    size, md5 = MNIST_FILES[name]
    try:
        content = path.read_bytes()
    except PermissionError:
        raise PermissionError(text("not_readable", path=path)) from None
    if path.suffix == ".gz" and content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise ValueError(text("data_bad_gz", path=path, error=error)) from None
    if content[:64].lstrip()[:1] == b"<":
        raise ValueError(text("data_html", path=path))
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    for other, (_, other_md5) in MNIST_FILES.items():
        if found == other_md5 and other != name:
            raise ValueError(text("data_swapped", path=path, other=other))
    if len(content) != size:
        raise ValueError(text("data_size", path=path, found=len(content), size=size))
    if found != md5:
        raise ValueError(text("data_md5", path=path, found=found, md5=md5))
    return content


def _download_mnist(folder):
    """Downloads what `folder` lacks through torchvision. Raises OSError or RuntimeError where that fails."""
    from torchvision.datasets import MNIST as source

    answer = queue.Queue()

    def ask():  # looking up a name has no time limit of its own: hence a thread, which may be left behind
        error = None
        for mirror in source.mirrors:
            try:
                request = urllib.request.Request(mirror + source.resources[1][0], method="HEAD")
                urllib.request.urlopen(request, timeout=NETWORK_SECONDS / 2).close()
                return answer.put(None)
            except Exception as failure:
                error = failure
        answer.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        error = answer.get(timeout=NETWORK_SECONDS)
    except queue.Empty:
        error = text("data_silent", seconds=NETWORK_SECONDS)
    if error is not None:
        raise OSError(str(error))
    for name in MNIST_FILES:
        for path in _mnist_files(folder, name):  # torchvision trusts any file that exists
            try:
                _checked_bytes(path, name)
            except ValueError:
                path.unlink()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)  # torchvision sets no limit
    try:
        source(folder, download=True)
    finally:
        socket.setdefaulttimeout(before)


def sklearn_digits():
    """scikit-learn's 1,797 real digits as `Digits`: 8x8 pixels in MNIST's style, 20x20 in the middle of 28x28. A fifth,
    always the same, is for the test. Notebook 06, and wherever there is no MNIST."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) * (255 / 16)
    images = (
        F.pad(F.interpolate(images, size=20, mode="bicubic").clamp(0, 255), (4, 4, 4, 4))
        .round()
        .to(torch.uint8)
    )
    parts = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    labels = torch.tensor(labels, dtype=torch.int64)
    return Digits(*(TensorDataset(images[part], labels[part]) for part in parts), "scikit-learn")
