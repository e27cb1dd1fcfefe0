"""Paths as people type them; weights and other files, written whole or not at all."""

import contextlib
import io
import itertools
import os
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from .checks import checked
from .forward import check_changeable
from .texts import text

PROJECT = Path(__file__).resolve().parents[2]
LOCK_SECONDS = 3  # after so long, whoever has a file's lock has died with it


def typed_path(typed: str | Path | None, base: str | Path = "") -> Path | None:
    """A path as people type it, made absolute: without the blanks and quotes around it, `~` being
    the home folder; a relative one counts from `base`, else from the current folder. None where
    nothing is typed."""
    path = os.path.expanduser(os.fspath(typed or "").strip(" \t\r\n\"'“”‘’"))
    return Path(os.path.abspath(os.path.join(base, path))) if path else None


UNNAMED = PROJECT / "data" / "my_lenet5.pt"  # where a network goes if nobody says where
MY_NETWORK = typed_path(os.environ.get("LENET_SAVE"), PROJECT) or UNNAMED  # of notebook 04


def shown_path(path: Path) -> str:
    """A path as it is shown: in the project, from there on, so that a saved notebook does not tell
    of the machine that ran it."""
    if not path.is_relative_to(PROJECT):
        return str(path)
    return text("in_project", path=path.relative_to(PROJECT).as_posix())


def unreadable(path: str | Path, error: OSError) -> OSError:
    """What to raise where a file or folder cannot be read: says which, why, and what to do."""
    return OSError(text("not_readable", path=path, error=error.strerror or error))


@checked
def save_weights(model: nn.Module, path: str | Path) -> None:
    """Writes the model's `state_dict` to a file, which appears whole or not at all.

    Raises OSError where that cannot be done.
    """
    state = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_file(path, buffer.getvalue())


@checked
def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Loads what `save_weights` wrote into a model, and returns the model. Notebooks 00, 03 and 06.

    A relative path counts from the current folder, else from the notebooks' or the project's. Takes
    a checkpoint with such weights in it, too. Raises OSError for a file that is missing, a folder
    or cannot be read; ValueError for one that is damaged, is another network's, or holds more than
    numbers (torch's weights_only: nothing in the file is run).
    """
    check_changeable(model)
    places = [typed_path(path, base) for base in ("", PROJECT / "notebooks" / "en", PROJECT)]
    path = next(filter(os.path.exists, places), places[0])
    wanted = model.state_dict()
    state = _own_names(_read_weights(path), wanted)
    shapes = [
        {name: tuple(value.shape) for name, value in part.items()} for part in (state, wanted)
    ]
    if shapes[0] != shapes[1]:
        name = next(n for n in wanted | state if shapes[0].get(n) != shapes[1].get(n))
        found, needed = (part.get(name) for part in shapes)
        raise ValueError(text("weights_foreign", path=path, name=name, found=found, wanted=needed))
    model.load_state_dict(state)
    return model


def _read_weights(path):
    """The tensors by name that a file of weights holds; raises what `load_weights` says."""
    if os.path.isdir(path):
        raise IsADirectoryError(text("weights_folder", path=path))
    if not os.path.isfile(path):
        raise FileNotFoundError(text("no_weights", path=path))
    key = "weights_damaged"
    try:
        file = io.BytesIO(path.read_bytes())
        if zipfile.is_zipfile(file):  # as torch writes it since 1.6
            archive = zipfile.ZipFile(file)
            if archive.testzip():  # torch does not compare the checksums
                raise zipfile.BadZipFile
            if any(name.endswith("data.pkl") for name in archive.namelist()):
                key = "weights_objects"  # it is whole: if torch refuses it, then for these
        file.seek(0)
        found = torch.load(file, map_location="cpu", weights_only=True)
        key = "weights_damaged"
        return next(part for part in (found, *found.values()) if _is_state(part))
    except OSError as error:
        raise unreadable(path, error) from None
    except Exception as error:  # a damaged file raises whatever its first bad byte makes of it
        raise ValueError(text(key, path=path, error=type(error).__name__)) from None


def _is_state(value):
    """Whether it holds tensors by name, as a `state_dict` does."""
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(isinstance(name, str) for name in value)
        and all(isinstance(part, torch.Tensor) for part in value.values())
    )


def _own_names(state, wanted):
    """The state without what DataParallel and torch.compile put before each name."""
    for prefix in ("module.", "_orig_mod.", "module."):
        if not any(name.startswith(prefix) for name in wanted):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def write_file(path: str | Path, content: bytes) -> None:
    """Writes bytes beside the file and renames: a reader sees the old file or the new one, never
    half of one. Makes the folder. Raises OSError, naming the file and what to do."""
    path = _written_path(path)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")  # of this kernel alone
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # root could replace /dev/null
            raise OSError(text("no_file"))
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OSError(text("cannot_write", path=path, error=error.strerror or error)) from None


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """One kernel at a time reads a file, adds to it and writes it: a lock beside it, which only one
    of them can make. Makes the folder. Raises OSError, naming the file, where that cannot be done.
    """
    lock = path.with_name(f"{path.name}.lock")
    limit = time.monotonic() + LOCK_SECONDS
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with contextlib.suppress(FileExistsError):
                lock.touch(exist_ok=False)
                break
            if time.monotonic() > limit:
                lock.unlink(missing_ok=True)
                limit = time.monotonic() + LOCK_SECONDS
            time.sleep(0.01)
    except OSError as error:
        raise OSError(text("cannot_write", path=path, error=error.strerror or error)) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def try_files(*paths: str | Path) -> None:
    """Finds what cannot be written before hours of work, and leaves every file as it was.

    Raises OSError as `write_file` does, and ValueError where two are one file, through `..`, a link
    or the case of letters.
    """
    paths = [_written_path(path) for path in paths]
    new = [path for path in paths if not os.path.lexists(path)]
    try:
        for path in paths:
            write_file(path, path.read_bytes() if os.path.isfile(path) else b"")
        for one, other in itertools.combinations(paths, 2):
            if os.path.samefile(one, other):
                raise ValueError(text("same_file", path=one))
    finally:
        for path in new:
            with contextlib.suppress(OSError):
                path.unlink()


def _written_path(path):
    """Where a path leads: a link is followed, so that it stays one."""
    return Path(os.path.realpath(typed_path(path) or ""))
