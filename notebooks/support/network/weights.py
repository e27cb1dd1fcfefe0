"""A network's weights in a file."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import torch
from torch import nn

from ..checks import checked
from ..files import PROJECT, typed_path, unreadable, write_file
from ..words.texts import text
from .copies import first_difference
from .learning import check_changeable


@checked
def save_weights(model: nn.Module, path: str | Path) -> None:
    """Writes the model's `state_dict` to a file, whole or not at all. Raises OSError.

    lh.save_weights(model, "mine.pt")
    """
    state = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_file(path, buffer.getvalue())


@checked
def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Loads what `save_weights` wrote, or a checkpoint, into a model, and returns the model. A
    relative path counts from the current folder, else from the notebooks' or the project's.
    Notebooks 00, 03, 05 and 07.

        model = lh.load_weights(lh.LeNet5(), "../trained/lenet5.pt")

    Raises OSError for what cannot be read, ValueError for a file that is damaged, another
    network's, or holds more than numbers (nothing in it is run).
    """
    check_changeable(model)
    places = [typed_path(path, base) for base in ("", PROJECT / "notebooks" / "en", PROJECT)]
    path = next(filter(os.path.exists, places), places[0])
    wanted = model.state_dict()
    state = _own_names(_read_weights(path), wanted)
    if difference := first_difference(state, wanted):
        raise ValueError(text("weights_foreign", path=path, **difference))
    model.load_state_dict(state)
    return model


def _read_weights(path):
    """The tensors by name that a file of weights holds; raises what `load_weights` says."""
    if not os.path.exists(path):
        raise FileNotFoundError(text("no_weights", path=path))
    try:
        file = io.BytesIO(path.read_bytes())
        if zipfile.is_zipfile(file) and zipfile.ZipFile(file).testzip():
            raise zipfile.BadZipFile  # torch does not compare the checksums
        file.seek(0)
        found = torch.load(file, map_location="cpu", weights_only=True)
        return next(part for part in (found, *found.values()) if _is_state(part))
    except OSError as error:
        raise unreadable(path, error) from None
    except Exception as error:  # a damaged file raises whatever its first bad byte makes of it
        more = isinstance(error, pickle.UnpicklingError) and zipfile.is_zipfile(file)
        key = "weights_objects" if more else "weights_damaged"
        raise ValueError(text(key, path=path, error=type(error).__name__)) from None


def _is_state(value):
    """Whether it holds tensors by name, as a `state_dict` does."""
    pairs = value.items() if isinstance(value, dict) else ()
    named = (isinstance(n, str) and isinstance(part, torch.Tensor) for n, part in pairs)
    return len(pairs) > 0 and all(named)


def _own_names(state, wanted):
    """The state without what DataParallel and torch.compile put before each name."""
    for prefix in ("module.", "_orig_mod.", "module."):
        if not any(name.startswith(prefix) for name in wanted):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state
