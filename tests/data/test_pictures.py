"""A picture in every form in which people have one is the same picture, or a sentence."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

import lenet_helpers as lh
from notebooks.support.network.activations import activations


def on(paper, ink):
    """A PIL image with transparency: `ink` where it is drawn, `paper` shining through."""
    color = Image.new("RGBA", paper.shape, (ink, ink, ink, 0))
    color.putalpha(Image.fromarray(paper))
    return color


def saved(image, **options):
    """The bytes of its file."""
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def turned_by_the_camera(image):
    """From a file whose pixels lie on their side, and whose EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it 90 degrees clockwise
    return Image.open(io.BytesIO(saved(image.transpose(Image.Transpose.ROTATE_90), exif=exif)))


def forms(a):
    """{name: the uint8 picture (n, n) as people have it}: light on dark."""
    grey, tensor = Image.fromarray(a), torch.tensor(a)
    return {
        "PIL P": grey.convert("P"),
        "PIL light ink, transparent": on(a, 255),
        "turned by the camera": turned_by_the_camera(grey),
        "array RGB": np.dstack([a, a, a]),
        "array RGBA 0..1": np.dstack([a, a, a, np.full_like(a, 255)]) / 255,
        "mirrored twice": np.ascontiguousarray(a[:, ::-1])[:, ::-1],
        "floats to 255": a.astype(np.float32),
        "overshoot": (a / 255) * 1.0001,
        "lists": a.tolist(),
        "tensor uint8 (1, n, n)": tensor[None],
        "tensor (1, 1, n, n), needs grad": (tensor / 255)[None, None].requires_grad_(),
        "tensor int64": tensor.long(),
    }


def masks(a):
    m = a > 127
    return {"mask": m, "0/1 uint8": m.astype("uint8"), "0/1 int64": m.astype("int64")}


def on_paper(a):
    """Black on white: what a scanner, a paint program or a transparent PNG gives."""
    white = 255 - a
    return {
        "array": white,
        "transparent": on(a, 0),
        "grey paper": (0.7 * white / 255).astype(np.float32),
        "a photo, light from one side": white / 255 * np.linspace(1, 0.5, len(a)),
    }


def test_the_pad_and_mnists_style_take_every_form(network):
    pad, a = lh.DrawPad(network), lh.sample_drawing(4)
    for each, plain in ((forms, a), (masks, (a > 127) * 255), (on_paper, a)):
        for name, form in each(a).items():
            expected = lh.to_mnist_style(plain / 255)
            assert torch.allclose(lh.to_mnist_style(form), expected, atol=6e-3), name
            pad.drawing = form
            assert abs(pad.drawing.astype(int) - plain).max() <= 1, name


def test_the_network_and_the_explorer_take_every_form(network, four, capsys):
    a = (four[0] * 255).round().to(torch.uint8).numpy()
    for each, plain in ((forms, a), (masks, (a > 127) * 255)):
        expected = torch.tensor(plain / 255)
        for name, form in each(a).items():
            seen = activations(network, form)["input"].activation[0].double()
            assert torch.allclose(seen, expected, atol=2e-4), name
            numbers = torch.tensor(lh.explore_kernels(form).images["28"])
            levels = numbers / (255 if numbers.max() > 2 else 1)  # whole numbers and floats stay
            assert torch.allclose(levels.double(), expected, atol=2e-4), name
    table = [[1, 2, 3], [4, 5, 6], [-7, 8, 9]]
    assert lh.explore_kernels(table).images["3"] == table
    normalised = (four - 0.13) / 0.31
    assert torch.equal(activations(network, normalised)["input"].activation, normalised)
    lh.show_layers(network, a)
    assert capsys.readouterr().out == ""
    for name, form in on_paper(a).items():  # shown as it is: the mistake is worth seeing
        figure = lh.show_layers(network, form)
        assert figure.axes[0].images[0].get_array()[0, 0] >= 0.69, name
        assert "light on dark" in capsys.readouterr().out, name


def test_what_is_no_picture_is_a_sentence(network):
    cut = saved(Image.effect_noise((200, 200), 90))[:9000]
    pad = lh.DrawPad(network)
    for picture, word in (
        (np.zeros((3, 28, 28)), "(3, 28, 28)"),
        (np.zeros(10), "(10,)"),
        (torch.full((28, 28), torch.nan), "NaN"),
        ("seven.png", "str"),
        (Image.open(io.BytesIO(cut)), "PngImageFile"),
        ((torch.zeros(1, 28, 28), 7), "tuple"),
    ):
        for door in (
            lh.to_mnist_style,
            lh.explore_kernels,
            lambda image: lh.show_layers(network, image),
            lambda image: setattr(pad, "drawing", image),
        ):
            with pytest.raises(ValueError, match=re.escape(word)) as error:
                door(picture)
            assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="28.28.*to_mnist_style"):
        lh.show_layers(network, torch.zeros(480, 640))
