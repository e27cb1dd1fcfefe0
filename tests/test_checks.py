"""What a student hands to a function by mistake, and the sentence that comes back."""

import numpy as np
import pytest
import torch
from material import fresh, weights
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

import lenet_helpers as lh


class Giving(lh.LeNet5):
    """LeNet-5 whose forward ends in another way."""

    def __init__(self, end):
        super().__init__()
        self.end = end

    def forward(self, x):
        return self.end(super().forward(x))


def sgd(model):
    model = model if isinstance(model, nn.Module) else fresh()
    return torch.optim.SGD(model.parameters(), lr=0.01)


IMAGES, LABELS = torch.zeros(20, 1, 28, 28, dtype=torch.uint8), torch.arange(20) % 10
GOOD = TensorDataset(IMAGES, LABELS)
BATCHES = DataLoader(GOOD, 5)
DIGITS = lh.Digits(GOOD, GOOD, "made up")
MODELS = {  # name: the model that is none, what is said of it
    "the class": (lh.LeNet5, "the class LeNet5: with parentheses, LeNet5"),
    "a path": ("notebooks/trained/lenet5.pt", "it is 'notebooks/trained/lenet5.pt'"),
    "weights": (lh.LeNet5().state_dict(), "it is OrderedDict"),
    "nothing": (None, "it is None"),
}
OUTPUTS = {  # name: the model whose forward is wrong
    "no return": (Giving(lambda x: None), "is a return missing"),
    "a tuple": (Giving(lambda x: (x, x)), "returns tuple"),
    "argmax": (Giving(lambda x: x.argmax(1)), "int64"),
    "one row": (Giving(lambda x: x.sum(0)), r"\(10,\)"),
    "a row too few": (Giving(lambda x: x[1:]), r"gives \(\d+, 10\)"),
    "nine": (Giving(nn.Linear(10, 9)), r"\(\d+, 9\)"),
    "eleven": (Giving(nn.Linear(10, 11)), "11"),
}
DATASETS = {  # name: the dataset that is none, what is said of it
    "both parts": (DIGITS, "it is Digits"),
    "a loader": (BATCHES, "it is DataLoader"),
    "no labels": (TensorDataset(IMAGES), "it needs two"),
    "an empty part": (Subset(GOOD, []), "is empty"),
    "label 10": (TensorDataset(IMAGES, LABELS + 1), "from 0 to 9.* from 1 to 10"),
    "label -1": (TensorDataset(IMAGES, LABELS - 1), "from -1 to 8"),
    "fractions": (TensorDataset(IMAGES, LABELS.float()), "float32, from 0.0 to 9.0"),
    "one-hot": (TensorDataset(IMAGES, torch.eye(10).repeat(2, 1)), r"\(20, 10\)"),
    "no channel": (TensorDataset(IMAGES[:, 0], LABELS), r"images\[:, None\]"),
    "too bright": (TensorDataset(IMAGES + 400.0, LABELS), "from 400.0 to 400.0"),
    "NaN": (TensorDataset(IMAGES * torch.nan, LABELS), "NaN"),
    "negative": (TensorDataset(IMAGES.int() - 5, LABELS), "from -5 to -5"),
}
EVERYWHERE = {  # each function with an argument `model`, but those that train
    "evaluate": lambda model, path: lh.evaluate(model, GOOD),
    "predictions": lambda model, path: lh.show_predictions(model, GOOD, 2),
    "filters": lambda model, path: lh.show_filters(model, IMAGES[0]),
    "table": lambda model, path: lh.layer_table(model),
    "patches": lambda model, path: lh.show_patches(model, GOOD, "c1"),
    "layers": lambda model, path: lh.show_layers(model, IMAGES[0]),
    "cell": lambda model, path: lh.explain_cell(model, IMAGES[0], "c1", 0, 0, 0),
    "downhill": lambda model, path: lh.downhill(model, GOOD),
    "pad": lambda model, path: lh.DrawPad({"mine": model}),
    "save": lambda model, path: lh.save_weights(model, path),
}
LEARNING = {
    "train_epoch": lambda model, path: lh.train_epoch(model, BATCHES, sgd(model)),
    "train": lambda model, path: lh.train(model, DIGITS, 1),
    "background": lambda model, path: lh.train_in_background(model, DIGITS, 1).wait(),
    "load": lambda model, path: lh.load_weights(model, path),
}


def refused(words, function, *arguments):
    with pytest.raises((TypeError, ValueError), match=words) as error:
        function(*arguments)
    assert "\n" not in str(error.value) and str(error.value).endswith((".", "。", "？", "?"))


@pytest.mark.parametrize("call", EVERYWHERE | LEARNING)
def test_a_model_that_is_none(call, tmp_path):
    for model, words in MODELS.values():
        refused(words, (EVERYWHERE | LEARNING)[call], model, tmp_path / "w.pt")
    assert not list(tmp_path.iterdir())


def test_a_forward_that_gives_no_logits():
    for name, (model, words) in OUTPUTS.items():
        refused(words, lh.evaluate, model, GOOD)
        refused(words, lh.train, model, DIGITS)
        if name != "eleven":  # the plain loop needs one for every label, no more
            words = "from 0 to 8" if name == "nine" else words
            refused(words, lh.train_epoch, model, BATCHES, sgd(model))
    refused(r"\(1, 9\)", lh.show_layers, Giving(nn.Linear(10, 9)), IMAGES[0])


def test_a_dataset_that_is_none():
    for name, (dataset, words) in DATASETS.items():
        refused(words, lh.evaluate, fresh(), dataset)
        refused(words, lh.digit_loader, dataset, 5, False)
        refused(words, lh.train, fresh(), lh.Digits(dataset, dataset, "made up"))
        if name != "both parts":
            refused("load_mnist", lh.train, fresh(), dataset)


def test_what_is_nearly_a_dataset_is_taken(small):
    model, (images, labels) = fresh(), small.test.tensors
    levels, mask, order = images / 255, images > 127, list(range(len(labels)))
    for near, plain in (
        (Subset(Subset(small.test, order), torch.tensor(order)), levels),
        (TensorDataset(images.long(), labels.to(torch.uint8)), levels),
        (TensorDataset(images.float(), labels), levels),
        (TensorDataset(levels.double(), labels), levels),
        (TensorDataset(mask, labels), mask.float()),
        (TensorDataset(mask.to(torch.uint8), labels), mask.float()),
    ):
        assert torch.allclose(lh.evaluate(model, near).logits, model(plain), atol=1e-5)
        batch = next(iter(lh.digit_loader(near, 7, shuffle=False)))
        assert torch.allclose(batch[0], plain[:7]) and batch[1].dtype == torch.int64
    loaders = DataLoader(small.test, 100), lh.digit_loader(small.test, 100, shuffle=False)
    raw, ready = (lh.train_epoch(model := fresh(), loader, sgd(model)) for loader in loaders)
    assert raw == ready


def test_calls_that_do_not_fit(tmp_path):
    model, loader, results = fresh(), lh.digit_loader(GOOD, 5, False), lh.evaluate(fresh(), GOOD)
    other, mixed = TensorDataset(IMAGES[:7], LABELS[:7]), TensorDataset(IMAGES, LABELS * 0)
    for call, words in {
        # names
        lambda: lh.train(model, DIGITS, lr=0.1): "no argument lr .did you mean max_lr",
        # swapped
        lambda: lh.evaluate(GOOD, model): "model must be a network.* TensorDataset",
        lambda: lh.show_mistakes(GOOD, results): "evaluation must be what evaluate",
        # numbers
        lambda: lh.explore_kernels(torch.zeros(300, 300)): "n_in = 300 is too large",
        lambda: lh.show_predictions(model, GOOD, 0): "n = 0 is too small",
        lambda: lh.train(model, DIGITS, 2.5): "epochs must be a whole number.* 2.5",
        lambda: lh.train(model, DIGITS, max_lr=0): "max_lr must be a number above 0",
        lambda: lh.sample_drawing(10): "digit = 10 is too large",
        # results, optimizers, loaders of something else
        lambda: lh.show_mistakes(results, other): "other pictures .20, and here are 7",
        lambda: lh.show_mistakes(results, mixed): "another order",
        lambda: lh.train_epoch(model, loader, sgd(fresh())): "another network",
        lambda: lh.train_epoch(model, GOOD, sgd(model)): "loader must be .* TensorDataset",
        lambda: lh.train(fresh().requires_grad_(False), DIGITS): "no parameters to train",
        # files
        lambda: lh.load_weights(model, ""): "path must be the path of a file, but it is ''",
        lambda: lh.train(model, DIGITS, save=True): "save must be .* True",
    }.items():
        refused(words, call)
    with pytest.raises(OSError, match="cannot be read"):
        lh.load_weights(model, tmp_path)


def test_what_fits_is_taken_as_it_is(tmp_path, monkeypatch):
    model = fresh()
    assert len(lh.show_predictions(model, GOOD, n=np.int64(50)).axes) == 20  # all there are
    assert lh.evaluate(nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(10)), GOOD).loss > 0
    monkeypatch.setenv("HOME", str(tmp_path))
    lh.save_weights(model, "~/w.pt")
    assert torch.equal(weights(lh.load_weights(fresh(4), tmp_path / "w.pt")), weights(model))


def test_a_network_gone_to_nan_is_said(capsys):
    model = fresh()
    nn.init.constant_(model.fc3.weight, float("nan"))
    lh.show_layers(model, IMAGES[0])
    lh.show_predictions(model, GOOD)
    print(lh.evaluate(model, GOOD))
    assert capsys.readouterr().out.count("outputs are NaN") == 3
    assert "NaN" not in repr(lh.evaluate(fresh(), GOOD))


class Lazy(lh.LeNet5):
    def __init__(self):
        super().__init__()
        self.c1, self.fc1 = nn.LazyConv2d(6, 5, padding=2), nn.LazyLinear(120)


@pytest.mark.parametrize("call", EVERYWHERE | LEARNING)
def test_networks_of_another_kind(call, tmp_path):
    """Lazy, wrapped, of float64, or made for inference only: it works, or a sentence says why."""
    function, path = (EVERYWHERE | LEARNING)[call], tmp_path / "w.pt"
    lh.save_weights(fresh(), path)
    lazy = Lazy()
    for model in (lazy, nn.DataParallel(fresh()), fresh().double()):
        function(model, path)
    assert weights(lazy).shape == weights(fresh()).shape and lazy.c1.training
    assert lh.load_weights(fresh(4), path)
    with torch.inference_mode():
        still = lh.LeNet5()
    if call in LEARNING or call == "downhill":
        refused("inference_mode", function, still, path)
    else:
        function(still, path)


@pytest.mark.filterwarnings("ignore:.*jit.script:FutureWarning")
def test_networks_of_which_nothing_can_be_told(tmp_path):
    lazy, scripted = Lazy(), torch.jit.script(fresh())
    lazy.fc2, lazy.fc3 = nn.Linear(5, 84), nn.LazyLinear(10)
    refused("fc3 is a lazy layer.*RuntimeError", lh.save_weights, lazy, tmp_path / "w.pt")
    for call in ("filters", "table", "patches", "layers", "cell", "downhill"):
        refused("torch.jit", EVERYWHERE[call], scripted, None)


def test_answers_left_to_chance_are_said(capsys):
    model = Giving(nn.functional.dropout)
    assert "training=self.training" in repr(lh.evaluate(model, GOOD))
    lh.train(model, DIGITS, 1)
    assert capsys.readouterr().out.count("training=self.training") == 1
    assert "self.training" not in repr(lh.evaluate(Giving(nn.Dropout()), GOOD))
