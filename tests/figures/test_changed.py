"""Networks that are not quite LeNet-5: the figures show what they did. Oracle: torch, step by step."""

import copy

import numpy as np
import pytest
import torch
from material import decimals
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh


def changed(model, forward=None, **layers):
    """The model with other layers, and another forward(model, x)."""
    model = copy.deepcopy(model)
    for name, layer in layers.items():
        setattr(model, name, layer)
    if forward is not None:
        model.__class__ = type("Changed", (lh.LeNet5,), {"forward": forward})
    return model.eval()


def by(c=F.relu, s=torch.clone, f=F.relu):
    """A forward with these steps behind convolution, pooling and full connection."""

    def forward(m, x):
        x = s(m.s4(c(m.c3(s(m.s2(c(m.c1(x))))))))
        return m.fc3(f(m.fc2(f(m.fc1(x.flatten(1))))))

    return forward


def reason(*arguments):
    words = " ".join(lh.explain_cell(*arguments).get_suptitle().split())
    return words.replace("−", "-").split(": ", 1)[1]


def shown(model, image):
    """The titles of `show_layers`, and its tables."""
    axes = lh.show_layers(model, image).axes
    return {ax.get_title().split(":")[0]: (ax.get_title(), ax.images) for ax in axes}


@pytest.mark.parametrize("pooled_first", [False, True])
@pytest.mark.parametrize(
    "name, step",
    [("ReLU", F.relu), ("tanh", torch.tanh), ("leaky ReLU", nn.LeakyReLU(inplace=True))],
)
def test_an_activation_is_named_where_it_is(network, four, name, step, pooled_first):
    c, s = (nn.Identity(), step) if pooled_first else (step, nn.Identity())
    model = changed(network, by(c, s))
    plain = model.c1(four[None])
    maps = {"c1": c(plain.clone()), "s2": s(model.s2(c(plain.clone())))}
    made = model.c3(maps["s2"])[0, 3, 4, 5].item()
    last = c(model.c3(maps["s2"]))[0, 3, 4, 5].item()
    figure = shown(model, four)
    for layer, behind in {"c1": not pooled_first, "s2": pooled_first}.items():
        title, (image,) = figure[layer.upper()]
        assert title.endswith(f" after {name}") == behind
        values = maps[layer][0, 0] / maps[layer].abs().max()
        cells = image.get_array()[1 : 1 + len(values), 1 : 1 + len(values)]
        assert np.allclose(cells, values.detach(), atol=1e-4), layer
    words = reason(model, four, "c3", 3, 4, 5)
    expected = [made] if pooled_first else [made, last]
    assert decimals(words.split("=")[1]) == pytest.approx(expected, abs=6e-4), words
    assert (f"after {name}: " in words) != pooled_first
    words = reason(model, four, "s2", 1, 7, 7)
    assert decimals(words)[-1] == pytest.approx(maps["s2"][0, 1, 7, 7].item(), abs=6e-4)
    assert words.startswith("the largest of ") and "made" not in words
    assert (f"after {name}: " in words) == pooled_first


def test_steps_without_a_name(network, four):
    model = changed(network, by(F.gelu))
    value = F.gelu(model.c1(four[None]))[0, 1, 13, 13].item()
    assert f"after another step: {value:.3f}" in reason(model, four, "c1", 1, 13, 13)
    assert shown(model, four)["C1"][0] == "C1: 6@28×28 after another step"
    pool = by(lambda x: F.max_pool2d(F.relu(x), 3, 2, 1))
    pooled = changed(network, pool, s2=nn.Identity(), s4=nn.Identity())
    value = pooled.c1(four[None])[0, 1, 13, 13].item()
    assert reason(pooled, four, "c1", 1, 13, 13).endswith(f"= {value:.3f}")
    assert shown(pooled, four)["C1"][0] == "C1: 6@28×28"


@pytest.mark.parametrize(
    "options", [dict(dilation=2, padding=4), dict(padding="same"), dict(padding=2, bias=False)]
)
def test_every_kind_of_convolution_is_the_sum_that_is_shown(network, four, options):
    four = four + 0.1  # so that the edge is not all 0
    model = changed(network, c1=nn.Conv2d(1, 6, 5, **options))
    for cell in ((5, 0, 0), (2, 7, 9)):
        made = model.c1(four[None])[(0, *cell)].item()
        words = reason(model, four, "c1", *cell)
        terms, results = words.split("=")
        assert decimals(results)[0] == pytest.approx(made, abs=6e-4), words
        assert sum(decimals(terms)) == pytest.approx(made, abs=4e-3)
        assert "made" not in results and ("no bias" in terms) == ("bias" in options)


def test_a_sum_that_is_not_the_maps_value(network, four):
    """Another step before the network, a hook behind a layer, NaN."""
    model = changed(network, lambda m, x: lh.LeNet5.forward(m, (x - 0.13) / 0.31))
    made = model.c1((four[None] - 0.13) / 0.31)[0, 1, 4, 4].item()
    results = decimals(reason(model, four, "c1", 1, 4, 4).split("=")[1])
    assert results[0] == pytest.approx(made, abs=6e-4)
    assert np.allclose(shown(model, four)["input"][1][0].get_array(), four[0])
    twice = changed(network)
    twice.c1.register_forward_hook(lambda layer, inputs, output: 2 * output)
    made = 2 * network.c1(four[None])[0, 1, 13, 13].item()
    assert f"but the layer made {made:.3f}" in reason(twice, four, "c1", 1, 13, 13)
    lost = changed(network)
    nn.init.constant_(lost.c3.weight, float("nan"))
    figure, words = shown(lost, four), reason(lost, four, "c3", 1, 2, 2)
    assert figure["S4"][0] == "S4: 16@5×5" and figure["no guess"][0] == "no guess: NaN"
    assert "= nan" in words and "made" not in words


def test_layers_with_dots_in_their_names(network, four):
    """The cell of a network in parts is that of the same network in one."""
    n, act = network, nn.ReLU()
    features = nn.Sequential(n.c1, act, n.s2, n.c3, act, n.s4)
    model = nn.Sequential(features, nn.Flatten(), n.fc1, act, n.fc2, act, n.fc3)
    for own, name in (("0.0", "c1"), ("0.2", "s2"), ("0.3", "c3"), ("0.5", "s4")):
        assert reason(model, four, own, 3, 4, 2) == reason(network, four, name, 3, 4, 2)


def test_the_ten_probabilities_are_those_of_the_forward(network, four):
    logits = network(four[None]).detach()
    for end, scores in {
        lambda x: x.softmax(1): logits,
        lambda x: x.log_softmax(1): logits,
        lambda x: F.relu(x - 5): F.relu(logits - 5),
    }.items():
        model = changed(network, lambda m, x, end=end: end(lh.LeNet5.forward(m, x)))
        bars = [bar.get_width() for bar in lh.show_layers(model, four).axes[-1].patches]
        assert np.allclose(bars, scores.softmax(1)[0], atol=1e-5)


def test_what_cannot_be_told_is_refused_with_its_name(network, four):
    def without(m, x):
        x = F.max_pool2d(F.relu(m.c3(m.s2(F.relu(m.c1(x))))), 2)
        return m.fc3(m.fc2(m.fc1(x.flatten(1))))

    rows, even = nn.Conv2d(1, 6, (3, 5), padding=(1, 2)), nn.Conv2d(1, 6, 4, padding="same")
    for words, layer, model in (
        ("s4 is defined", "c1", changed(network, without)),
        (r"one of c1\.0, s2.*'c1'", "c1", changed(network, c1=nn.Sequential(network.c1))),
        (r"kernel_size=\(3, 5\)", "c1", changed(network, c1=rows)),
        ("c1 is .*padding=same", "c1", changed(network, c1=even)),
        ("one of c1, c3, s4 .*'s2'", "s2", changed(network, s2=nn.AdaptiveAvgPool2d(14))),
    ):
        with pytest.raises(ValueError, match=words):
            lh.explain_cell(model, four, layer, 0, 0, 0)
