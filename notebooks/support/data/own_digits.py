"""The drawings that a reader keeps, with their labels: a dataset of one's own handwriting."""

import io

import numpy as np
import torch
from torch.utils.data import TensorDataset

from ..files import MY_NETWORK, one_at_a_time, write_file
from ..words.texts import text
from .drawing import DRAWINGS, SIDE, centred, draw_strokes

MY_DIGITS = MY_NETWORK.with_name("my_digits.npz")
"""`drawings`, uint8 (N, 112, 112), and `labels`, int64 (N,)."""
ENOUGH = 10


def keep_drawing(drawing: np.ndarray, label: int) -> int:
    """Adds a drawing, uint8 (112, 112), with its label from 0 to 9 to MY_DIGITS; returns how many
    there are. Raises ValueError where the file is damaged, OSError where it cannot be written."""
    with one_at_a_time(MY_DIGITS):
        drawings, labels = read_drawings()
        drawings, labels = np.concatenate([drawings, drawing[None]]), np.append(labels, label)
        content = io.BytesIO()
        np.savez_compressed(content, drawings=drawings, labels=labels)
        write_file(MY_DIGITS, content.getvalue())
        return len(labels)


def read_drawings() -> tuple[np.ndarray, np.ndarray]:
    """Drawings and labels of MY_DIGITS, if there is such a file; ValueError for another content."""
    if not MY_DIGITS.is_file():
        return np.zeros((0, SIDE, SIDE), np.uint8), np.zeros(0, np.int64)
    try:
        with np.load(MY_DIGITS, allow_pickle=False) as file:
            drawings, labels = file["drawings"], file["labels"]
        assert drawings.dtype == np.uint8 and drawings.shape == (len(labels), SIDE, SIDE)
        assert labels.dtype == np.int64 and set(labels) <= set(range(10))
        return drawings, labels
    except Exception:  # a damaged file raises whatever its first bad byte makes of it
        raise ValueError(text("digits_damaged", name=MY_DIGITS.name)) from None


def last_drawings(n: int) -> list[tuple[torch.Tensor, int]]:
    """The last n drawings that were kept, or fewer, in MNIST's style: pairs (image, label)."""
    drawings, labels = (part[-n:] for part in read_drawings())
    return [(centred(torch.from_numpy(each) / 255), label) for each, label in zip(drawings, labels)]


def load_drawings() -> TensorDataset:
    """The drawings that you kept on the pad, or, if they are fewer than ten, the project's own, in
    MNIST's style: uint8 images (N, 1, 28, 28) and int64 labels (N,). Notebook 07.

        print(lh.evaluate(model, lh.load_drawings()))

    Raises ValueError where the file is damaged.
    """
    drawings, labels = read_drawings()
    key, kept = "digits_own", len(labels)
    if kept < ENOUGH:
        key = "digits_few"
        others = [each for each in DRAWINGS if each["note"] != "sample"]
        drawings = [draw_strokes(each["strokes"]) for each in others]
        labels = [each["digit"] for each in others]
    images = torch.stack([centred(torch.from_numpy(drawing) / 255) for drawing in drawings])
    print(text(key, n=len(images), kept=kept, enough=ENOUGH))
    return TensorDataset((images * 255).round().to(torch.uint8), torch.as_tensor(labels))
