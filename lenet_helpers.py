"""What the notebooks use but do not teach, in the order of the lesson: setup, data, model, training, exercises, command line.

In a notebook: `import lenet_helpers as lh`, then `lh.start("zh")` or `lh.start("en")`.
In a terminal: `python lenet_helpers.py --help` (the lesson's training script).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import math
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault(
    "KMP_DUPLICATE_LIB_OK", "TRUE"
)  # torch and scikit-learn bring an OpenMP each (macOS, Windows)

import numpy as np
import torch
from packaging.version import Version
from torch import nn
from torch.nn import functional as F
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)
from tqdm.auto import tqdm

from notebooks.support.draw_pad import DrawPad
from notebooks.support.drawing import sample_drawing, to_mnist_style
from notebooks.support.explorer import explore_convolution, explore_kernels
from notebooks.support.figures import (
    explain_cell,
    network_diagram,
    show_confusion,
    show_filters,
    show_layers,
    show_mistakes,
    show_predictions,
)
from notebooks.support.files import (
    MY_NETWORK,
    PROJECT,
    check_fits,
    check_writable,
    load_file,
    load_weights,
    save_file,
    save_weights,
    write_file,
)
from notebooks.support.images import SIGNS
from notebooks.support.inference import as_float, images_and_labels, predict_logits
from notebooks.support.judging import check
from notebooks.support.mnist import Digits, data_folder, has_mnist, load_mnist, sklearn_digits
from notebooks.support.panel import TrainingRun, threads_beside_the_kernel
from notebooks.support.sizes import (
    ConvGeometry,
    conv_output_size,
    layer_table,
    output_size_steps,
    whole_number,
)
from notebooks.support.texts import text, use

__all__ = [  # the lesson's vocabulary, in the order of the lesson
    "start",
    "ready",
    "LeNet5",
    "load_weights",
    "DrawPad",
    "sample_drawing",
    "to_mnist_style",
    "explain_cell",
    "MY_NETWORK",  # 00
    "check",
    "explore_convolution",
    "explore_kernels",
    "SIGNS",
    "ConvGeometry",
    "conv_output_size",
    "output_size_steps",  # 01, 02
    "lenet5_diagram",
    "layer_table",
    "show_layers",  # 03
    "Digits",
    "load_mnist",
    "sklearn_digits",
    "digit_loader",
    "EpochResult",
    "train_epoch",
    "train",
    "train_in_background",  # 04
    "Evaluation",
    "evaluate",
    "show_predictions",
    "show_mistakes",
    "show_confusion",
    "show_filters",
    "save_weights",
    "main",  # the command line
]


def _best_device():
    return torch.device(
        "cuda"
        if torch.cuda.is_available()
        else "mps"
        if torch.backends.mps.is_available()
        else "cpu"
    )


device = _best_device()  # where `train` puts the model; batches follow the model


def start(language="en"):
    """The first cell of every notebook: language of widgets and messages ("zh" or "en"), device, seeds and threads.

    Prints versions, device, and whether MNIST is there. Everything works without it, too. Raises ValueError for
    another language.
    """
    global device
    use(language)
    device = _best_device()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(threads_beside_the_kernel())
    sys.setswitchinterval(1e-4)  # a cell of pure Python then leaves a training thread its share
    folder, named = data_folder()
    found = has_mnist(folder)
    print(
        f"Python {sys.version.split()[0]}, torch {torch.__version__}, torchvision {importlib.metadata.version('torchvision')}, "
        f"{device.type}, {torch.get_num_threads()} thread(s)"
    )
    print(
        text("data_found" if found else "data_misnamed" if named else "data_not_yet", folder=folder)
    )


def ready():
    """What a teacher looks at the day before: versions, data, the trained network and the time of a training. Prints a
    line each, with a tick or what to do; raises nothing. Notebook 00."""
    for look in (_look_at_versions, _look_at_data, _look_at_network):
        try:
            print("✓", look())
        except Exception as error:  # a line, and on to the next
            print("✗", error)


def _look_at_versions():
    wanted = re.findall(
        r"^([\w-]+)>=([\d.]+)", (PROJECT / "requirements.txt").read_text(encoding="utf-8"), re.M
    )
    found = {}
    for name, least in wanted:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
        if name not in found or Version(found[name]) < Version(least):
            raise ValueError(
                text("ready_version", name=name, least=least, found=found.get(name, "-"))
            )
    return text("ready_versions", n=len(found), torch=found["torch"])


def _look_at_data():
    digits = load_mnist()
    if digits.source != "MNIST":
        raise ValueError(text("ready_small", folder=data_folder()[0]))
    return text("ready_data", n=len(digits.train) + len(digits.test))


def _look_at_network():
    """Reads the test digits with the trained network, and times a training on some of them."""
    digits = load_mnist()
    result = evaluate(
        load_weights(LeNet5(), PROJECT / "notebooks" / "trained" / "lenet5.pt"), digits.test
    )
    some = TensorDataset(*(tensor[:2560] for tensor in digits.test.tensors))
    model, seconds = LeNet5().to(device, memory_format=torch.channels_last), []
    for _ in range(2):  # the first is to warm up
        started = time.perf_counter()
        train_epoch(
            model,
            digit_loader(some, _batch_size(digits), shuffle=True),
            torch.optim.SGD(model.parameters(), 0.01),
        )
        seconds.append(time.perf_counter() - started)
    minutes = 20 * seconds[-1] * len(digits.train) / len(some) / 60
    return text(
        "ready_network", right=result.correct.sum(), n=result.total.sum(), minutes=f"{minutes:.1f}"
    )


def digit_loader(dataset, batch_size, shuffle, generator=None):
    """A DataLoader of (float32 images (B, 1, 28, 28) in [0, 1], int64 labels (B,)) over a uint8 dataset. Notebook 04.

    It takes a whole batch out of the tensors at once: several times as fast as picture by picture.
    """
    sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    return DataLoader(
        dataset,
        sampler=BatchSampler(sampler, batch_size, drop_last=False),
        batch_size=None,
        collate_fn=lambda batch: (as_float(batch[0]), batch[1]),
    )


class LeNet5(nn.Module):
    """LeNet-5 for 28x28 digits: images (N, 1, 28, 28) in [0, 1] -> logits (N, 10). Notebook 03 builds it.

    LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998), section II.B,
    with ReLU, max-pooling and plain logits; `padding=2` makes C1's maps 28x28, as the paper's 32x32 input does.
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
        for layer in (
            self.c1,
            self.c3,
            self.fc1,
            self.fc2,
        ):  # ReLU halves a signal; He's start makes up for it
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.s2(F.relu(self.c1(x)))
        x = self.s4(F.relu(self.c3(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


class EpochResult(NamedTuple):
    """One epoch: its number from 1, mean training loss, accuracy on the test set in [0, 1], seconds of training."""

    epoch: int
    loss: float
    accuracy: float
    seconds: float

    def __str__(self):
        return f"Epoch: {self.epoch} \tTraining Loss: {self.loss:.6f}"


def train_epoch(model, loader, optimizer, scheduler=None, on_batch=None):
    """One pass over `loader` as notebook 04 writes it out; returns the mean loss over its pictures.

    `scheduler` steps after each batch; `on_batch(batch, loss)` is called with the batch's number from 1.
    """
    model.train()
    place = next(model.parameters()).device
    total = pictures = 0
    for batch, (images, labels) in enumerate(loader, 1):
        images, labels = images.to(place), labels.to(place)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        value = loss.item()
        total += value * len(labels)
        pictures += len(labels)
        if on_batch is not None:
            on_batch(batch, value)
    return total / pictures


def _checked_options(
    model,
    digits,
    epochs,
    *,
    batch_size=None,
    max_lr=0.1,
    seed=0,
    save=None,
    log=None,
    log_title="",
    resume=None,
):
    """What `train` was asked for, as (plan, save, log, log_title, what is to be resumed or None). Raises what is wrong
    with it, and begins nothing: `model` may be in training."""
    if not isinstance(model, nn.Module) or not isinstance(digits, Digits):
        raise TypeError(
            text("train_what", model=type(model).__name__, digits=type(digits).__name__)
        )
    plan = {
        "epochs": whole_number("epochs", epochs, 1),
        "seed": whole_number("seed", seed),
        "max_lr": float(max_lr),
        "batch_size": whole_number("batch_size", batch_size or _batch_size(digits), 1),
        "pictures": len(digits.train),
    }
    save = save or resume
    if save and log and Path(save).absolute() == Path(log).absolute():
        raise ValueError(text("same_file", path=save))
    for path in filter(None, (save, log)):
        check_writable(path)
    return (
        plan,
        save,
        log,
        log_title,
        _resumable(model, _resume_file(resume), plan) if resume else None,
    )


def _training(model, digits, epochs, on_batch=None, **options):
    """The one training loop: a generator of EpochResults, each given when its weights and log are on disk; those of
    an earlier run come first if it is resumed. Raises at once what `train` says.

    SGD with momentum, weight decay and the one-cycle schedule (Smith & Topin, "Super-Convergence", 2017).
    """
    plan, save, log, log_title, saved = _checked_options(model, digits, epochs, **options)
    epochs = plan["epochs"]
    generator = torch.Generator()
    loader = digit_loader(digits.train, plan["batch_size"], shuffle=True, generator=generator)
    model.to(device, memory_format=torch.channels_last)  # pooling is faster so
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=plan["max_lr"],
        momentum=0.9,
        weight_decay=5e-4,
        fused=device.type in ("cpu", "cuda"),
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan["max_lr"], total_steps=epochs * len(loader)
    )
    state, history = {"model": model, "optimizer": optimizer, "scheduler": scheduler}, []
    if saved is not None:
        for name, part in state.items():
            part.load_state_dict(saved[name])
        history = [EpochResult(*result) for result in saved["history"]]

    def keep(evaluation):
        if save:
            content = {name: part.state_dict() for name, part in state.items()}
            save_file(
                content | plan | {"history": [tuple(result) for result in history]},
                _resume_file(save),
            )
            save_weights(model, save)
        if log:
            report = [str(evaluation)] if len(history) == epochs else []
            lines = [log_title] * bool(log_title) + [str(result) for result in history] + report
            write_file(log, "\n".join([*lines, ""]).encode())

    def epoch_results():
        if len(history) == epochs:  # the earlier run may have ended between two of its last files
            keep(evaluate(model, digits.test))
        yield from history[:]
        while len(history) < epochs:
            epoch = len(history) + 1
            generator.manual_seed(
                (plan["seed"] * 1_000_003 + epoch) % 2**63
            )  # an epoch's order depends on nothing before it
            started = time.perf_counter()
            loss = train_epoch(model, loader, optimizer, scheduler, on_batch)
            seconds = time.perf_counter() - started
            evaluation = evaluate(model, digits.test)
            history.append(EpochResult(epoch, loss, evaluation.accuracy, seconds))
            keep(evaluation)
            yield history[-1]

    return epoch_results()


def _batch_size(digits):
    return 128 if len(digits.train) > 10_000 else 32  # 128 can die on scikit-learn's 1,437


def _batches(digits, options):
    return math.ceil(len(digits.train) / (options.get("batch_size") or _batch_size(digits)))


def _resume_file(path):
    """What resuming needs besides the weights lies beside them."""
    return Path(str(path).removesuffix(".pt") + ".resume.pt")


def _resumable(model, path, plan):
    """What `_training` saved of a run with this plan; raises what `train` says of other files."""
    saved = load_file(path, "nothing_to_resume", "resume_damaged")
    if (
        not isinstance(saved, dict)
        or not {*plan, "model", "optimizer", "scheduler", "history"} <= saved.keys()
    ):
        raise ValueError(text("resume_damaged", path=path, error="KeyError"))
    old = {name: saved[name] for name in plan}
    if old != plan:
        raise ValueError(text("resume_differs", old=old, new=plan))
    check_fits(model, saved["model"], path)
    return saved


def train(model, digits, epochs=20, **options):
    """Trains `model` on `digits` (a `Digits`) with a progress bar; returns a list of `EpochResult`s. Notebooks 04-06.

    Options: `batch_size` (128, or 32 for a small set), `max_lr=0.1` (the highest learning rate of the schedule),
    `seed=0` (order of the pictures), `save` (file for the weights after each epoch), `log` (file for the lesson's
    log), `resume` (the `save` file of a run that was cut off: goes on after its last whole epoch, with the same epochs,
    seed, batch_size, max_lr and data). The model is moved to `lh.device`. The same start, seed, machine and data give
    the same weights, resumed or not. Raises ValueError for epochs, a seed or a batch_size that are no whole numbers or
    too small, one file for both `save` and `log`, and a run to resume that is damaged or another one; OSError for a
    file that cannot be read or written.
    """
    finished = 0

    def on_batch(batch, loss):
        bar.set_description(f"epoch {finished + 1}/{epochs}", refresh=False)
        bar.set_postfix(loss=f"{loss:.3f}", **accuracy, refresh=False)
        bar.update()

    history, accuracy = [], {}
    results = _training(model, digits, epochs, on_batch=on_batch, **options)
    batches = _batches(digits, options)
    with tqdm(total=epochs * batches, unit="batch", leave=False) as bar:
        for result in results:
            history.append(result)
            finished, accuracy = result.epoch, {"accuracy": f"{result.accuracy:.2%}"}
            bar.update(finished * batches - bar.n)
            bar.write(
                str(result)
            )  # stays in the saved notebook, where a bar would stand at 0% for ever
    return history


_run = None  # the latest background training


def train_in_background(model, digits, epochs=20, **options):
    """Like `train`, but returns at once a `TrainingRun`, which goes on while other cells run. Notebook 04.

    Show it as a cell's value to see it train; `.wait()` for the end, `.stop()` to end it. Options as in `train`.
    A second start ends the first run.
    """
    global _run
    if _run is not None:
        _checked_options(model, digits, epochs, **options)  # a mistake does not end the first run
        _run.stop()
    _run = TrainingRun(
        model,
        epochs,
        _batches(digits, options),
        lambda on_batch: _training(model, digits, epochs, on_batch=on_batch, **options),
    )
    return _run


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A model's results on a dataset; printed, the lesson's report. Notebook 04.

    `loss` float; `accuracy` in [0, 1]; `correct`, `total` int64 (10,) by class; `confusion` int64 (10, 10), rows are
    the labels, columns the predictions; `predictions` int64 (N,); `logits` float32 (N, 10).
    """

    loss: float
    accuracy: float
    correct: np.ndarray
    total: np.ndarray
    confusion: np.ndarray
    predictions: torch.Tensor
    logits: torch.Tensor

    def __repr__(self):
        lines = [
            f"Test Accuracy of {digit:5}: {_percent(right, n)}"
            for digit, (right, n) in enumerate(zip(self.correct, self.total))
        ]
        overall = f"Test Accuracy (Overall): {_percent(self.correct.sum(), self.total.sum())}"
        return "\n".join([f"Test Loss: {self.loss:.6f}", "", *lines, "", overall])


def _percent(right, n):
    return f"{right * 100 // max(n, 1):2d}% ({right:2d}/{n:2d})"  # whole per cents, rounded down, as in the lesson's log


def evaluate(model, dataset):
    """Tests a model on a TensorDataset of images and labels: an `Evaluation`. Notebooks 04-06.

    The model is left as it is, its train/eval mode too, and may be in training meanwhile.
    """
    images, labels = images_and_labels(dataset)
    logits = predict_logits(model, images)
    predictions = logits.argmax(1)
    confusion = torch.bincount(10 * labels + predictions, minlength=100).view(10, 10).numpy()
    correct, total = confusion.diagonal(), confusion.sum(axis=1)
    return Evaluation(
        F.cross_entropy(logits, labels).item(),
        float(correct.sum() / total.sum()),
        correct,
        total,
        confusion,
        predictions,
        logits,
    )


def lenet5_diagram(path=None):
    """LeNet-5 layer by layer, sizes from `layer_table`. Returns a Figure; `path` (img/lenet5.svg) saves it as SVG.
    Notebook 03."""
    return network_diagram(layer_table(LeNet5()), path)


def main(arguments=None):
    """`python lenet_helpers.py`: trains LeNet-5, prints and logs what the lesson's script does. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python lenet_helpers.py",
        description="Train LeNet-5 on MNIST: a line an epoch, then the test report, as in the lesson's log.",
    )
    parser.error = lambda message: parser.exit(2, f"{parser.prog}: {message} (--help explains)\n")
    parser.add_argument(
        "--epochs",
        type=int,
        default=20,
        metavar="N",
        help="passes over the training set (default: 20)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="start of the random numbers (default: 0)"
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write the weights here after every epoch"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="write the log here, too")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST (default: $LENET_DATA, else data/)",
    )
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(text("too_small", name="epochs", value=options.epochs, least=1))
    title = " ".join(
        ["python lenet_helpers.py"]
        + [
            f"--{name} {value.as_posix() if isinstance(value, Path) else value}"
            for name, value in vars(options).items()
            if value is not None
        ]
    )
    try:
        digits = load_mnist(options.data)
        torch.manual_seed(options.seed)
        model = LeNet5()
        train(
            model,
            digits,
            options.epochs,
            seed=options.seed,
            save=options.save,
            log=options.log,
            log_title=title,
        )
    except (OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, text("interrupted") + "\n")
    print(evaluate(model, digits.test))
    return 0


if __name__ == "__main__":
    sys.exit(main())
