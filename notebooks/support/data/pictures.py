"""A picture of any kind (array, tensor, PIL image; grey or in colour) as a table of numbers."""

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

from ..checks import OVERSHOOT, white_level
from ..words.texts import text

BLACK = 0.02  # what is darker counts as black
ENOUGH = 224  # pixels a side of a photo
LUMA = np.array([0.299, 0.587, 0.114])  # how bright red, green and blue look: ITU-R BT.601


def one_table(numbers, name: str = "picture") -> np.ndarray:
    """The numbers as they are, (H, W); colours become grey levels in [0, 1], float64. Takes a PIL
    image, and an array, tensor or nested lists of shape (H, W) or (H, W, 1 to 4 colours, the last
    of two or four is opacity), with ones before it. ValueError names anything else `name`."""
    try:
        array = _as_array(numbers)
        if array.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError, RuntimeError, OSError):  # OSError: a picture that is cut off
        found = type(numbers).__name__
        raise ValueError(text("picture_kind", name=name, found=found)) from None
    table = array
    while table.ndim > 2 and len(table) == 1:
        table = table[0]
    in_colour = table.ndim == 3 and table.shape[2] <= 4
    if not (table.ndim == 2 or in_colour) or not table.size:
        raise ValueError(text("picture_shape", name=name, found=array.shape))
    if not np.isfinite(table).all():
        raise ValueError(text("picture_nan", name=name))
    return _without_colour(_in_unit(table)) if in_colour else table


def number_table(numbers, name: str = "picture") -> torch.Tensor:
    """`one_table` as float64: masks and 8 bits in [0, 1], other numbers as they are."""
    table = one_table(numbers, name)
    return torch.tensor(_in_unit(table) if table.dtype.kind in "bu" else table.astype(float))


def grey_levels(picture, name: str = "picture") -> torch.Tensor:
    """`one_table`, of levels up to 1 or 255, as float32: 0 to 1, or below 0, too, where a picture
    was normalised. Raises ValueError for larger ones."""
    levels = _in_unit(one_table(picture, name))
    if levels.min() >= 0 and levels.max() > 1 + OVERSHOOT:
        raise ValueError(text("drawing_levels", name=name))
    return torch.tensor(levels, dtype=torch.float32)


def dark_on_light(levels: torch.Tensor) -> bool:
    """Whether a picture (H, W) has a light edge, and something dark: ink on paper. MNIST's digits
    are light on dark."""
    paper = _edge(levels).median()
    return bool(paper > 0.4 and levels.min() < paper / 2)


def ink_on_ground(levels: torch.Tensor) -> torch.Tensor:
    """The ink of a drawing on blank ground, dark on light or light on dark: (H, W) from 0 to 1, the
    ground 0. Raises ValueError where the edge is not blank (lines, a shadow, a table beside the
    sheet) or nothing stands out from the ground's grain."""
    if _edge(levels).median() < BLACK or levels.min() == levels.max():
        return levels
    if max(levels.shape) > ENOUGH:  # averaging takes a camera's grain away
        sides = [max(28, round(n * ENOUGH / max(levels.shape))) for n in levels.shape]
        levels = F.interpolate(levels[None, None], sides, mode="area")[0, 0]
    ground = _ground(levels)
    above = levels - ground
    darker = above.max() < -above.min()
    grain = 8 * _edge(above).abs().median()
    ink = (-above if darker else above).where(above.abs() > grain, 0).clamp(min=0)
    ink = (ink / (ground if darker else 1 - ground).clamp(min=0.1)).clamp(max=1)
    touched = _edge(ink) > ink.max() / 10
    strokes = (touched[1:] & ~touched[:-1]).sum()  # that run to the edge: of ruled paper, many
    if touched.float().mean() > 0.15 or strokes > 5 or ink.max() <= max(2 * grain, 0.1):
        raise ValueError(text("drawing_ground"))
    return ink / ink.max()


def _ground(levels):
    """How bright the ground is, (H, W): a plane through the more even half of the edge, as light
    falls off in a photo."""
    down, across = (torch.linspace(0, 1, n, dtype=levels.dtype) for n in levels.shape)
    plane = torch.stack([*torch.meshgrid(down, across, indexing="ij"), torch.ones_like(levels)])
    points, heights = torch.stack([_edge(part) for part in plane], 1), _edge(levels)
    distance = (heights - heights.median()).abs()
    for _ in range(5):
        even = distance <= distance.median()
        slopes = torch.linalg.lstsq(points[even], heights[even, None]).solution
        distance = ((points @ slopes)[:, 0] - heights).abs()
    return (slopes[..., None] * plane).sum(0).clamp(0, 1)


def _edge(levels):
    return torch.cat([levels[0], levels[-1], levels[:, 0], levels[:, -1]])


def _as_array(numbers):
    if isinstance(numbers, torch.Tensor):
        numbers = numbers.detach().cpu()
        return (numbers.double() if numbers.is_floating_point() else numbers).numpy()
    if isinstance(numbers, Image.Image):  # as the camera was held
        numbers = ImageOps.exif_transpose(numbers).convert("RGBA")
    return np.asarray(numbers)


def _in_unit(array):
    """Levels from 0 to 1: divided by `white_level`."""
    return array / white_level(array.min(), array.max(), array.dtype.kind in "iu")


def _without_colour(colours):
    """Grey levels (H, W) of colours (H, W, 1 to 4) in [0, 1], laid on paper where transparent."""
    channels = colours.shape[2]
    grey = colours[..., :3] @ LUMA if channels > 2 else colours[..., 0]
    if channels % 2:
        return grey
    opacity = colours[..., -1]
    ink = (grey * opacity).sum() / max(opacity.sum(), 1e-9)
    paper = 1 if ink < 0.5 else 0  # of dark ink white, of light ink black
    return grey * opacity + paper * (1 - opacity)
