import os
import tempfile
from pathlib import Path

import pytest
import torch
from lab import CHROMIUM, chromium, notebooks, private_lab

os.environ["OMP_NUM_THREADS"] = (
    "1"  # threads of two tests that train at once would wait for each other
)
own = tempfile.TemporaryDirectory(
    prefix="lenet_", ignore_cleanup_errors=True
)  # goes when the tests have ended
os.environ["LENET_SAVE"] = str(Path(own.name) / "my_lenet5.pt")  # not over a student's own

from material import read_trained

import lenet_helpers as lh
from notebooks.support.words import texts


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Every test begins in English, with the same random numbers, one thread and no $LENET_DATA."""
    monkeypatch.delenv("LENET_DATA", raising=False)
    texts.use("en")
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def small():
    """scikit-learn's digits: real data on any machine."""
    return lh.sklearn_digits()


@pytest.fixture(scope="session")
def trained(small):
    """LeNet-5 after 5 epochs on the small set, and its results."""
    torch.manual_seed(0)
    model = lh.LeNet5()
    history = lh.train(model, small, epochs=5)
    return model, history


@pytest.fixture(scope="session")
def browser():
    """Chromium; skips where there is none."""
    pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no Chromium ($CHROMIUM, or on PATH)")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory, browser):
    """A private JupyterLab in Chromium."""
    with private_lab(tmp_path_factory.mktemp("lab"), browser) as lab:
        yield lab


@pytest.fixture
def open_notebook(lab):
    """See `notebooks` in lab.py."""
    with notebooks(lab) as open_notebook:
        yield open_notebook


@pytest.fixture(scope="session")
def network():
    """The network that the project ships."""
    return read_trained()


@pytest.fixture
def four():
    """The sample of a four as the network sees it."""
    return lh.to_mnist_style(lh.sample_drawing(4))
