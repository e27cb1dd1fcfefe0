"""What augmentation does to a picture, measured on bars and discs; and when a training uses it."""

import math

import pytest
import torch
from material import fresh, weights

import lenet_helpers as lh
from notebooks.support.data import augmentation

rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
BAR = ((abs(rows - 13.5) < 2) & (abs(columns - 13.5) < 8)).float()
DISC = ((rows - 13.5) ** 2 + (columns - 13.5) ** 2 < 36).float()


def moments(images):
    """Ink, centre and covariance of each picture, by hand."""
    ink, places = images.sum((1, 2, 3)), torch.stack([columns, rows]).flatten(1)  # (2, 784)
    shares = images.flatten(1) / ink[:, None]
    centre = shares @ places.T
    offsets = places - centre[..., None]
    return ink, centre, torch.einsum("ni,nai,nbi->nab", shares, offsets, offsets)


def changed(picture, n=500):
    return lh.augment(picture.expand(n, 1, 28, 28), torch.Generator().manual_seed(0))


def angle(images):
    """Degrees between a bar and the horizontal."""
    _, _, c = moments(images)
    return torch.rad2deg(0.5 * torch.atan2(2 * c[:, 0, 1], c[:, 0, 0] - c[:, 1, 1]))


MEASURED = {  # each alone: what is measured, its smallest and largest value
    "TURN": (lambda: angle(changed(BAR)), -12, 12),
    "SCALE": (lambda: (moments(changed(DISC))[0] / DISC.sum()).sqrt(), 0.88, 1.12),
    "SHEAR": (lambda: angle(changed(BAR.T)).abs() - 90, -math.degrees(math.atan(0.2)), 0),
    "SHIFT": (lambda: moments(changed(DISC))[1] - 13.5, -2, 2),
    # of a ramp, a pixel's level says where it was; a bend of 0.12 is 1.7, and what bicubic adds
    "BEND": (lambda: (27 * changed(columns / 27)[:, 0] - columns)[:, 9:19, 9:19], -2.1, 2.1),
}


@pytest.mark.parametrize("name", MEASURED)
def test_each_change_goes_as_far_as_it_says(name, monkeypatch):
    for other in MEASURED.keys() - {name}:
        monkeypatch.setattr(augmentation, other, 0)
    measure, least, most = MEASURED[name]
    values = measure()
    assert values.min() == pytest.approx(least, abs=0.08 * (most - least))
    assert values.max() == pytest.approx(most, abs=0.08 * (most - least))


def test_each_picture_its_own_and_all_from_the_generator():
    images = changed(BAR, n=20)
    assert images.shape == (20, 1, 28, 28) and images.min() >= 0 and images.max() <= 1
    assert len({tuple(image.flatten().tolist()) for image in images}) == 20
    numbers = torch.get_rng_state()
    assert torch.equal(images, changed(BAR, n=20))
    assert torch.equal(numbers, torch.get_rng_state())
    assert torch.equal(images, changed(BAR.double(), n=20))  # as float32, whatever they are
    assert torch.allclose(255 * images, changed(255 * BAR.byte(), n=20), atol=1e-3)


def test_training_changes_the_pictures_of_all_but_two_epochs(small, monkeypatch, tmp_path):
    """The last two; in the background and by the command line, too, wherever torch's random numbers are."""
    batches = []

    def counted(images, generator):
        batches.append(len(images))
        return lh.augment(images, generator)

    plain, one, behind, command = fresh(), fresh(), fresh(), lh.LeNet5()
    lh.train(plain, small, epochs=3)
    lh.train(one, small, epochs=3, augment=counted)
    assert sum(batches) == 2 + len(small.train)  # two are tried before it begins
    torch.manual_seed(9)
    lh.train_in_background(behind, small, epochs=3, augment=lh.augment).wait()
    monkeypatch.setattr(lh, "load_mnist", lambda root: small)
    assert lh.main(["--epochs", "3", "--augment", "--save", str(tmp_path / "w.pt")]) == 0
    lh.load_weights(command, tmp_path / "w.pt")
    same = [torch.equal(weights(one), weights(other)) for other in (behind, command, plain)]
    assert same == [True, True, False]


@pytest.mark.parametrize("wrong", [3, lambda images, _: images[:1], lambda images, _: None,
    lambda images: images, torch.nn.Identity(), lambda images, _: images.numpy()])  # fmt: skip
def test_what_cannot_change_pictures_is_told_before_it_begins(small, wrong):
    with pytest.raises((TypeError, ValueError), match="augment"):
        lh.train(fresh(), small, epochs=3, augment=wrong)
