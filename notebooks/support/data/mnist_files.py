"""The four files of MNIST in a folder, whatever they are called: known by their content."""

import hashlib
import os
import zlib
from pathlib import Path

from ..files import shown_path, unreadable
from ..words.texts import text

MNIST_FILES = {  # name: (bytes, MD5) of the plain file
    "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}
LEVELS = 3  # of folders in the data folder that are looked into: data/MNIST/raw/raw
LARGEST = 50_000_000  # bytes; a larger file is none of them
GZIP = b"\x1f\x8b"  # a packed file's first bytes; its last four are the plain file's size


def missing_files(folder: Path) -> list[str]:
    """The names of MNIST's files for which a folder has none of the right size; what is in the
    others is not looked at."""
    sizes = _plain_sizes(folder)[0].values()
    return [name for name, (size, _) in MNIST_FILES.items() if size not in sizes]


def read_files(folder: Path) -> list[bytearray]:
    """The plain contents of MNIST_FILES, from a folder and LEVELS down. Raises FileNotFoundError
    for a file that is missing, ValueError for a wrong one, OSError for what cannot be read."""
    sizes, closed = _plain_sizes(folder)
    if closed and isinstance(closed[0], (FileNotFoundError, NotADirectoryError)):
        raise FileNotFoundError(text("data_no_folder", folder=shown_path(folder)))
    return [_first_whole(sizes, name, folder, closed) for name in MNIST_FILES]


def _plain_sizes(folder):
    """{path: bytes once unpacked} of a folder and LEVELS down, and the errors of closed folders."""
    sizes, closed = {}, []
    for place, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        if len(Path(place).relative_to(folder).parts) == LEVELS:
            folders.clear()
        sizes |= {path: _plain_size(path) for path in (Path(place, name) for name in names)}
    return sizes, closed


def _plain_size(path):
    try:
        size = path.stat().st_size
        if not 4 < size < LARGEST:
            return size
        with path.open("rb") as file:
            if file.read(2) != GZIP:
                return size
            file.seek(-4, os.SEEK_END)
            return int.from_bytes(file.read(), "little")
    except OSError:
        return 0  # whoever reads it is told why


def _first_whole(sizes, name, folder, closed):
    """The content of the first file that is this one of MNIST_FILES. Raises what is wrong with the
    first that seems to be, by its size or else its name."""
    named = {path for path in sizes if name in path.name.lower().replace(".", "-")}
    fits = {path for path, size in sizes.items() if size == MNIST_FILES[name][0]}
    errors = []
    for path in sorted(named | fits, key=lambda path: (path not in fits, path not in named)):
        try:
            return plain_content(path.read_bytes(), name, shown_path(path))
        except OSError as error:
            errors.append(unreadable(shown_path(path), error))
        except ValueError as error:
            errors.append(error)
    errors += [unreadable(shown_path(Path(error.filename)), error) for error in closed]
    if errors:
        raise errors[0]
    raise FileNotFoundError(text("data_no_file", folder=shown_path(folder), name=name))


def plain_content(content: bytes, name: str, source: str) -> bytearray:
    """The content of one of MNIST_FILES, unpacked. ValueError says what is wrong with `source`."""
    size, md5 = MNIST_FILES[name]
    if content.startswith(GZIP):
        try:
            content = zlib.decompressobj(wbits=31).decompress(content, size + 1)
        except zlib.error as error:
            raise ValueError(text("data_bad_gz", path=source, error=error)) from None
    if content[:64].lstrip().startswith(b"<"):
        raise ValueError(text("data_html", path=source))
    if len(content) < size:
        raise ValueError(text("data_size", path=source, found=len(content), size=size))
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise ValueError(text("data_md5", path=source, name=name, md5=md5))
    return bytearray(content)
