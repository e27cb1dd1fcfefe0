"""What a training was asked for, checked before it begins."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from ..checks import check_argument
from ..data.digits import Digits
from ..data.own_digits import last_drawings
from ..files import UNNAMED, try_files, write_file
from ..network.activations import image_levels
from ..network.learning import check_learning
from ..network.predictions import answers_differ, as_float
from ..network.weights import save_weights
from ..words.texts import text


@dataclass
class TrainingPlan:
    """The arguments of `train`, which has checked each by itself; raises what `train` says.
    `watched`: three pairs (image (1, 28, 28), label) of `watch`, or of None the last kept."""

    model: nn.Module
    digits: Digits
    epochs: int
    batch_size: int | None = None
    max_lr: float = 0.1
    seed: int = 0
    save: str | Path | None = None
    log: str | Path | None = None
    log_title: str = ""
    augment: Callable | None = None
    watch: Iterable | None = ()

    def __post_init__(self):
        check_learning(self.model)
        if answers_differ(self.model, self.digits.test.tensors[0]):  # raises for no ten logits
            print(text("answers_differ"))
        if self.augment:
            two = as_float(self.digits.train.tensors[0][:2])
            made = self.augment(two, torch.Generator())
            found = made.shape if isinstance(made, torch.Tensor) else type(made).__name__
            if found != two.shape:
                raise ValueError(text("augment_images", found=found, wanted=two.shape))
        pairs = last_drawings(3) if self.watch is None else islice(self.watch, 3)
        self.watched = [(image_levels(image), check_argument("label", n)) for image, n in pairs]
        self.batch_size = self.batch_size or usual_batch_size(self.digits)
        self.batches = math.ceil(len(self.digits.train) / self.batch_size)  # of an epoch

    def begin_files(self) -> None:
        """Raises what `try_files` does, before the training. Where the project's own folder cannot
        be written, as a shared one, which nobody chose, a line says that nothing is saved."""
        try:
            try_files(*filter(None, (self.save, self.log)))
        except OSError as error:
            if self.log or Path(self.save) != UNNAMED:
                raise
            print(text("not_saved", error=error))
            self.save = None

    def write_files(self, model: nn.Module, history: list, evaluation) -> None:
        """After an epoch: the weights; the log, an epoch a line, and at the end the report."""
        if self.save:
            save_weights(model, self.save)
        if self.log:
            report = evaluation if len(history) == self.epochs else ""
            lines = [self.log_title, *map(str, history), str(report)]
            write_file(self.log, "".join(f"{line}\n" for line in lines if line).encode())

    def guess_note(self, result) -> str:
        """A sentence for an `EpochResult` that is no better than answers without a look, else "":
        right as often as the most frequent digit (with three standard deviations of luck), and a
        loss that is not 1% below the entropy of the labels, 2.301 on MNIST."""
        train, test = (part.tensors[1].bincount() / len(part) for part in self.digits[:2])
        share, entropy = test.max().item(), torch.special.entr(train).sum().item()
        luck = 3 * math.sqrt(share * (1 - share) / len(self.digits.test))
        blind = result.accuracy <= share + luck and result.loss > 0.99 * entropy
        if not blind and not math.isnan(result.loss):
            return ""
        loss, accuracy = f"{result.loss:.4g}", f"{result.accuracy:.1%}"
        return text("only_guesses", epoch=result.epoch, loss=loss, accuracy=accuracy)


def usual_batch_size(digits: Digits) -> int:
    """Where none was asked for: 128 can die on scikit-learn's 1,437 images."""
    return 128 if len(digits.train) > 10_000 else 32
