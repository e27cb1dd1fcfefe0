"""One step downhill and softmax in Python: their numbers against torch, and what they refuse.

The pages are tested in test_lab_learning.py.
"""

import copy

import pytest
import torch
from material import fresh, picture_of, weights
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import lenet_helpers as lh
from notebooks.support.widgets.downhill import RATES


def pictures(dataset, n=500):
    images, labels = (tensor[:n] for tensor in dataset.tensors)
    return images / 255, labels


def test_a_step_of_all_weights_is_that_of_sgd(small):
    model = fresh()
    found, (images, labels) = lh.downhill(model, small.train), pictures(small.train)
    assert found.n_weights == 61_706 and found.rates == RATES and len(RATES) == 24
    for rate in (0.01, 0.5, 3):
        stepped = copy.deepcopy(model)
        optimizer = torch.optim.SGD(stepped.parameters(), lr=rate)
        loss = F.cross_entropy(stepped(images), labels)
        assert found.before == pytest.approx(loss.item())
        loss.backward()
        optimizer.step()
        after = F.cross_entropy(stepped(images), labels).item()
        assert found.losses[RATES.index(rate)] == pytest.approx(after, rel=1e-5)
    assert min(found.losses) < found.before < found.losses[-1]


def test_the_model_stays_as_it_is(small):
    model = fresh().train()
    F.cross_entropy(model(torch.rand(2, 1, 28, 28)), torch.tensor([1, 2])).backward()
    before, gradient = weights(model), model.c1.weight.grad.clone()
    found = lh.downhill(model, small.train)
    assert torch.equal(weights(model), before) and model.training
    assert torch.equal(model.c1.weight.grad, gradient)
    assert lh.downhill(model, small.train).losses == found.losses  # grads start at 0
    found.weights, found.learning_rate = [5, 4.1], 0.3
    assert picture_of(found) is not None


def test_what_a_step_downhill_refuses(small):
    lost, headless, wild = fresh(), fresh(), fresh()
    lost.fc3.weight.data[3, 3] = torch.nan
    del headless.fc3
    wild.fc2.weight.data *= 1e15
    for said, model in {"fresh one": lost, "fc3": headless}.items():
        with pytest.raises(ValueError, match=said):
            lh.downhill(model, small.train)
    losses = lh.downhill(wild, TensorDataset(*pictures(small.train, 7))).losses
    assert losses[-1] is None  # NaN is no JSON


def test_softmax_takes_scores_and_a_label(network, four):
    logits = network(four[None])
    shown = lh.explore_softmax(logits, 4)
    assert shown.scores == shown.logits == logits[0].tolist() and shown.label == 4
    shown.scores = [0.0] * 10
    assert picture_of(shown) is not None and shown.logits == logits[0].tolist()
    for said, wrong in {
        "label = 10": (logits, 10),
        r"shape is \(2, 10\)": (torch.zeros(2, 10), 1),
        "fresh one": ([float("inf")] * 10, 1),
    }.items():
        with pytest.raises(ValueError, match=said):
            lh.explore_softmax(*wrong)
