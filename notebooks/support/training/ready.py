"""The check before class: packages, their parts for JupyterLab's page, data, the network."""

import importlib.metadata
import json
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from jupyter_core.paths import jupyter_path
from packaging.requirements import Requirement
from torch import nn
from torch.utils.data import TensorDataset

from ..data.mnist import data_folder, load_mnist
from ..files import PROJECT, shown_path
from ..network.weights import load_weights
from ..words.texts import text
from .plan import TrainingPlan, usual_batch_size

PAGE = {  # package: the folder of its part for the page
    "anywidget": "anywidget",
    "jupyterlab_widgets": "@jupyter-widgets/jupyterlab-manager",
}


def print_checks(model: nn.Module, training: Callable, evaluate: Callable) -> None:
    """Prints a line for each check, with a tick or what to do. Raises nothing. model: of the
    trained network's kind; training: what `TrainingRun` is given, too."""
    load = cache(load_mnist)  # what it has to say of the data, it says once
    network = partial(_check_network, load, model, training, evaluate)
    for check_one in (check_packages, check_page, partial(_check_data, load), network):
        try:
            print("✓", check_one())
        except Exception as error:  # a line, and on to the next
            print("✗", error)


def check_packages() -> str:
    """A sentence on the packages of requirements.txt. Raises what `importlib.metadata` does for one
    that is missing, ValueError for one that is too old."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line.split("#")[0]) for line in lines if re.match(r"\w", line)]
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate()]
    for each in wanted:
        found = importlib.metadata.version(each.name)
        if not each.specifier.contains(found, prereleases=True):
            raise ValueError(
                text("ready_version", name=each.name, least=each.specifier, found=found)
            )
    n = len({each.name for each in wanted})
    return text("ready_versions", n=n, torch=importlib.metadata.version("torch"))


def check_page() -> str:
    """A sentence on the widgets' parts for the page. Raises ValueError, naming the package, where
    JupyterLab has none, or one of another version."""
    for name, folder in PAGE.items():
        files = [Path(path) / folder / "package.json" for path in jupyter_path("labextensions")]
        page = next((file for file in files if file.is_file()), None)
        if page is None:
            raise ValueError(text("ready_no_page", name=name))
        found = json.loads(page.read_text(encoding="utf-8"))["version"]
        wanted = importlib.metadata.version(name)
        # jupyterlab_widgets numbers its parts for Python and for the page apart
        if name == "anywidget" and found != wanted:
            raise ValueError(text("ready_page_version", name=name, found=found, wanted=wanted))
    return text("ready_page", version=importlib.metadata.version("anywidget"))


def _check_data(load):
    digits = load()
    if digits.source != "MNIST":
        raise ValueError(text("ready_small", folder=shown_path(data_folder()[0])))
    return text("ready_data", n=len(digits.train) + len(digits.test))


def _check_network(load, model, training, evaluate):
    """Reads the test digits with the trained network, and times a training on some of them."""
    digits = load()
    load_weights(model, PROJECT / "notebooks" / "trained" / "lenet5.pt")
    right = evaluate(model, digits.test).correct.sum()
    some = TensorDataset(*(tensor[:2560] for tensor in digits.test.tensors))
    plan = TrainingPlan(model, digits._replace(train=some, test=some), 2, usual_batch_size(digits))
    *_, result = training(model, plan, None)  # the first epoch is to warm up
    minutes = f"{max(0.1, 20 * result.seconds * len(digits.train) / len(some) / 60):.1f}"
    return text("ready_network", right=right, n=len(digits.test), minutes=minutes)
