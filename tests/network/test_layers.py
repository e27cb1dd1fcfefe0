"""The table of layers is what torch makes; what is wrong with a network, it says with the layer's name."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh


def test_counts():
    table = lh.layer_table(lh.LeNet5())
    by_hand = {  # parameters, multiply-adds
        "c1": (6 * (25 + 1), 28**2 * 6 * 25),
        "c3": (16 * (6 * 25 + 1), 10**2 * 16 * 150),
        "fc1": (401 * 120, 400 * 120),
        "fc2": (121 * 84, 120 * 84),
        "fc3": (85 * 10, 84 * 10),
    }
    assert {row.name: row[3:5] for row in table if any(row[3:5])} == by_hand
    assert repr(table).split()[-3:] == ["total", "61,706", "416,520"]


def net(forward, **layers):
    """A network of these layers and a forward(model, x)."""
    model = type("Net", (nn.Module,), {"forward": forward})()
    for name, layer in layers.items():
        setattr(model, name, layer)
    return model


def conv(**options):
    return nn.Conv2d(1, 6, 5, **options)


POOL = nn.MaxPool2d(2)
TRUE = {
    "containers": nn.Sequential(nn.Sequential(conv(), nn.ReLU(), POOL), nn.Flatten(), nn.Dropout()),
    "batch norm": nn.Sequential(conv(), nn.BatchNorm2d(6), nn.Flatten(), nn.BatchNorm1d(3456)),
    "same": nn.Sequential(conv(padding="same", dilation=2), nn.Conv2d(6, 1, 3, padding="valid")),
    "groups": nn.Sequential(conv(), nn.Conv2d(6, 12, 3, stride=2, groups=3, dilation=2)),
    "a skip": net(lambda m, x: x + m.c2(m.c1(x)), c1=nn.Conv2d(1, 1, 1), c2=nn.Conv2d(1, 1, 1)),
    "pairs": nn.Sequential(nn.Conv2d(1, 6, (5, 5), padding=(2, 2)), nn.MaxPool2d([2, 2])),
    "one ReLU": net(lambda m, x: m.r(m.c(m.r(x))), c=conv(), r=nn.ReLU()),
}


def shapes(model, name):
    """What a layer really gives, each time that it is called."""
    made = []
    hook = model.get_submodule(name).register_forward_hook(lambda m, i, o: made.append(o))
    model(torch.zeros(1, 1, 28, 28))
    hook.remove()
    return [tuple(o.shape[1:]) for o in made]


def test_what_can_be_told_is_what_torch_makes():
    for name, model in TRUE.items():
        random_state = torch.get_rng_state()
        table = lh.layer_table(model)
        assert torch.equal(torch.get_rng_state(), random_state)
        assert table.parameters == sum(p.numel() for p in model.parameters()), name
        assert len({len(line) for line in repr(table).splitlines()}) == 1, name
        for row in table:
            assert row.shape in shapes(model.eval(), row.name), (name, row)
    lazy = nn.Sequential(nn.LazyConv2d(6, 5), nn.Flatten(), nn.LazyLinear(10))
    assert [row.parameters for row in lh.layer_table(lazy)] == [156, 34570]
    assert lh.layer_table(TRUE["groups"])[1].multiply_adds == 12 * 10 * 10 * 2 * 9


def test_functions_are_measured_as_layers_are():
    def forward(m, x):
        x = m.c(F.max_pool2d(F.pad(x, [2] * 4), 2))
        return m.f(F.adaptive_avg_pool2d(F.relu(x), 2).flatten(1))

    conv_3_5 = nn.Conv2d(1, 6, (3, 5), stride=(2, 1))
    assert [row[1:5] for row in lh.layer_table(net(forward, c=conv_3_5, f=nn.Linear(24, 10)))] == [
        ("pad", (1, 32, 32), 0, 0),
        ("MaxPool2d kernel_size=2 stride=2 padding=0", (1, 16, 16), 0, 0),
        ("Conv2d kernel_size=(3, 5) stride=(2, 1) padding=0", (6, 7, 12), 96, 6 * 7 * 12 * 15),
        ("AdaptiveAvgPool2d output_size=2", (6, 2, 2), 0, 0),
        ("Linear 24 -> 10", (10,), 250, 240),
    ]
    assert lh.layer_table(nn.Sequential(conv()), (1, 28, 32))[0].shape == (6, 24, 28)


SKIP = {"c1": nn.Conv2d(1, 1, 1), "c2": nn.Conv2d(1, 6, 1)}
REFUSED = [  # (model, what is said of it)
    (net(lambda m, x: m.p(m.c(m.p(x))), c=nn.Conv2d(1, 1, 3), p=POOL), "p 2 times"),
    (net(lambda m, x: m.c(x), c=conv(), d=nn.Linear(9, 9)), "d is defined"),
    (net(lambda m, x: x + m.c2(m.c1(x)), **SKIP), r"28\) \+ \(1, 6, 28"),
    (nn.Sequential(conv(), nn.Linear(3456, 10)), r"1 .*\(1, 3456\)"),
    (nn.Sequential(conv(), nn.Conv2d(6, 6, 30)), r"1 \(Conv2d.*\(1, 6, 24, 24\).*RuntimeError"),
    (net(lambda m, x: m.c1(x) + m.c2(x), c1=conv()), r"c1, .*24, 24\).*AttributeError: .*'c2'"),
    (nn.Sequential(nn.ConvTranspose2d(1, 6, 5)), "0 is ConvTranspose2d"),
]


def test_what_is_wrong_is_said_with_its_name():
    for model, words in REFUSED:
        with pytest.raises(ValueError, match=words) as error:
            lh.layer_table(model)
        assert len(str(error.value).splitlines()) == 1, words
