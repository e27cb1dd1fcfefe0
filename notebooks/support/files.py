"""Paths as people type them, and files written whole or not at all."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from .words.texts import text

PROJECT = Path(__file__).resolve().parents[2]
LOCK_SECONDS = 10  # a kernel writes in milliseconds; the lock of one that died is free at once


def typed_path(typed: str | Path | None, base: str | Path = "") -> Path | None:
    """A path as people type it, with `~`, blanks and quotes, made absolute; a relative one counts
    from `base`, else from the current folder. None where nothing is typed."""
    path = os.path.expanduser(os.fspath(typed or "").strip(" \t\r\n\"'“”‘’"))
    return Path(os.path.abspath(os.path.join(base, path))) if path else None


UNNAMED = PROJECT / "data" / "my_lenet5.pt"  # where a network goes if nobody says where
MY_NETWORK = typed_path(os.environ.get("LENET_SAVE"), PROJECT) or UNNAMED  # of notebook 04


def shown_path(path: Path) -> str:
    """A path as it is shown: in the project, from there on; a saved notebook tells no machine's."""
    if not path.is_relative_to(PROJECT):
        return str(path)
    return text("in_project", path=path.relative_to(PROJECT).as_posix())


def unreadable(path: str | Path, error: OSError) -> OSError:
    """What to raise where a file or folder cannot be read: says which, why, and what to do."""
    return OSError(text("not_readable", path=path, error=error.strerror or error))


def write_file(path: str | Path, content: bytes) -> None:
    """Writes bytes beside the file and renames: a reader sees the old file or the new one, never
    half of one. Makes the folder. Raises OSError, naming the file and what to do."""
    path = _written_path(path)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")  # of this kernel alone
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise _not_written(path, error) from None


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """One kernel at a time reads a file, adds to it and writes it. Raises OSError, naming the file,
    where that cannot be done or another kernel holds the lock for LOCK_SECONDS."""
    lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(poll_interval=0.01)
    except Timeout:
        raise OSError(text("file_busy", path=path, seconds=LOCK_SECONDS)) from None
    except (OSError, NotImplementedError) as error:  # the second on a drive without locks
        raise _not_written(path, error) from None
    try:
        yield
    finally:
        lock.release()


def try_files(*paths: str | Path) -> None:
    """Finds what cannot be written before hours of work, and leaves every file as it was. Raises
    OSError as `write_file` does."""
    for path in map(_written_path, paths):
        there = path.exists()
        write_file(path, path.read_bytes() if path.is_file() else b"")
        if not there:
            path.unlink()


def _not_written(path, error):
    reason = getattr(error, "strerror", None) or error
    return OSError(text("cannot_write", path=path, error=reason))


def _written_path(path):
    """Where a path leads: a link is followed, so that it stays one."""
    return Path(os.path.realpath(typed_path(path) or ""))
