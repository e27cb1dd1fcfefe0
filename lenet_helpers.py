"""What the notebooks use but do not teach: the lesson's vocabulary.

In a notebook: `import lenet_helpers as lh`, then `lh.start("zh")` or `lh.start("en")`.
In a terminal: `python lenet_helpers.py --help` (the lesson's training script).
Here is the code that a teacher reads; what would distract is in notebooks/support.
"""

from __future__ import annotations

import signal
import sys

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the import of torch, too

import importlib.metadata
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from packaging.version import Version
from torch import nn
from torch.nn import functional as F

# isort: off
# fmt: off
from torch.utils.data import (BatchSampler, DataLoader, RandomSampler, SequentialSampler,
    TensorDataset)
from notebooks.support.checks import check_argument, checked
from notebooks.support.data import (Digits, augment, data_folder, load_drawings, load_mnist,
    missing_files, sample_drawing, sklearn_digits, to_mnist_style)
from notebooks.support.exercises import (check, collect, guess, mystery_trainings, report,
    reveal, stroke_picture)
from notebooks.support.figures import (SIGNS, explain_cell, network_diagram, show_confusion,
    show_filters, show_layers, show_mistakes, show_patches, show_predictions)
from notebooks.support.files import MY_NETWORK, shown_path, try_files
from notebooks.support.network import (answers_differ, as_float, as_input, check_batch,
    check_gradients, check_learning, layer_table, load_weights, predict_logits, save_weights)
from notebooks.support.sizes import ConvGeometry, conv_output_size, output_size_steps
from notebooks.support.training import (TrainingPlan, TrainingRun, command_parser, print_checks,
    threads_beside_the_kernel, train_with_bar)
from notebooks.support.widgets import (DrawPad, downhill, explore_convolution, explore_kernels,
    explore_softmax)
from notebooks.support.words import label, text, use, use_chinese_font
# isort: on

__all__ = [  # by the notebook that uses it first
    "start", "label", "guess", "reveal", "check", "DrawPad", "ready", "MY_NETWORK", "LeNet5",  # 00
    "sample_drawing", "to_mnist_style", "explain_cell", "load_weights", "save_weights",
    "explore_convolution", "explore_kernels", "stroke_picture", "SIGNS", "load_mnist",  # 01
    "ConvGeometry", "conv_output_size", "output_size_steps",  # 01 and 02
    "lenet5_diagram", "show_layers",  # 03
    "digit_loader", "EpochResult", "train_in_background", "downhill", "explore_softmax",  # 04
    "Evaluation", "evaluate", "show_mistakes", "show_confusion",
    "Digits", "train_epoch", "layer_table", "show_patches", "show_filters",  # 05
    "mystery_trainings",  # 06
    "augment", "sklearn_digits", "train", "show_predictions", "load_drawings", "report",  # 07
    "collect",  # the teacher, of what was handed in
    "main",  # the command line
]
# fmt: on


def _best_device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


device = _best_device()  # where `train` puts the model; batches follow the model
FUSED = {"cuda", "cpu"} if Version(torch.__version__) >= Version("2.4") else set()  # faster SGD


def start(language: str = "en") -> None:
    """The first cell of every notebook: language of widgets and messages ("zh" or "en", else
    ValueError), device, seeds, threads, and whether MNIST is there. Notebooks 00 to 07.

        lh.start("zh")  # Python 3.12.4, torch 2.9.0, ...
    """
    global device
    use(language)
    use_chinese_font()
    device = _best_device()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(threads_beside_the_kernel())
    sys.setswitchinterval(1e-4)  # a cell of pure Python then leaves a training thread its share
    versions = f"torch {torch.__version__}, torchvision {importlib.metadata.version('torchvision')}"
    python, threads = sys.version.split()[0], torch.get_num_threads()
    print(f"Python {python}, {versions}, {device.type}, {threads} thread(s)")
    folder, named = data_folder()
    missing = ", ".join(missing_files(folder))
    key = "data_found" if not missing else "data_misnamed" if named else "data_not_yet"
    print(text(key, folder=shown_path(folder), missing=missing))


def ready() -> None:
    """What a teacher looks at the day before: versions, data, the trained network and the time of
    a training. Prints a line each, with a tick or what to do; raises nothing. Notebook 00.

        lh.ready()  # ✓ all 12 packages are there ...
    """
    print_checks(LeNet5(), _training, evaluate)


class LeNet5(nn.Module):
    """LeNet-5: images (N, 1, 28, 28) in [0, 1] -> logits (N, 10). Notebooks 00, 03 and 05 to 07.

        logits = lh.LeNet5()(torch.zeros(1, 1, 28, 28))

    LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition"
    (1998), II.B, with ReLU, max-pooling and plain logits; `padding=2` stands for its 32x32 input.
    """

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.s2 = nn.MaxPool2d(kernel_size=2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.s4 = nn.MaxPool2d(kernel_size=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)
        # ReLU halves a signal; He's start makes up for it
        for layer in (self.c1, self.c3, self.fc1, self.fc2):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.s2(F.relu(self.c1(x)))
        x = self.s4(F.relu(self.c3(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def lenet5_diagram(sizes: bool = True) -> Figure:
    """LeNet-5 layer by layer, with each layer's size or without. Notebook 03.

    lh.lenet5_diagram().savefig("lenet5.svg")
    """
    return network_diagram(layer_table(LeNet5()), sizes)


@checked
def digit_loader(
    dataset: TensorDataset,
    batch_size: int,
    shuffle: bool,
    generator: torch.Generator | None = None,
    augment: Callable | None = None,
) -> DataLoader:
    """Batches (float32 images (B, 1, 28, 28) in [0, 1], int64 labels (B,)) of a uint8 dataset, each
    taken out of the tensors at once: faster than image by image. `augment(images, generator)`
    changes each batch's images. Notebooks 04 to 07.

        for images, labels in lh.digit_loader(digits.train, 128, shuffle=True): ...
    """
    order = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    change = augment or (lambda images, generator: images)
    return DataLoader(
        dataset,
        sampler=BatchSampler(order, batch_size, drop_last=False),
        batch_size=None,
        collate_fn=lambda batch: (change(as_float(batch[0]), generator), batch[1]),
        generator=generator and torch.Generator(),  # for a number that it draws and does not use
    )


class EpochResult(NamedTuple):
    """One epoch: its number from 1, mean training loss, test accuracy in [0, 1], seconds.

    lh.train(model, digits)[0].accuracy
    """

    epoch: int
    loss: float
    accuracy: float
    seconds: float

    def __str__(self):
        return f"Epoch: {self.epoch} \tTraining Loss: {self.loss:.6f}"


@checked
@torch.enable_grad()  # a cell may have switched gradients off
def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    on_batch: Callable[[int, float], None] | None = None,
) -> float:
    """One pass over `loader`; returns the mean loss over its images. `scheduler` steps after each
    batch; `on_batch` is given its number, from 1, and its loss. Notebooks 05 to 07.

        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        loss = lh.train_epoch(model, loader, optimizer)
    """
    check_learning(model, optimizer)
    model.train()
    total = pictures = 0
    for batch, (images, labels) in enumerate(loader, 1):
        images = as_input(model, images)
        labels = labels.to(images.device)
        optimizer.zero_grad()
        logits = model(images)
        check_batch(logits, labels)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        pictures += len(labels)
        if batch == 1:
            check_gradients(model)
        if scheduler is not None:
            scheduler.step()
        if on_batch is not None:
            on_batch(batch, loss.item())
    return total / pictures


def _training(model, plan, on_batch) -> Iterator[EpochResult]:
    """The one training loop, of `plan.model` or its copy: gives each EpochResult when its weights
    and its log are on disk. SGD with momentum, weight decay and the one-cycle schedule (Smith &
    Topin, "Super-Convergence", 2017)."""
    digits, epochs = plan.digits, plan.epochs
    generator, history = torch.Generator(), []
    model.to(device, memory_format=torch.channels_last)  # pooling is faster so
    recipe = {"lr": plan.max_lr, "momentum": 0.9, "weight_decay": 5e-4}
    fused = {"fused": True} if device.type in FUSED else {}
    optimizer = torch.optim.SGD(model.parameters(), **recipe, **fused)
    steps = epochs * plan.batches
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.max_lr, total_steps=steps)
    for epoch in range(1, epochs + 1):
        augment = plan.augment if epoch <= epochs - 2 else None  # ends with pictures as they are
        loader = digit_loader(digits.train, plan.batch_size, True, generator, augment)
        generator.manual_seed((plan.seed * 1_000_003 + epoch) % 2**63)
        started = time.perf_counter()
        loss = train_epoch(model, loader, optimizer, scheduler, on_batch)
        seconds = time.perf_counter() - started
        evaluation = evaluate(model, digits.test)
        history.append(EpochResult(epoch, loss, evaluation.accuracy, seconds))
        plan.write_files(model, history, evaluation)
        yield history[-1]


@checked
def train(
    model: nn.Module,
    digits: Digits,
    epochs: int = 20,
    batch_size: int | None = None,
    max_lr: float = 0.1,
    seed: int = 0,
    save: str | Path | None = None,
    log: str | Path | None = None,
    log_title: str = "",
    augment: Callable | None = None,
) -> list[EpochResult]:
    """Trains `model` on `digits` with a progress bar; a line at the end says if it only guesses.

    `batch_size`: None is 128, or 32 for a small set; `max_lr`: the highest learning rate of the
    schedule; `seed`: of the images' order; `save`: file for the weights, after each epoch; `log`:
    file for the lesson's log, `log_title` its first line; `augment(images, generator)`: changes a
    batch's images, float32 (B, 1, 28, 28), in all epochs but the last two. The model is moved to
    `lh.device`. The same start, seed, machine and data give the same weights, Dropout or not.

        history = lh.train(lh.LeNet5(), lh.load_mnist(), epochs=5, save="lenet5.pt")
        history[-1].accuracy

    Raises TypeError or ValueError for arguments that do not fit and a model that cannot learn or
    gives no ten logits an image, OSError for a file that cannot be written. Notebook 07.
    """
    asked = model, digits, epochs, batch_size, max_lr, seed, save, log, log_title, augment
    return train_with_bar(TrainingPlan(*asked), _training)


@checked
def train_in_background(
    model: nn.Module,
    digits: Digits,
    epochs: int = 20,
    batch_size: int | None = None,
    max_lr: float = 0.1,
    seed: int = 0,
    save: str | Path | None = None,
    log: str | Path | None = None,
    log_title: str = "",
    augment: Callable | None = None,
    watch: list[tuple] | TensorDataset | None = None,
) -> TrainingRun:
    """Like `train`, but returns at once a `TrainingRun`, which goes on while other cells run.

        run = lh.train_in_background(model, digits, save=lh.MY_NETWORK)
        run  # as a cell's value: its panel
        history = run.wait()  # for the end; run.stop() ends it

    Its panel also shows what the network makes of up to three digits after each epoch: pairs as
    `watch=[(pad.image, 7)]`, 28 x 28 pixels, or, with None, the last that were kept on the pad.
    A copy is trained, so that nothing done to `model` disturbs it; `model` stays where it is and
    gets the weights at the end of each epoch, while it has the same layers. (Dropout draws from
    torch's random numbers, as cells do.) Started again with a model that is still in training, it
    returns that run; another model ends the first run, a mistake does not. Notebooks 04, 05 and 07.
    """
    asked = model, digits, epochs, batch_size, max_lr, seed, save, log, log_title, augment
    return TrainingRun.begin(TrainingPlan(*asked, watch), _training)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A model's results on a dataset; printed, the lesson's report.

        lh.evaluate(model, digits.test).confusion[7, 1]  # sevens that it takes for ones

    `loss`, the cross-entropy; `accuracy` in [0, 1]; `correct`, `total` int64 (10,) by class;
    `confusion` int64 (10, 10), rows are the labels, columns the predictions; `predictions` int64
    (N,); `logits` float32 (N, 10); `by_chance`: whether it gives others when it is asked again.
    """

    loss: float
    accuracy: float
    correct: np.ndarray
    total: np.ndarray
    confusion: np.ndarray
    predictions: torch.Tensor
    logits: torch.Tensor
    by_chance: bool = False

    def __repr__(self):
        lines = [
            f"Test Accuracy of {digit:5}: {_percent(right, n)}"
            for digit, (right, n) in enumerate(zip(self.correct, self.total))
        ]
        overall = f"Test Accuracy (Overall): {_percent(self.correct.sum(), self.total.sum())}"
        note = ["", text("pad_nan")] if np.isnan(self.loss) else []
        note += ["", text("answers_differ")] if self.by_chance else []
        return "\n".join([f"Test Loss: {self.loss:.6f}", "", *lines, "", overall, *note])


def _percent(right, n):
    """Whole per cents, rounded down, as in the lesson's log."""
    return f"{right * 100 // max(n, 1):2d}% ({right:2d}/{n:2d})"


@checked
def evaluate(model: nn.Module, dataset: TensorDataset) -> Evaluation:
    """Tests a model on images and labels; it is left as it is, and may be in training meanwhile.
    Raises TypeError or ValueError for other data, or without ten logits. Notebooks 04 to 07.

        lh.evaluate(model, digits.test).accuracy
    """
    images, labels = dataset.tensors
    logits = predict_logits(model, images)
    predictions = logits.argmax(1)
    confusion = torch.bincount(10 * labels + predictions, minlength=100).view(10, 10).numpy()
    correct, total = confusion.diagonal(), confusion.sum(axis=1)
    loss, accuracy = F.cross_entropy(logits, labels).item(), float(correct.sum() / total.sum())
    by_chance = answers_differ(model, images)
    return Evaluation(loss, accuracy, correct, total, confusion, predictions, logits, by_chance)


def main(arguments: list[str] | None = None) -> int:
    """The lesson's script: trains LeNet-5, prints and logs; `lh.main(["--epochs", "1"])`. Returns
    the exit status."""
    parser = command_parser()
    options = parser.parse_args(arguments)
    title = " ".join([parser.prog, *(sys.argv[1:] if arguments is None else arguments)])
    chosen = {"seed": options.seed, "save": options.save, "log": options.log}
    files = [path for path in (options.save, options.log) if path is not None]
    try:
        check_argument("epochs", options.epochs)
        try_files(*files)  # before MNIST is downloaded
        digits = load_mnist(options.data)
        torch.manual_seed(options.seed % 2**63)
        model = LeNet5()
        chosen["augment"] = augment if options.augment else None
        train(model, digits, options.epochs, **chosen, log_title=title)
        print(evaluate(model, digits.test), flush=True)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        key = "interrupted_files" if files else "interrupted"
        parser.exit(130, text(key, files=", ".join(files)) + "\n")
    return 0


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
