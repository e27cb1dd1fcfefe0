"""MNIST: found, checked, downloaded, or scikit-learn's digits in its place.

torchvision and scikit-learn take seconds to import: the functions that need them do it.
"""

import contextlib
import gzip
import hashlib
import io
import mmap
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


def load_mnist(root: str | Path | None = None) -> Digits:
    """MNIST, from `root`, else from $LENET_DATA, else from the project's data/.

    A folder holds the four files, plain or .gz, itself or in MNIST/raw. Each is checked by size and
    MD5. A folder that was named is only read: FileNotFoundError says what is missing, ValueError
    which file is wrong, PermissionError what may not be read. Into data/, torchvision downloads
    what is missing or faulty; with no network, scikit-learn's 1,797 digits take MNIST's place, and
    a line says so. A relative $LENET_DATA counts from the project's folder, since kernels run in
    the notebook's. Notebooks 01 and 03 to 06.
    """
    folder, named = data_folder(root)
    try:
        return _read_mnist(folder)
    except (OSError, ValueError):
        if named:
            raise
    try:
        _download_mnist(folder)
        return _read_mnist(folder)
    except (OSError, RuntimeError, ValueError) as error:  # no network, no room, a login page
        digits = sklearn_digits()
        n, reason = len(digits.train) + len(digits.test), (str(error) or type(error).__name__)
        first_line = reason.splitlines()[0]
        print(text("data_fall_back", n=n, folder=shown_path(folder), reason=first_line))
        return digits


def data_folder(root: str | Path | None = None) -> tuple[Path, bool]:
    """Where `load_mnist` looks, and whether somebody named that folder."""
    if root is not None:
        return Path(root).expanduser().absolute(), True
    if os.environ.get("LENET_DATA"):
        return Path(os.path.normpath(PROJECT / Path(os.environ["LENET_DATA"]).expanduser())), True
    return PROJECT / "data", False


def shown_path(path: Path) -> str:
    """A path as it is shown: in the project, from there on, so that a saved notebook does not tell
    of the machine that ran it."""
    if not path.is_relative_to(PROJECT):
        return str(path)
    return text("in_project", path=path.relative_to(PROJECT).as_posix())


def missing_files(folder: Path) -> list[str]:
    """The names of MNIST's files that a folder lacks; what is in the others is not looked at."""
    return [name for name in MNIST_FILES if not _find(folder, name)]


def _find(folder, name):
    """The paths at which a folder has one of MNIST_FILES."""
    folders = folder / "MNIST" / "raw", folder
    paths = [each / (name + end) for each in folders for end in ("", ".gz")]
    return [path for path in paths if os.path.isfile(path)]  # Path.is_file may raise


def _read_mnist(folder):
    _check_folders(folder)
    contents = []
    for name in MNIST_FILES:
        paths = _find(folder, name)
        if not paths:
            raise FileNotFoundError(text("data_no_file", folder=folder, name=name))
        contents.append(_first_whole(paths, name))
    parts = [torch.frombuffer(content, dtype=torch.uint8) for content in contents]
    train, test = (
        TensorDataset(images[16:].view(-1, 1, 28, 28), labels[8:].long())  # behind the IDX headers
        for images, labels in (parts[:2], parts[2:])
    )
    return Digits(train, test, "MNIST")


def _check_folders(folder):
    """Raises PermissionError or FileNotFoundError where a folder cannot be looked into."""
    for path in (folder, folder / "MNIST", folder / "MNIST" / "raw"):
        try:
            closed = path.is_dir() and not os.access(path, os.X_OK)
        except PermissionError:  # of a folder above
            closed = True
        if closed:
            raise PermissionError(text("not_readable", path=path))
    if not folder.is_dir():
        raise FileNotFoundError(text("data_no_folder", folder=folder))


def _first_whole(paths, name):
    """The content of the first of these files that is whole; where none is, raises what is wrong
    with the first."""
    errors = []
    for path in paths:
        try:
            return _checked_bytes(path, name)
        except (PermissionError, ValueError) as error:
            errors.append(error)
    raise errors[0]


def _checked_bytes(path, name):
    """The plain content of one of MNIST_FILES; ValueError says what is wrong and what to do."""
    size, md5 = MNIST_FILES[name]
    content = _unpacked_bytes(path)
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


def _unpacked_bytes(path):
    """A file's content, unpacked; where nobody may write to it, as in a shared folder, mapped, so
    that kernels share it. (Whoever maps a file that gets shorter, or a stick pulled out, dies.)"""
    try:
        with path.open("rb") as file:
            size, mode = os.path.getsize(path), path.stat().st_mode
            may_change = os.access(path, os.W_OK) and mode & 0o222  # root may write anything
            if may_change or not size:
                content = bytearray(file.read())
            else:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except PermissionError:
        raise PermissionError(text("not_readable", path=path)) from None
    if path.suffix != ".gz" or content[:2] != b"\x1f\x8b":
        return content
    try:
        return bytearray(gzip.decompress(content))
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise ValueError(text("data_bad_gz", path=path, error=error)) from None


def _download_mnist(folder):
    """Downloads what `folder` lacks through torchvision. Raises OSError or RuntimeError where that
    fails."""
    from torchvision.datasets import MNIST

    _check_network(MNIST)
    for name in MNIST_FILES:
        for path in _find(folder, name):  # torchvision trusts any file that exists
            try:
                _checked_bytes(path, name)
            except ValueError:
                path.unlink()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)  # torchvision sets no limit
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # an old torchvision tells of each file
            MNIST(folder, download=True)
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


def sklearn_digits() -> Digits:
    """scikit-learn's 1,797 real digits: 8x8 pixels in MNIST's style, 20x20 in the middle of 28x28.

    A fifth, always the same, is for the test. Notebook 06, and wherever there is no MNIST.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) * (255 / 16)
    images = F.interpolate(images, size=20, mode="bicubic").clamp(0, 255)
    images = F.pad(images, [4] * 4).round().to(torch.uint8)
    parts = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    labels = torch.tensor(labels, dtype=torch.int64)
    return Digits(*(TensorDataset(images[part], labels[part]) for part in parts), "scikit-learn")
