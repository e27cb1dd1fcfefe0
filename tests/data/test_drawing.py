"""From a drawing to MNIST's style."""

import itertools

import numpy as np
import pytest
import torch
from material import DRAWINGS, moved_strokes
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.data.drawing import SIDE, draw_strokes


def block(height, width, top, left, rows, columns):
    drawing = np.zeros((height, width), np.uint8)
    drawing[top : top + rows, left : left + columns] = 255
    return drawing


BLOCKS = {  # a block's place: the rows and columns of its ink in MNIST's style
    (60, 100, 13, 51, 40, 40): (slice(4, 24), slice(4, 24)),  # twice as large, not square
    (112, 112, 100, 100, 10, 10): (slice(4, 24), slice(4, 24)),  # half as large
    (200, 100, 3, 90, 180, 9): (slice(4, 24), slice(14, 15)),  # 20x1: its middle is 14
    (100, 100, 50, 10, 12, 60): (slice(12, 16), slice(4, 24)),  # 4x20
}


def test_blocks_by_hand():
    for place, inked in BLOCKS.items():
        expected = torch.zeros(28, 28)
        expected[inked] = 1
        assert torch.allclose(lh.to_mnist_style(block(*place))[0], expected, atol=1e-6), place


def test_a_stroke_by_hand():
    drawing = draw_strokes([[(0.25, 0.5), (0.75, 0.5)]], pen=4)
    assert np.flatnonzero(drawing.any(1)).tolist() == [54, 55, 56, 57]
    assert (drawing[54:58, 28:84] == 255).all()


def test_centre_of_mass_by_hand():
    """Rows: 0.75 of the ink in 0-4 of 20, 0.25 in 15-19: 0.75 * 2 + 0.25 * 17 = 5.75, 8.25 from 14.
    Columns: 5 rows of 0-17 (mean 8.5), 5 of 0-5 (2.5): 0.75 * 8.5 + 0.25 * 2.5 = 7, 7 from 14."""
    drawing = block(50, 50, 20, 10, 5, 18) + block(50, 50, 35, 10, 5, 6)
    rows, columns = (lh.to_mnist_style(drawing)[0].sum(axis).nonzero() for axis in (1, 0))
    assert rows.flatten().tolist() == [*range(8, 13), *range(23, 28)]
    assert columns.flatten().tolist() == list(range(7, 25))


def test_no_ink_is_lost_where_the_middle_is_far_off():
    """Of a long hand: the mass is at column 3.5 of 20, the hand would stand out."""
    out = lh.to_mnist_style(np.maximum(block(40, 40, 10, 5, 20, 4), block(40, 40, 10, 5, 1, 20)))
    assert out.sum() == pytest.approx(96) and out[0, :, 8:28].sum() == out.sum()


@pytest.mark.parametrize("drawing", DRAWINGS[::7], ids=lambda drawing: f"{drawing['digit']}")
def test_like_mnist_and_the_same_wherever_it_stands(drawing):
    middle = draw_strokes(drawing["strokes"])
    before, out = middle.copy(), lh.to_mnist_style(middle)
    assert out.shape == (1, 28, 28) and out.dtype == torch.float32
    assert 0 <= out.min() and 0.9 < out.max() <= 1
    places = out[0].nonzero().float()
    assert (places.amax(0) - places.amin(0)).max() + 1 == 20
    centre = (places * out[0][out[0] > 0][:, None]).sum(0) / out.sum()
    assert (centre - 14).abs().max() <= 0.51  # as in MNIST: within half a pixel
    assert torch.equal(lh.to_mnist_style(np.pad(middle, ((99, 9), (0, 55)))), out)
    assert torch.allclose(lh.to_mnist_style(middle // 2), out / 2, atol=0.01)
    assert (lh.to_mnist_style(np.kron(middle, np.ones((3, 3)))) - out).abs().mean() < 0.01
    assert torch.allclose(lh.to_mnist_style(middle.T), out.mT, atol=1e-6)
    assert np.array_equal(middle, before)


def test_what_is_no_drawing_is_refused():
    for level, words in ((0, "empty"), (-1, "negative"), (400, "255")):
        with pytest.raises(ValueError, match=words):
            lh.to_mnist_style(np.full((28, 28), level))


def test_what_the_eraser_leaves_is_no_ink():
    marked = lh.sample_drawing(3)
    marked[2, 2] = marked[110, 110] = 3
    assert torch.equal(lh.to_mnist_style(marked), lh.to_mnist_style(lh.sample_drawing(3)))


N = 160
NOISE = torch.randn(N, N, generator=torch.Generator().manual_seed(0)) * 0.02
ACROSS = torch.linspace(0, 1, N).expand(N, N)
RULES = ((torch.arange(N) % 20 < 2) * 0.4)[:, None].expand(N, N)
BLANK = {  # the ground of a drawing, and what its ink is
    "one side darker": lambda ink: (0.9 - 0.4 * ACROSS - 0.2 * ACROSS.T) * (1 - 0.8 * ink),
    "pencil": lambda ink: 0.85 * (1 - 0.3 * ink),
    "board": lambda ink: 0.3 + 0.6 * ink,
    "dark board": lambda ink: 0.06 + 0.8 * ink,
}
NOT_BLANK = {
    "too faint": lambda ink: 0.85 * (1 - 0.03 * ink),
    "ruled": lambda ink: 0.9 * (1 - torch.maximum(0.8 * ink, RULES)),
    "a shadow": lambda ink: 0.9 * (1 - 0.8 * ink) * (1 - 0.5 * (12 * ACROSS - 7).sigmoid()),
    "beside a table": lambda ink: torch.where(ACROSS > 0.8, 0.3, 0.9 * (1 - 0.8 * ink)),
}


@pytest.mark.parametrize("kind", BLANK | NOT_BLANK)
def test_a_photo_is_read_on_blank_ground_or_refused(kind, network):
    for digit in range(10):
        ink = torch.tensor(lh.sample_drawing(digit) / 255, dtype=torch.float32)
        ink = F.pad(ink, [(N - SIDE) // 2] * 4)
        photo = ((BLANK | NOT_BLANK)[kind](ink) + NOISE).clamp(0, 1)
        if kind in BLANK:
            assert network(lh.to_mnist_style(photo)[None]).argmax() == digit
        else:
            with pytest.raises(ValueError, match="ground"):
                lh.to_mnist_style(photo)


def test_centring_is_what_makes_the_network_right(network):
    pictures, plain, labels = [], [], []
    for drawing, size, pen in itertools.product(DRAWINGS, (0.3, 0.9), (5, 10)):
        edge = size / 2 + pen / 2 / SIDE
        for middle in (0.5, edge, 1 - edge):
            ink = draw_strokes(moved_strokes(drawing["strokes"], size, middle, middle), pen)
            pictures.append(lh.to_mnist_style(ink))
            plain.append(F.avg_pool2d(torch.from_numpy(ink / np.float32(255))[None], 4))
            labels.append(drawing["digit"])
    centred, as_drawn = (
        (network(torch.stack(group)).argmax(1) == torch.tensor(labels)).float().mean()
        for group in (pictures, plain)
    )
    assert len(labels) == 360 and centred >= 0.95 and as_drawn < 0.7
