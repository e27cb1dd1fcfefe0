"""Sizes against torch: ConvGeometry, its formula, and what they refuse."""

import itertools
import re
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import lenet_helpers as lh

GRID = list(itertools.product(range(1, 13), range(1, 8), range(1, 5), range(0, 5), range(1, 4)))
FITTING = [case for case in GRID if case[0] + 2 * case[3] > case[4] * (case[1] - 1)]


def test_every_size_is_torchs():
    for n, k, s, p, d in GRID:
        try:
            output = F.conv2d(torch.zeros(1, n, n), torch.zeros(1, 1, k, k), None, s, p, d)
        except RuntimeError:
            with pytest.raises(ValueError, match="does not fit"):
                lh.ConvGeometry(n, k, s, p, d)
        else:
            g = lh.ConvGeometry(n, k, s, p, d)
            assert lh.conv_output_size(n, k, s, p, d) == g.n_out == output.shape[-1], g
            assert g.unused == g.padded - 1 - max(g.window(g.n_out - 1)), g


def test_windows_are_those_that_gradients_reach():
    """Autograd as the oracle: output i reads input j where d output / d input is not 0."""
    for n, k, s, p, d in FITTING[::50]:
        g = lh.ConvGeometry(n, k, s, p, d)
        convolve = partial(F.conv1d, weight=torch.ones(1, 1, k), stride=s, padding=p, dilation=d)
        reached = torch.autograd.functional.jacobian(convolve, torch.zeros(1, n))[0, :, 0]
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
    g = lh.ConvGeometry(np.int64(6), np.int32(3))  # the lesson's example
    assert g.n_out == 4 and type(g.n_in) is int


REFUSED = {  # settings: what the sentence has
    (6, 3, 0): ["stride", "0"],
    (6, 3, 1, -1): ["padding", "-1"],
    (6.5, 3): ["n_in", "6.5"],
    (6, "3"): ["kernel_size", "'3'"],
    (6, 3, 1, 0, 0): ["dilation", "0"],
    (6, True): ["kernel_size", "True"],
    (4, 7, 1, 1): ["7", " = 6", "kernel_size (7)"],  # what can be smaller
    (4, 3, 1, 1, 3): ["7", " = 6", "kernel_size (3) / dilation (3)"],
}


def test_refused_with_the_numbers():
    for settings, words in REFUSED.items():
        with pytest.raises(ValueError) as error:
            lh.ConvGeometry(*settings)
        said = str(error.value)
        assert all(word in said for word in words) and "\n" not in said, said
        assert lh.output_size_steps(*settings).data == said  # the formula's steps
        assert "(1)" not in said  # a 1 can't be made smaller


STEPS = {  # (stride, padding, dilation) of 6 pixels and a kernel of 3: in the formula's steps
    (1, 0, 1): [r"\frac{6 + 2 \times 0 - 3}{1} + 1", "= 3 + 1 = 4", "no remainder"],
    (2, 0, 1): [r"\lfloor \frac{3}{2} \right\rfloor + 1 = 1 + 1 = 2", "(1 of each)"],
    (1, 1, 2): [r"6 + 2 \times 1 - 2 \times (3 - 1) - 1", "d(k - 1)"],
}


def test_steps_of_the_formula():
    for settings, parts in STEPS.items():
        text = lh.output_size_steps(6, 3, *settings).data
        assert all(part in text for part in parts), text


def test_every_formula_ends_in_the_size():
    for n, k, s, p, d in FITTING[::7]:
        text = lh.output_size_steps(n, k, s, p, d).data
        numbers, result = re.search(r"\\frac\{(\d.*?)\}.*= (\d+)\n", text, re.S).groups()
        found = eval(numbers.replace(r"\times", "*")) // s + 1
        assert found == int(result) == lh.conv_output_size(n, k, s, p, d)
        assert text.count("{") == text.count("}") and text.count("$$") == 2
