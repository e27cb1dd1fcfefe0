"""Weights and other files, written whole or not at all."""

import contextlib
import io
import os
import uuid
import zipfile
from pathlib import Path

import torch

from .texts import text

PROJECT = Path(__file__).resolve().parents[2]

MY_NETWORK = Path(
    os.environ.get("LENET_SAVE") or PROJECT / "data" / "my_lenet5.pt"
)  # 04 saves it, 00 draws for it


def save_weights(model, path):
    """Writes the model's `state_dict` to a file, which appears whole or not at all. Notebook 04."""
    save_file({name: value.cpu().contiguous() for name, value in model.state_dict().items()}, path)


def load_weights(model, path):
    """Loads what `save_weights` wrote into a model, and returns it. Notebooks 00, 06.

    Raises FileNotFoundError, PermissionError, or ValueError for a file that is damaged, is not this model's, or holds
    more than numbers (torch's weights_only: nothing in the file is run).
    """
    state = load_file(Path(path), "no_weights", "weights_damaged")
    check_fits(model, state, path)
    model.load_state_dict(state)
    return model


def load_file(path, missing, damaged):
    """What `torch.save` wrote to a file, on the CPU, without running anything in it. Raises FileNotFoundError and
    ValueError with these texts, and PermissionError."""
    if not os.path.isfile(path):
        raise FileNotFoundError(text(missing, path=path))
    try:
        content = path.read_bytes()
        if zipfile.ZipFile(io.BytesIO(content)).testzip():  # torch does not compare the checksums
            raise zipfile.BadZipFile
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except PermissionError:
        raise PermissionError(text("not_readable", path=path)) from None
    except Exception as error:  # a damaged file raises whatever its first bad byte makes of it
        raise ValueError(text(damaged, path=path, error=type(error).__name__)) from None


def check_fits(model, state, path):
    """Raises ValueError where the weights `state`, read from a file, are another network's."""
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = (
        {
            name: tuple(value.shape)
            for name, value in state.items()
            if isinstance(value, torch.Tensor)
        }
        if isinstance(state, dict)
        else {}
    )
    if found != wanted:
        name = next(
            (name for name in wanted if found.get(name) != wanted[name]),
            next(iter(found.keys() - wanted), ""),
        )
        raise ValueError(
            text(
                "weights_foreign",
                path=path,
                name=name,
                found=found.get(name),
                wanted=wanted.get(name),
            )
        )


def save_file(content, path):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_file(path, buffer.getvalue())


def write_file(path, content):
    """Writes bytes beside the file and renames: a reader sees the old file or the new one, never half of one."""
    path = Path(path)
    part = path.with_name(
        f"{path.name}.{uuid.uuid4().hex[:8]}.part"
    )  # two kernels may write the same file
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OSError(text("cannot_write", path=path, error=error.strerror or error)) from None


def check_writable(path):
    """Raises OSError now for a file that could not be written after an epoch; makes its folder."""
    path = Path(path)
    test = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.test")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError(text("no_file"))
        test.write_bytes(b"")
        test.unlink()
    except OSError as error:
        raise OSError(text("cannot_write", path=path, error=error.strerror or error)) from None
