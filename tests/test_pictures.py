"""The figures show what they say."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

import lenet_helpers as lh
from notebooks.support import images


def titles(fig):
    return [(ax.get_title(), to_hex(ax.title.get_color())) for ax in fig.axes if ax.get_title()]


def test_predictions_right_and_wrong(small, trained):
    model, _ = trained
    shown = titles(lh.show_predictions(model, small.test, n=30))
    labels = small.test.tensors[1][:30].tolist()
    guesses = lh.evaluate(model, small.test).predictions[:30].tolist()
    assert shown == [
        (f"{g} ({t})" + ("" if g == t else " ✗"), images.RIGHT if g == t else images.WRONG)
        for g, t in zip(guesses, labels)
    ]


def test_mistakes_are_mistakes_the_surest_first(small, trained):
    evaluation = lh.evaluate(trained[0], small.test)
    wrong = (evaluation.predictions != small.test.tensors[1]).nonzero().flatten().tolist()
    shown = [
        int(title[1:].split(":")[0])
        for title, _ in titles(lh.show_mistakes(evaluation, small.test, n=6))
    ]
    sure = evaluation.logits.softmax(1).max(1).values
    assert shown == sorted(wrong, key=lambda i: -sure[i])[:6]


def test_no_mistakes_is_no_error(small, trained):
    evaluation = lh.evaluate(trained[0], small.test)
    right = torch.utils.data.TensorDataset(small.test.tensors[0], evaluation.predictions)
    fig = lh.show_mistakes(lh.evaluate(trained[0], right), right)
    assert titles(fig) == [] and fig.get_suptitle() == "no mistake in 360 pictures"


def test_the_mistakes_of_a_network_gone_to_nan(small):
    model = lh.LeNet5()
    torch.nn.init.constant_(model.fc3.weight, float("nan"))
    evaluation = lh.evaluate(model, small.test)
    assert (
        evaluation.accuracy < 0.2
        and len(titles(lh.show_mistakes(evaluation, small.test, n=6))) == 6
    )


def test_confusion_and_filters(small, trained):
    evaluation = lh.evaluate(trained[0], small.test)
    ax = lh.show_confusion(evaluation).axes[0]
    numbers = [int(text.get_text()) for text in ax.texts]
    assert np.array_equal(np.reshape(numbers, (10, 10)), evaluation.confusion)
    fig = lh.show_filters(trained[0])
    shown = [ax.images[0].get_array() for ax in fig.axes[:6]]
    assert np.allclose(shown, trained[0].c1.weight.detach()[:, 0])


def test_filters_of_other_networks():
    assert len(lh.show_filters(torch.nn.Conv2d(1, 1, 3)).axes) == 2  # the kernel and the scale
    with pytest.raises(ValueError, match="no convolution"):
        lh.show_filters(torch.nn.Linear(3, 3))


def test_diagram_has_every_layers_size(tmp_path):
    path = tmp_path / "lenet5.svg"
    fig = lh.lenet5_diagram(path)
    texts = [text.get_text() for text in fig.axes[0].texts]
    for size in ("1@28x28", "6@28x28", "6@14x14", "16@10x10", "16@5x5", "120", "84", "10"):
        assert any(text.split("\n")[-1] == size for text in texts)
    assert path.read_text(encoding="utf-8").startswith("<?xml")


def test_figures_are_not_left_open(small, trained):
    import matplotlib.pyplot as plt

    lh.show_predictions(trained[0], small.test)
    lh.lenet5_diagram()
    assert plt.get_fignums() == []
