"""The files of MNIST in a folder, whatever they are called: found and checked by their content."""

import contextlib
import hashlib
import mmap
import os
import stat
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
LEVELS = 2  # of folders in the data folder that are looked into
GZIP = b"\x1f\x8b"  # a packed file's first bytes; its last four are the plain file's size


def missing_files(folder: Path) -> list[str]:
    """The names of MNIST's files for which a folder has none of the right size; what is in the
    others is not looked at."""
    try:
        files, _ = _files(folder)
    except OSError:
        files = {}
    return [
        name
        for name, (size, _) in MNIST_FILES.items()
        if not any(_fits(path, files[path], size) for path in _by_name(files, name))
    ]


def read_files(folder: Path) -> list[bytearray | mmap.mmap]:
    """The plain contents of MNIST_FILES, from a folder and LEVELS down.

    Raises FileNotFoundError for a file that is missing, ValueError for one that is wrong, OSError
    for what cannot be read.
    """
    files, closed = _files(folder)
    contents = []
    for name in MNIST_FILES:
        content = _first_whole(files, name)
        if content is None:
            values = {"folder": shown_path(folder), "name": name}
            if not closed:
                raise FileNotFoundError(text("data_no_file", **values))
            path, error = shown_path(Path(closed[0].filename or folder)), closed[0].strerror
            raise OSError(text("data_closed", **values, path=path, error=error))
        contents.append(content)
    return contents


def _files(folder):
    """The files in a folder and LEVELS down, {path: bytes}, and the errors of folders that cannot
    be looked into. Raises OSError where `folder` itself cannot."""
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: no name of a file
        raise FileNotFoundError(text("data_no_folder", folder=shown_path(folder))) from None
    except OSError as error:
        raise unreadable(shown_path(folder), error) from None
    files, errors = {}, []
    for place, folders, names in os.walk(folder, onerror=errors.append, followlinks=True):
        if len(Path(place).relative_to(folder).parts) == LEVELS:
            folders.clear()
        for path in (Path(place, name) for name in names):
            try:
                files[path] = os.path.getsize(path)
            except OSError:
                files[path] = 0  # whoever reads it is told why
    return files, errors


def _by_name(files, name):
    """The paths of all files; those that are called like one of MNIST_FILES first, also when
    `(1)` or .gz follows or a dot replaces a dash, the shortest name first."""
    return sorted(files, key=lambda path: (not _is_called(path, name), len(path.name)))


def _is_called(path, name):
    return name in path.name.lower().replace(".", "-")


def _fits(path, found, size):
    """Whether a file of `found` bytes is one of `size` bytes, plain or packed."""
    if found == size:
        return True
    if not size // 8 < found < 1.1 * size + 500:  # not to open a folder's thousands of files
        return False
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
            file.seek(-4, os.SEEK_END)
            return packed and int.from_bytes(file.read(), "little") == size
    except OSError:
        return False


def _first_whole(files, name):
    """The content of the first of these files that is one of MNIST_FILES; None where none seems to
    be. Where one does and is not whole, raises what is wrong with it."""
    errors = []
    for path in _by_name(files, name):
        if _is_called(path, name) or _fits(path, files[path], MNIST_FILES[name][0]):
            try:
                return checked_bytes(path, name)
            except (OSError, ValueError) as error:
                errors.append(error)
    if errors:
        raise errors[0]


def checked_bytes(path: Path, name: str) -> bytearray | mmap.mmap:
    """The plain content of one of MNIST_FILES. ValueError says what is wrong with it, OSError why
    it cannot be read."""
    (size, md5), shown = MNIST_FILES[name], shown_path(path)
    try:
        content, found = _unpacked_bytes(path, size)
    except zlib.error as error:
        raise ValueError(text("data_bad_gz", path=shown, error=error)) from None
    except OSError as error:
        raise unreadable(shown, error) from None
    if content[:64].lstrip().startswith(b"<"):
        raise ValueError(text("data_html", path=shown))
    if len(content) < size:
        raise ValueError(text("data_size", path=shown, found=len(content), size=size))
    if found.hexdigest() != md5:
        raise ValueError(text("data_md5", path=shown, name=name, md5=md5))
    return content


def _unpacked_bytes(path, size):
    """A file's content, unpacked, to one byte more than `size`, and its MD5; where nobody may write
    to the file, as in a shared folder, mapped, so that kernels share it."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # to open a pipe would take for ever
        raise OSError(text("no_file"))
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        may_change = os.access(path, os.W_OK) and found.st_mode & 0o222  # root may write anything
        if found.st_size == size and not may_change:
            # read before it is mapped: a fault of the disk raises here; in mapped memory it kills
            md5 = hashlib.file_digest(file, _md5)
            with contextlib.suppress(OSError):  # not every drive can
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), md5
            file.seek(0)
        if packed:
            content = zlib.decompressobj(wbits=31).decompress(file.read(), size + 1)
        else:
            content = file.read(size + 1)
    return bytearray(content), _md5(content)


def _md5(content=b""):
    return hashlib.md5(content, usedforsecurity=False)
