"""The explorer in Python: what it offers, keeps in step, refuses and leaves in a saved notebook.

The page is tested in test_lab_explorer.py.
"""

import numpy as np
import pytest
import torch
from material import picture_of

import lenet_helpers as lh
from notebooks.support.widgets import explorer as support


@pytest.mark.parametrize("k", support.LIMITS["kernel_size"])
def test_presets(k):
    kernels = {name: make(k).double() for name, make in support.PRESETS.items()}
    assert {kernel.shape for kernel in kernels.values()} == {(k, k)}
    assert kernels["blur"].unique().tolist() == [1] and kernels["sharpen"].sum() == 1
    assert torch.equal(kernels["horizontal"], kernels["vertical"].T)
    assert (kernels["vertical"].sum(1) == 0).all()
    # dark to the left, bright to the right: positive
    assert k == 1 or kernels["vertical"][:, k // 2 :].sum() > 0


def test_settings_are_read_and_set_from_python():
    explorer = lh.explore_convolution(8, 5, stride=2, padding=1, dilation=1, preset="blur")
    assert explorer.kernel == torch.ones(5, 5).tolist()
    explorer.kernel_size = np.int64(3)
    explorer.preset = "sharpen"
    assert explorer.kernel == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    explorer.kernel = torch.tensor([[1, 2], [3, 4]])
    assert (explorer.preset, explorer.kernel_size) == ("own", 2)
    explorer.kernel_size = 4  # keeps the centre, row and column k // 2: here the 4
    assert explorer.kernel == [[0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]]
    explorer.kernel_size = 1
    assert (explorer.kernel, explorer.preset) == ([[4]], "own")
    explorer.kernel_size = 3
    assert explorer.kernel == [[0, 0, 0], [0, 4, 0], [0, 0, 0]]
    explorer.preset = "vertical"
    assert explorer.kernel == [[-1, 0, 1]] * 3
    assert (explorer.n_in, explorer.stride, explorer.padding, explorer.dilation) == (8, 2, 1, 1)


def test_what_the_page_sends_is_taken_as_it_is():
    """The page sets the kernel together with what changes it; Python must not make another."""
    explorer = lh.explore_convolution()
    sent = []
    explorer.observe(sent.append, "kernel")
    own = [[7, *[1] * 4], *[[1] * 5] * 4]
    for state in (
        {"kernel_size": 5, "kernel": explorer.kernels["random"]["5"]},
        {"preset": "blur", "kernel": torch.ones(5, 5).tolist()},
        {"preset": "own", "kernel": own},
        {"kernel_size": 6, "kernel": [[9] * 6] * 6},
    ):
        explorer.set_state(state)
        assert {name: getattr(explorer, name) for name in state} == state
    assert len(sent) == 4 and explorer.preset == "own"


def test_values_beyond_the_sliders_are_refused():
    explorer = lh.explore_convolution()
    wrong = dict(n_in=13, kernel_size=2.5, stride=None, padding=True, dilation="1", preset="Blur")
    for name, value in wrong.items():
        with pytest.raises(ValueError, match=f"{name} = .*not offered"):
            setattr(explorer, name, value)
    assert (explorer.n_in, explorer.kernel_size, explorer.preset) == (6, 3, "random")


def test_what_is_no_kernel_is_refused():
    explorer = lh.explore_convolution()
    before = explorer.kernel
    for words, kernel in {
        "kernel must be a square": [[1, 2]],
        "kernel must be a picture or a table of numbers": [["a"]],
        "kernel holds NaN": [[float("nan")]],
        "kernel_size = 8 is not offered": torch.ones(8, 8),
    }.items():
        with pytest.raises(ValueError, match=words):
            explorer.kernel = kernel
        assert (explorer.kernel, explorer.preset) == (before, "random")


def test_picture_of_the_present_state_for_saved_notebooks():
    explorer = lh.explore_convolution()
    before = picture_of(explorer)
    assert before.std() > 20 and before.shape[1] >= 800
    explorer.stride = 2
    assert not np.array_equal(picture_of(explorer), before)
    explorer.kernel_size = 7
    assert picture_of(explorer) is None  # does not fit: nothing to draw, and no traceback
    shown = lh.explore_kernels(torch.rand(28, 28)).figure().axes
    assert [ax.images[0].get_array().shape for ax in shown] == [(30, 30), (3, 3), (28, 28)]
