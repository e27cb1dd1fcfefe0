"""Sizes against torch: ConvGeometry, its formula, and what they refuse."""

import itertools
import re

import numpy as np
import pytest
import torch

import lenet_helpers as lh
from notebooks.support.words import texts

GRID = list(itertools.product(range(1, 13), range(1, 8), range(1, 5), range(0, 5), range(1, 4)))


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


@pytest.mark.parametrize(
    "k, d, advice",
    [(7, 1, "kernel_size (7) smaller"), (3, 3, "kernel_size (3) / dilation (3) smaller")],
)
def test_what_does_not_fit_is_advised_what_can_be_smaller(k, d, advice):
    with pytest.raises(ValueError) as error:
        lh.ConvGeometry(4, k, 1, 1, d)
    assert (
        "spans 7 pixels" in str(error.value)
        and "4 + 2*1 = 6" in str(error.value)
        and advice in str(error.value)
    )


def test_windows_are_those_that_gradients_reach():
    """Autograd as the oracle: output i reads input j where d output / d input is not 0."""
    for n, k, s, p, d in GRID[::97]:
        try:
            g = lh.ConvGeometry(n, k, s, p, d)
        except ValueError:
            continue
        x = torch.zeros(1, 1, n, requires_grad=True)
        y = torch.nn.functional.conv1d(x, torch.ones(1, 1, k), stride=s, padding=p, dilation=d)
        reached = [
            torch.autograd.grad(y[0, 0, i], x, retain_graph=True)[0][0, 0] for i in range(g.n_out)
        ]
        for i in range(g.n_out):
            inside = [q - p for q in g.window(i) if 0 <= q - p < n]
            assert inside == reached[i].nonzero().flatten().tolist()
        for j in range(n):
            assert g.feeds(j) == torch.stack(reached)[:, j].nonzero().flatten().tolist()


def test_by_hand():
    g = lh.ConvGeometry(6, 3, stride=2, padding=0)
    assert (g.padded, g.span, g.n_out, g.unused) == (6, 3, 2, 1)
    assert (g.window(1), g.feeds(2), g.feeds(5)) == ([2, 3, 4], [0, 1], [])
    g = lh.ConvGeometry(7, 3, stride=2, padding=1, dilation=2)
    assert (g.padded, g.span, g.n_out, g.unused) == (9, 5, 3, 0)
    assert g.window(2) == [4, 6, 8]
    assert lh.conv_output_size(6, 3) == 4  # the lesson's example


def test_unused_is_what_no_window_reaches():
    for n, k, s, p, d in GRID:
        if p + n + p >= d * (k - 1) + 1:
            g = lh.ConvGeometry(n, k, s, p, d)
            assert g.unused == g.padded - 1 - max(g.window(g.n_out - 1))


REFUSED = {  # arguments of ConvGeometry, and what is said of them
    (6, 7): ["7", "6"],
    (6, 3, 0): ["stride", "0"],
    (6, 3, 1, -1): ["padding", "-1"],
    (6.5, 3): ["n_in", "6.5"],
    (6, "3"): ["kernel_size", "'3'"],
    (6, 3, 1, 0, 0): ["dilation", "0"],
    (0, 1): ["n_in", "0"],
    (6, True): ["kernel_size", "True"],
    (6, 3, None): ["stride", "None"],
    (4, 3, 1, 0, 2): ["5", "4"],
}


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_refused_with_the_numbers(language):
    texts.use(language)
    for arguments, words in REFUSED.items():
        with pytest.raises(ValueError) as error:
            lh.ConvGeometry(*arguments)
        assert all(word in str(error.value) for word in words)
        assert len(str(error.value).splitlines()) == 1


def test_numpy_integers_are_whole():
    g = lh.ConvGeometry(np.int64(6), np.int32(3))
    assert g.n_out == 4 and g == lh.ConvGeometry(6, 3) and type(g.n_in) is int


# the formula, step by step

FITTING = [case for case in GRID if case[0] + 2 * case[3] > case[4] * (case[1] - 1)]


def test_steps_of_the_formula():
    text = lh.output_size_steps(6, 3).data
    assert r"\frac{6 + 2 \times 0 - 3}{1} + 1" in text and r"\frac{3}{1} + 1 = 3 + 1 = 4" in text
    assert "no remainder" in text and text.count("lfloor") == 1
    text = lh.output_size_steps(6, 3, stride=2).data
    assert (
        r"\left\lfloor \frac{3}{2} \right\rfloor + 1 = 1 + 1 = 2" in text and "(1 of each)" in text
    )
    text = lh.output_size_steps(9, 3, dilation=2, padding=1).data
    assert r"9 + 2 \times 1 - 2 \times (3 - 1) - 1" in text and "d(k - 1)" in text and "= 7" in text


def test_every_formula_ends_in_torchs_size():
    for n, k, s, p, d in FITTING[::7]:
        text = lh.output_size_steps(n, k, s, p, d).data
        numbers, result = re.search(r"\\frac\{(\d.*?)\}.*= (\d+)\n", text, re.S).groups()
        size = torch_size(n, k, s, p, d)
        assert eval(numbers.replace(r"\times", "*")) // s + 1 == int(result) == size
        assert text.count("{") == text.count("}") and text.count("$$") == 2


@pytest.mark.parametrize(
    "arguments, word", [((3, 5), "does not fit"), ((6.5, 3), "n_in"), ((6, 3, 0), "stride")]
)
def test_steps_of_what_cannot_be_are_a_sentence(arguments, word):
    assert word in lh.output_size_steps(*arguments).data
