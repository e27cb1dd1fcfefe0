"""Training pictures changed a little, each in its own way."""

import math

import torch
from torch.nn import functional as F

# at most: degrees, of the size, of the height, pixels, of half the width
TURN, SCALE, SHEAR, SHIFT, BEND = 12, 0.12, 0.2, 2, 0.12


def augment(images: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Each digit turned by up to 12 degrees, up to 12% larger or smaller, sheared by up to 0.2,
    shifted by up to 2 pixels and bent a little: float32 (N, 1, H, W) in [0, 1], and so returned.

        lh.train(model, digits, epochs=20, augment=lh.augment)

    Simard, Steinkraus, Platt, "Best Practices for Convolutional Neural Networks" (2003), section 2,
    for the bending. `generator`: None draws from torch's own random numbers. Notebook 07.
    """
    images, n, size = images.float(), len(images), images.shape[-2:]

    def uniform(limit, *shape):
        return (2 * torch.rand(n, *shape, generator=generator, dtype=torch.float32) - 1) * limit

    turn, scale, shear = uniform(math.radians(TURN)), 1 + uniform(SCALE), uniform(SHEAR)
    # where a pixel's level is taken from; the grid's width is 2, from -1 to 1
    cos, sin = turn.cos() / scale, turn.sin() / scale
    rows = torch.stack([cos, shear - sin, sin, cos], dim=1).view(n, 2, 2)
    shift = uniform(2 * SHIFT, 2, 1) / torch.tensor([[size[1]], [size[0]]])
    grid = F.affine_grid(torch.cat([rows, shift], dim=2), images.shape, align_corners=False)
    bend = F.interpolate(uniform(BEND, 2, 6, 6), size, mode="bicubic", align_corners=False)
    return F.grid_sample(images, grid + bend.permute(0, 2, 3, 1), align_corners=False)
