"""Fixtures, and the order of the tests. What takes seconds to import is imported where it is needed: the process that
hands out the tests runs none of them, and nothing begins before it has read this."""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from lab import CHROMIUM, chromium, notebooks, private_lab, runs_in_browser

# threads of two tests that train at once would wait for each other
os.environ["OMP_NUM_THREADS"] = "1"
own = tempfile.TemporaryDirectory(prefix="lenet_", ignore_cleanup_errors=True)  # goes at the end
os.environ["LENET_SAVE"] = str(Path(own.name) / "my_lenet5.pt")  # not over a student's own


def pytest_collection_modifyitems(config, items):
    """With the tests, nbval runs of each notebook the edition that the browser does not. What takes longest comes first,
    so that two workers end together."""
    notebooks = [item for item in items if item.path.suffix == ".ipynb"]
    others = {item for item in notebooks if runs_in_browser(item.path)}
    config.hook.pytest_deselected(items=list(others))
    long = [item for item in items if item.path.name in ("test_lab_notebooks.py", "test_labels.py")]
    first = [*long, *notebooks]
    items[:] = [item for item in dict.fromkeys(first + items) if item not in others]


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Every test begins in English, with the same random numbers, one thread and no $LENET_DATA."""
    import torch

    from notebooks.support.words import texts

    monkeypatch.delenv("LENET_DATA", raising=False)
    texts.use("en")
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def small():
    """scikit-learn's digits: real data on any machine."""
    from lenet_helpers import sklearn_digits

    return sklearn_digits()


@pytest.fixture(scope="session")
def trained(small, tmp_path_factory, worker_id):
    """LeNet-5 after 5 epochs on the small set, and its results; all workers share one training."""
    import torch

    import lenet_helpers as lh

    folder = tmp_path_factory.getbasetemp()
    path = (folder if worker_id == "master" else folder.parent) / "trained.pt"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            torch.manual_seed(0)
            model = lh.LeNet5()
            torch.save((model, lh.train(model, small, epochs=5)), path)
    return torch.load(path, weights_only=False)


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
    from lenet_helpers import LeNet5, load_weights

    return load_weights(LeNet5(), "notebooks/trained/lenet5.pt")


@pytest.fixture
def four():
    """The sample of a four as the network sees it."""
    from lenet_helpers import sample_drawing, to_mnist_style

    return to_mnist_style(sample_drawing(4))


@pytest.fixture
def interruptible():
    """SIGINT interrupts, as in a kernel; where CI starts a job in the background it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
