"""LeNet-5's layers: shapes against torch, counts against formulas written out here."""

import pytest
import torch
from torch import nn

import lenet_helpers as lh


def test_shapes_are_what_torch_makes():
    model, seen = lh.LeNet5(), {}
    for name, layer in model.named_children():
        layer.register_forward_hook(
            lambda m, i, o, name=name: seen.update({name: tuple(o.shape[1:])})
        )
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert {row.name: row.shape for row in lh.layer_table(model)} == seen


def test_counts():
    table = lh.layer_table(lh.LeNet5())
    parameters = {
        "c1": 6 * (25 + 1),
        "c3": 16 * (6 * 25 + 1),
        "fc1": 401 * 120,
        "fc2": 121 * 84,
        "fc3": 85 * 10,
    }
    costs = {
        "c1": 28**2 * 6 * 25,
        "c3": 10**2 * 16 * 150,
        "fc1": 400 * 120,
        "fc2": 120 * 84,
        "fc3": 84 * 10,
    }
    assert {row.name: row.parameters for row in table if row.parameters} == parameters
    assert {row.name: row.multiply_adds for row in table if row.multiply_adds} == costs
    assert (table.parameters, table.multiply_adds) == (61_706, 416_520)
    assert table.parameters == sum(p.numel() for p in lh.LeNet5().parameters())
    lines = repr(table).splitlines()
    assert (
        "61,706" in lines[-1] and "416,520" in lines[-1] and len({len(line) for line in lines}) == 1
    )


def test_other_models():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 5),
    )
    table = lh.layer_table(model, (3, 16, 16))
    assert [row.shape for row in table] == [(8, 8, 8), (8, 4, 4), (5,)]
    assert table[0].multiply_adds == 8 * 8 * 8 * 27


def test_sizes_may_be_pairs():
    layers = nn.Conv2d(1, 6, (5, 5), padding=(2, 2)), nn.MaxPool2d([2, 2], stride=(2, 2))
    assert [row.shape for row in lh.layer_table(nn.Sequential(*layers))] == [
        (6, 28, 28),
        (6, 14, 14),
    ]


@pytest.mark.parametrize(
    "layer, words",
    [
        (nn.Conv2d(1, 6, 5, padding="same"), "padding.*'same'"),
        (nn.MaxPool2d(2, ceil_mode=True), "ceil_mode=True"),
    ],
)
def test_sizes_of_another_kind_are_refused(layer, words):
    with pytest.raises(ValueError, match=words):
        lh.layer_table(nn.Sequential(layer))


def test_256_or_400():
    model = lh.LeNet5()
    model.fc1 = nn.Linear(256, 120)
    with pytest.raises(ValueError, match="fc1.*256.*400"):
        lh.layer_table(model)
    with pytest.raises(ValueError, match="c1.*1.*3"):
        lh.layer_table(lh.LeNet5(), (3, 28, 28))


def test_start_is_hes():
    """The signal's size stays about the same from layer to layer; logits may be negative (no ReLU on them)."""
    model = lh.LeNet5()
    for layer in (model.c1, model.c3, model.fc1, model.fc2):
        fan_in = layer.weight[0].numel()
        assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.15)
        assert not layer.bias.any()
    assert (model(torch.rand(50, 1, 28, 28)) < 0).any()
