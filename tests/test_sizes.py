"""Sizes against torch: ConvGeometry, its formula, and what they refuse."""

import itertools
import re

import numpy as np
import pytest
import torch

import lenet_helpers as lh
from notebooks.support.words import texts

GRID = list(itertools.product(range(1, 13), range(1, 8), range(1, 5), range(0, 5), range(1, 4)))
FITTING = [case for case in GRID if case[0] + 2 * case[3] > case[4] * (case[1] - 1)]


def torch_size(n, k, s, p, d):
    """By convolving; an old torch does not check sizes on the meta device."""
    image, kernel = torch.zeros(1, 1, n, n), torch.zeros(1, 1, k, k)
    return torch.nn.functional.conv2d(image, kernel, None, s, p, d).shape[-1]


def test_every_size_is_torchs():
    for n, k, s, p, d in GRID:
        try:
            expected = torch_size(n, k, s, p, d)
        except RuntimeError:
            with pytest.raises(ValueError, match="does not fit"):
                lh.ConvGeometry(n, k, s, p, d)
        else:
            assert lh.conv_output_size(n, k, s, p, d) == expected, (n, k, s, p, d)


@pytest.mark.parametrize("k, d, advice", [(7, 1, "(7) smaller"), (3, 3, "dilation (3) smaller")])
def test_what_does_not_fit_is_advised_what_can_be_smaller(k, d, advice):
    with pytest.raises(ValueError) as error:
        lh.ConvGeometry(4, k, 1, 1, d)
    for words in ("spans 7 pixels", "4 + 2*1 = 6", advice):
        assert words in str(error.value)


def test_windows_are_those_that_gradients_reach():
    """Autograd as the oracle: output i reads input j where d output / d input is not 0."""
    for n, k, s, p, d in FITTING[::50]:
        g = lh.ConvGeometry(n, k, s, p, d)
        x = torch.zeros(1, 1, n, requires_grad=True)
        y = torch.nn.functional.conv1d(x, torch.ones(1, 1, k), stride=s, padding=p, dilation=d)
        reached = torch.stack(
            [torch.autograd.grad(each, x, retain_graph=True)[0] for each in y[0, 0]]
        )
        reached = reached[:, 0, 0]
        for i in range(g.n_out):
            inside = [q - p for q in g.window(i) if 0 <= q - p < n]
            assert inside == reached[i].nonzero().flatten().tolist()
        for j in range(n):
            assert g.feeds(j) == reached[:, j].nonzero().flatten().tolist()


def test_by_hand():
    g = lh.ConvGeometry(6, 3, stride=2, padding=0)
    assert (g.padded, g.span, g.n_out, g.unused) == (6, 3, 2, 1)
    assert (g.window(1), g.feeds(2), g.feeds(5)) == ([2, 3, 4], [0, 1], [])
    g = lh.ConvGeometry(7, 3, stride=2, padding=1, dilation=2)
    assert (g.padded, g.span, g.n_out, g.unused) == (9, 5, 3, 0)
    assert g.window(2) == [4, 6, 8]
    assert lh.conv_output_size(6, 3) == 4  # the lesson's example


def test_unused_is_what_no_window_reaches():
    for case in FITTING:
        g = lh.ConvGeometry(*case)
        assert g.unused == g.padded - 1 - max(g.window(g.n_out - 1))


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize(
    "arguments, words",
    [
        ((6, 7), "7 6"),
        ((6, 3, 0), "stride 0"),
        ((6, 3, 1, -1), "padding -1"),
        ((6.5, 3), "n_in 6.5"),
        ((6, "3"), "kernel_size '3'"),
        ((6, 3, 1, 0, 0), "dilation 0"),
        ((6, True), "kernel_size True"),
        ((4, 3, 1, 0, 2), "5 4"),
    ],
)
def test_refused_with_the_numbers(language, arguments, words):
    texts.use(language)
    with pytest.raises(ValueError) as error:
        lh.ConvGeometry(*arguments)
    assert all(word in str(error.value) for word in words.split())
    assert len(str(error.value).splitlines()) == 1
    said = lh.output_size_steps(*arguments).data  # the formula's steps are a sentence, then
    assert str(error.value) in said


def test_numpy_integers_are_whole():
    g = lh.ConvGeometry(np.int64(6), np.int32(3))
    assert g.n_out == 4 and g == lh.ConvGeometry(6, 3) and type(g.n_in) is int


# the formula, step by step


@pytest.mark.parametrize(
    "settings, parts",
    [
        ({}, [r"\frac{6 + 2 \times 0 - 3}{1} + 1", r"\frac{3}{1} + 1 = 3 + 1 = 4", "no remainder"]),
        ({"stride": 2}, [r"\lfloor \frac{3}{2} \right\rfloor + 1 = 1 + 1 = 2", "(1 of each)"]),
        ({"dilation": 2, "padding": 1}, [r"6 + 2 \times 1 - 2 \times (3 - 1) - 1", "d(k - 1)"]),
    ],
)
def test_steps_of_the_formula(settings, parts):
    text = lh.output_size_steps(6, 3, **settings).data
    assert all(part in text for part in parts), text


def test_every_formula_ends_in_torchs_size():
    for n, k, s, p, d in FITTING[::7]:
        text = lh.output_size_steps(n, k, s, p, d).data
        numbers, result = re.search(r"\\frac\{(\d.*?)\}.*= (\d+)\n", text, re.S).groups()
        size = torch_size(n, k, s, p, d)
        assert eval(numbers.replace(r"\times", "*")) // s + 1 == int(result) == size
        assert text.count("{") == text.count("}") and text.count("$$") == 2
