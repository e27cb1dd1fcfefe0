"""A data set of digits to learn from; scikit-learn's small one, for where there is no MNIST."""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset


class Digits(NamedTuple):
    """`train` and `test`: TensorDatasets of uint8 images (N, 1, 28, 28) and int64 labels (N,).
    `source`: "MNIST" or "scikit-learn". Notebooks 05 and 07.

        part = lh.Digits(TensorDataset(images, labels), digits.test, digits.source)
    """

    train: TensorDataset
    test: TensorDataset
    source: str


def small_set() -> tuple[np.ndarray, np.ndarray, int]:
    """scikit-learn's 1,797 digits: 8x8 numbers from 0 to 16 (1797, 64), labels (1797,), and how
    many are to learn from: the first ones. A fifth, always the same, is for the test."""
    from sklearn.datasets import load_digits  # takes seconds
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    order = np.concatenate(parts)
    return images[order], labels[order], len(parts[0])


def sklearn_digits() -> Digits:
    """scikit-learn's 1,797 real digits, 8x8 pixels, in MNIST's style: 20x20 inside 28x28, uint8. A
    fifth, always the same, is for the test. Notebook 07, and wherever there is no MNIST.

        history = lh.train(lh.LeNet5(), lh.sklearn_digits(), epochs=5)  # seconds
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
