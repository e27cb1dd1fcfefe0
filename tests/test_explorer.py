"""The convolution explorer against torch.nn.Conv2d and autograd: sizes, values, what is revealed, and what is refused."""

import base64
import io
import itertools
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image

import lenet_helpers as lh
from notebooks.support import explorer, images, texts

SETTINGS = list(itertools.product(*explorer.LIMITS.values()))
FITTING = [s for s in SETTINGS if s[0] + 2 * s[3] >= s[4] * (s[1] - 1) + 1]
SVG = "{http://www.w3.org/2000/svg}"


def parse(svg):
    """The picture as a tree; well-formed XML is stricter than what a browser takes."""
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def cells(tree, kind):
    """(cell, what it reveals) of each cell of a kind."""
    found = list(tree.find(f"{SVG}g[@class='lh-cells']"))
    pairs = list(zip(found[::2], found[1::2], strict=True))
    assert all(reveal.get("class") == "lh-reveal" for _, reveal in pairs)
    return [pair for pair in pairs if re.match(rf"lh-cell lh-{kind}( |$)", pair[0].get("class"))]


def number(text):
    return float(text.replace("−", "-"))


def sums(tree):
    """(sum of the written products, their count, value that stands behind the equals sign) of each output."""
    for _, reveal in cells(tree, r"o\d+"):
        text = "".join(reveal.find(f"{SVG}text").itertext()).replace(" ", "").replace("−", "-")
        terms, claimed = re.split("[=≈]", text)
        products = re.findall(r"([^+×()]+)×\(?([^+()]+)\)?", terms)
        yield sum(float(x) * float(w) for x, w in products), len(products), float(claimed)


def strokes(path):
    """The cells (row, column) that a path of strokes one cell high covers."""
    return {
        (int(float(y)), int(x) + step)
        for x, y, length in re.findall(r"M(\d+) ([\d.]+)h(\d+)", path)
        for step in range(int(length))
    }


def test_every_setting_of_the_sliders():
    """Explorer, formula and torch agree on all 4,200 settings: the size, or that it does not fit."""
    assert len(SETTINGS) == 10 * 7 * 4 * 5 * 3
    explorer = lh.explore_convolution()
    drawn = []
    explorer._draw = lambda image, kernel, g, name: drawn.append(g) or ""
    for n, k, s, p, d in SETTINGS:
        layer = torch.nn.Conv2d(1, 1, k, s, p, d, device="meta")
        try:
            size = layer(torch.empty(1, 1, n, n, device="meta")).shape[-1]
        except RuntimeError:
            size = None
        (
            explorer.n_in,
            explorer.kernel_size,
            explorer.stride,
            explorer.padding,
            explorer.dilation,
        ) = n, k, s, p, d
        if size is None:
            assert "does not fit" in explorer.picture.value and not explorer.formula.value
        else:
            assert drawn[-1] == lh.ConvGeometry(n, k, s, p, d) and drawn[-1].n_out == size
            assert f"<b>{size}</b>" in explorer.formula.value
            copied = re.search(r"nn\.Conv2d\(.*?\)", explorer.formula.value)[0]
            layer = eval(copied, {"nn": torch.nn})
            assert (layer.kernel_size, layer.stride, layer.padding, layer.dilation) == (
                (k,) * 2,
                (s,) * 2,
                (p,) * 2,
                (d,) * 2,
            )
            shown = re.search(r"n_out = (.*?) = (.*?) = <b>", explorer.formula.value)
            for part in shown.groups():  # the arithmetic that is shown is right, too
                part = (
                    part.replace("⌊", "int(").replace("⌋", ")").replace("×", "*").replace("−", "-")
                )
                assert eval(part) == size


@pytest.mark.parametrize("n, k, s, p, d", FITTING[::131])
def test_picture_is_the_convolution(n, k, s, p, d):
    image, kernel = torch.randint(-3, 10, (n, n)), torch.randint(-2, 3, (k, k))
    g = lh.ConvGeometry(n, k, s, p, d)
    tree = parse(explorer.convolution_svg(image, kernel, g))
    x = image.double()[None, None].requires_grad_()
    w = kernel.double()[None, None].requires_grad_()
    expected = torch.nn.functional.conv2d(x, w, stride=s, padding=p, dilation=d)[0, 0]

    outputs = cells(tree, r"o\d+")
    assert [
        number(o.get("aria-label").split(": ")[1]) for o, _ in outputs
    ] == expected.flatten().tolist()
    for (added, count, claimed), value in zip(sums(tree), expected.flatten().tolist(), strict=True):
        assert added == claimed == value and count == k * k

    # an input reveals the outputs that its gradient reaches: with weights of 1, that nothing cancels
    ones = torch.nn.functional.conv2d(x, torch.ones_like(w), stride=s, padding=p, dilation=d)[0, 0]
    reached = torch.stack(
        [torch.autograd.grad(y, x, retain_graph=True)[0][0, 0] != 0 for y in ones.flatten()]
    )
    for (_, reveal), of_input in zip(cells(tree, "i"), reached.flatten(1).T, strict=True):
        fed = {divmod(i, g.n_out) for i in of_input.nonzero().flatten().tolist()}
        assert strokes(reveal.find(f"{SVG}path").get("d")) == fed
        said = reveal.find(f"{SVG}text").text
        assert said == (
            f"Outputs that this input feeds: {len(fed)}."
            if fed
            else "No window reaches this input."
        )

    # a weight reveals the inputs that its gradient is a sum of: the common pattern, moved by dilation
    lattice = strokes(
        next(e.get("d") for e in tree.iter(f"{SVG}path") if (e.get("id") or "").endswith("-l"))
    )
    size = float(cells(tree, "w")[0][0].get("width"))
    probe = torch.arange(1.0, g.padded**2 + 1, dtype=torch.float64).view(1, 1, g.padded, g.padded)
    weight_sums = torch.autograd.grad(
        torch.nn.functional.conv2d(probe, w, stride=s, dilation=d).sum(), w
    )[0][0, 0]
    for (_, reveal), total in zip(cells(tree, "w"), weight_sums.flatten().tolist(), strict=True):
        x0, y0 = map(
            float,
            re.search(
                r"translate\((\S+) (\S+)\)", reveal.find(f"{SVG}use").get("transform")
            ).groups(),
        )
        right, down = round((x0 - 1) / size), round((y0 - explorer.TITLE) / size)
        assert sum((r + down) * g.padded + c + right + 1 for r, c in lattice) == total
        assert f": {g.n_out**2}, " in reveal.find(f"{SVG}text").text


def test_a_window_is_where_it_belongs():
    g = lh.ConvGeometry(7, 3, stride=2, padding=1, dilation=2)
    tree = parse(
        explorer.convolution_svg(
            torch.ones(7, 7), torch.tensor([[1, 0, -2], [0, 0, 0], [2, 0, 1]]), g
        )
    )
    size = float(cells(tree, "w")[0][0].get("width"))
    frame = cells(tree, r"o\d+")[5][1].find(f"{SVG}rect")  # row 1, column 2
    assert [
        (float(frame.get("x")) - 1) / size,
        (float(frame.get("y")) - explorer.TITLE) / size,
    ] == [4, 2]
    assert float(frame.get("width")) == 5 * size
    window = next(e for e in tree.iter(f"{SVG}pattern") if e.get("id").endswith("-w"))
    assert frame.get("fill") == f"url(#{window.get('id')})"
    looks = [
        (float(e.get("x")) / size, float(e.get("y")) / size, e.get("class"), e.get("fill-opacity"))
        for e in window
    ]
    assert [look[:3] for look in looks] == [
        (0, 0, "lh-pos"),
        (2, 0, "lh-zero"),
        (4, 0, "lh-neg"),
        (0, 2, "lh-zero"),
        (2, 2, "lh-zero"),
        (4, 2, "lh-zero"),
        (0, 4, "lh-pos"),
        (2, 4, "lh-zero"),
        (4, 4, "lh-pos"),
    ]
    assert looks[2][3] > looks[0][3]  # the larger weight in the stronger colour
    dashes, lines = (
        next(e for e in tree.iter(f"{SVG}path") if e.get("class") == name)
        for name in ("lh-dashes", "lh-lines")
    )
    assert (
        dashes.get("d").startswith(f"M1 {explorer.TITLE}h{9 * size:g}")
        and dashes.get("d").count("M") == 2 * 10
    )
    assert (
        lines.get("d").startswith(f"M{1 + size:g} {explorer.TITLE + size:g}h{7 * size:g}")
        and lines.get("d").count("M") == 2 * 8
    )


@pytest.mark.parametrize(
    "n, k, s, lost", [(6, 3, 2, {5}), (7, 1, 3, {1, 2, 4, 5}), (5, 3, 1, set())]
)
def test_unreached_rows_and_columns_are_hatched(n, k, s, lost):
    tree = parse(
        explorer.convolution_svg(
            torch.ones(n, n), torch.ones(k, k), lh.ConvGeometry(n, k, stride=s)
        )
    )
    size = float(cells(tree, "w")[0][0].get("width"))
    hatched = next(e for e in tree.iter(f"{SVG}path") if e.get("class") == "lh-lost")
    assert hatched.get("fill").endswith("-h)")
    strips = [
        tuple(map(int, strip))
        for strip in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\3z", hatched.get("d"))
    ]
    rows = {
        (y - explorer.TITLE) / size
        for x, y, width, height in strips
        if (x, width, height) == (1, n * size, size)
    }
    columns = {
        (x - 1) / size
        for x, y, width, height in strips
        if (y, width, height) == (explorer.TITLE, size, n * size)
    }
    assert len(strips) == 2 * len(lost)
    assert rows == columns == lost


@pytest.mark.parametrize("make", [list, np.array, torch.tensor])
def test_floats_are_short_and_their_sums_near(make):
    image = torch.rand(5, 5).mul(2).sub(1)
    kernel = torch.randn(3, 3)
    tree = parse(
        explorer.convolution_svg(make(image.tolist()), make(kernel.tolist()), lh.ConvGeometry(5, 3))
    )
    expected = torch.nn.functional.conv2d(image[None, None], kernel[None, None]).flatten().tolist()
    for (added, _, claimed), value in zip(sums(tree), expected, strict=True):
        assert claimed == pytest.approx(value, abs=0.006) and added == pytest.approx(value, abs=0.1)
    assert all(
        len(t.text) <= 5 for g in tree.iter(f"{SVG}g") if g.get("class") == "lh-num" for t in g
    )


def test_every_cell_shows_its_number():
    """Each number stands in the middle of its cell, whether it has an element of its own or shares its row's."""
    image, kernel = torch.randint(-3, 20, (6, 6)), torch.tensor([[1.0, -2.0], [0.25, 3.0]])
    g = lh.ConvGeometry(6, 2, padding=1)
    tree = parse(explorer.convolution_svg(image, kernel, g))
    padded, output = explorer._convolve(image.double(), kernel.double(), g)
    size = float(cells(tree, "w")[0][0].get("width"))
    tables = [e for e in tree.iter(f"{SVG}g") if e.get("class") == "lh-num"]
    for table, kind, values in zip(
        tables, ("i", "w", r"o\d+"), (padded, kernel, output), strict=True
    ):
        x0, y0 = (
            float(cells(tree, kind)[0][0].get(axis)) - (size if kind == "i" else 0) for axis in "xy"
        )
        shown = {}
        for text in table:
            places = text.get("x").split()
            for place, word in zip(
                places, text.text if len(places) > 1 else [text.text], strict=True
            ):
                row, column = (float(text.get("y")) - y0) / size, (float(place) - x0) / size
                assert column % 1 == pytest.approx(0.5) and 0.5 < row % 1 < 0.8
                shown[int(row), int(column)] = word
        assert shown == {
            (i, j): images.number_text(v)
            for i, row in enumerate(values.tolist())
            for j, v in enumerate(row)
        }


def test_brighter_pixels_are_darker_grey():
    tree = parse(
        explorer.convolution_svg([[0, 1, 4], [4, -2, 1], [0, 0, 3]], [[1]], lh.ConvGeometry(3, 1))
    )
    size = float(cells(tree, "w")[0][0].get("width"))
    greys = [
        (
            float(e.get("fill-opacity")),
            len(re.findall(rf"M\d+ \d+h{size:g}v{size:g}h-{size:g}z", e.get("d"))),
        )
        for e in tree.findall(f"{SVG}path")
        if e.get("fill-opacity")
    ]
    assert [count for _, count in sorted(greys)] == [3, 2, 1, 1, 2]  # of 0, 1, -2, 3, 4


def test_numbers_are_written_short():
    values = [
        3.0,
        -2.0,
        0.0,
        -0.0,
        0.125,
        -0.13,
        12.34,
        123.4,
        0.004,
        1e-9,
        1e7,
        1.5,
        -0.5,
        float("nan"),
        float("-inf"),
    ]
    assert [images.number_text(value) for value in values] == [
        "3",
        "−2",
        "0",
        "0",
        "0.12",
        "−0.13",
        "12.3",
        "123",
        "4e−3",
        "1e−9",
        "1e7",
        "1.5",
        "−0.5",
        "nan",
        "−inf",
    ]


def test_largest_setting_is_small():
    sizes = {}
    for n, k, s, p, d in FITTING:
        if n == 12 and p == 4 and s == 1:
            image, kernel = torch.randint(0, 5, (n, n)), torch.randint(-2, 3, (k, k))
            for language in texts.LANGUAGES:
                texts.use(language)
                sizes[k, d, language] = len(
                    explorer.convolution_svg(image, kernel, lh.ConvGeometry(n, k, s, p, d)).encode()
                )
    assert max(sizes.values()) <= 400_000, max(sizes, key=sizes.get)


def check_sum(text, width, height):
    """A written-out sum lies inside, and its lines do not touch."""
    size = float(text.get("font-size"))
    assert float(text.get("y")) + sum(float(line.get("dy")) for line in text) + 0.2 * size <= height
    assert float(text[0].get("x")) + max(len(line.text) for line in text) * 0.605 * size <= width
    assert float(text[0].get("dy")) >= 1.15 * size >= 1.15 * 13


def test_picture_keeps_its_size_and_its_room():
    """Always the same frame, everything inside, text of 13 px and more."""
    for n, k, s, p, d in FITTING[::29] + [(12, k, 1, 4, 1) for k in range(1, 8)]:
        preset = explorer.PRESETS[list(explorer.PRESETS)[(n + k + s) % len(explorer.PRESETS)]]
        tree = parse(
            explorer.convolution_svg(
                explorer._sample_image(n), preset(k), lh.ConvGeometry(n, k, s, p, d)
            )
        )
        assert tree.get("viewBox") == f"0 0 {explorer.WIDTH} {explorer.HEIGHT}"
        for e in tree.iter():
            if e.tag == f"{SVG}rect":
                assert float(e.get("x")) + float(e.get("width")) <= explorer.WIDTH
                assert float(e.get("y")) + float(e.get("height")) <= explorer.HEIGHT
            if e.get("font-size"):
                assert float(e.get("font-size")) >= 13
            if e.get("class") == "lh-sum":
                check_sum(e, explorer.WIDTH, explorer.HEIGHT)


@pytest.mark.parametrize("largest", [10, 1234567, 0.0001234])
def test_picture_grows_for_long_numbers(largest):
    tree = parse(
        explorer.convolution_svg(
            torch.rand(12, 12) * largest, torch.randn(7, 7), lh.ConvGeometry(12, 7, padding=4)
        )
    )
    _, _, width, height = map(float, tree.get("viewBox").split())
    assert max(float(e.get("x")) + float(e.get("width")) for e in tree.iter(f"{SVG}rect")) <= width
    for text in tree.iter(f"{SVG}text"):
        if text.get("class") == "lh-sum":
            check_sum(text, width, height)


def test_ids_of_two_pictures_differ_and_names_are_escaped():
    g = lh.ConvGeometry(4, 3)
    one, two = (
        set(
            re.findall(
                r' id="(.*?)"', explorer.convolution_svg(torch.ones(4, 4), torch.ones(3, 3), g)
            )
        )
        for _ in "12"
    )
    assert one and not one & two
    for part in ({f"#{i}" for i in one}, {f"#{i}" for i in two}):
        assert len(part) == 6
    tree = parse(
        explorer.convolution_svg(
            torch.ones(4, 4), torch.ones(3, 3), g, name='"><script>alert(1)</script>'
        )
    )
    assert not list(tree.iter(f"{SVG}script"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_cells_are_labelled_and_can_be_tabbed_to(language, monkeypatch):
    texts.use(language)
    tree = parse(
        explorer.convolution_svg(torch.ones(5, 5), torch.ones(2, 2), lh.ConvGeometry(5, 2))
    )
    targets = [cell for cell, _ in cells(tree, ".*")]
    assert len(targets) == 16 + 25 + 4
    assert all(t.get("tabindex") == "0" and t.get("aria-label") for t in targets)
    assert len({t.get("aria-label") for t in targets}) == len(targets)
    ids = {e.get("id"): e for e in tree.iter()}
    assert ids[tree.get("aria-labelledby")].text and ids[tree.get("aria-describedby")].text


@pytest.mark.parametrize(
    "image, kernel",
    [
        (torch.ones(5, 4), torch.ones(3, 3)),
        (torch.ones(2, 5, 5), torch.ones(3, 3)),
        (torch.ones(5), torch.ones(3, 3)),
        (torch.ones(5, 5), torch.ones(2, 2)),
        (torch.ones(4, 4), torch.ones(3, 3)),
        (torch.ones(5, 5), 1),
        (None, [[1]]),
        ([["a"]], [[1]]),
        ([[1, 2], [3]], [[1]]),
        (torch.ones(5, 5), torch.ones(0, 0)),
    ],
)
def test_wrong_tables_are_refused_with_a_sentence(image, kernel):
    with pytest.raises(ValueError, match="(image|kernel) (must be a square|has)") as error:
        explorer.convolution_svg(image, kernel, lh.ConvGeometry(5, 3))
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------------ kernels, widgets


@pytest.mark.parametrize("k", explorer.LIMITS["kernel_size"])
def test_presets(k):
    kernels = {name: make(k).double() for name, make in explorer.PRESETS.items()}
    for kernel in kernels.values():
        assert (
            kernel.shape == (k, k) and (kernel == kernel.round()).all() and kernel.abs().max() < 100
        )
    assert kernels["blur"].unique().tolist() == [1] and kernels["sharpen"].sum() == 1
    assert (kernels["vertical"].sum(1) == 0).all() and torch.equal(
        kernels["horizontal"], kernels["vertical"].T
    )
    assert kernels["random"].any() and torch.equal(
        kernels["random"], explorer.PRESETS["random"](k).double()
    )
    if k > 1:  # dark to the left, bright to the right: positive; nothing where only rows differ
        edge = torch.zeros(k, k, dtype=torch.float64)
        edge[:, k // 2 :] = 1
        assert (edge * kernels["vertical"]).sum() > 0 == (edge * kernels["horizontal"]).sum()


def test_parameters_are_read_and_set_from_python():
    explorer = lh.explore_convolution(
        n_in=8, kernel_size=5, stride=2, padding=1, dilation=1, preset="blur"
    )
    assert (
        explorer.n_in,
        explorer.kernel_size,
        explorer.stride,
        explorer.padding,
        explorer.dilation,
        explorer.preset,
    ) == (8, 5, 2, 1, 1, "blur")
    explorer.kernel_size = 3
    explorer.preset = "sharpen"
    tree = parse(explorer.picture.value)
    assert [
        number(g.get("aria-label").split(": ")[1].split(". ")[0]) for g, _ in cells(tree, "w")
    ] == [0, -1, 0, -1, 5, -1, 0, -1, 0]
    assert (
        len(cells(tree, r"o\d+")) == lh.conv_output_size(8, 3, 2, 1) ** 2 == explorer.play.max + 1
    )
    assert explorer.controls["kernel_size"].value == 3
    explorer.controls["padding"].value = 0
    assert explorer.padding == 0 and "8 + 2×0" in explorer.formula.value


@pytest.mark.parametrize(
    "name, value",
    [
        ("n_in", 13),
        ("n_in", 2),
        ("kernel_size", 0),
        ("stride", 5),
        ("padding", -1),
        ("dilation", "1"),
        ("kernel_size", 2.5),
        ("stride", None),
        ("preset", "Blur"),
    ],
)
def test_values_beyond_the_sliders_are_refused(name, value):
    explorer = lh.explore_convolution()
    with pytest.raises(ValueError, match=f"{name} = .*not offered"):
        setattr(explorer, name, value)
    with pytest.raises(ValueError, match=f"{name} = .*not offered"):
        lh.explore_convolution(**{name: value})
    assert (explorer.n_in, explorer.kernel_size, explorer.preset) == (6, 3, "random")


def test_what_does_not_fit_is_explained_and_forgotten():
    explorer = lh.explore_convolution(n_in=3, kernel_size=5)
    assert "does not fit" in explorer.picture.value and "lh-svg" not in explorer.picture.value
    explorer.padding = 1
    assert "does not fit" not in explorer.picture.value and "<b>1</b>" in explorer.formula.value


def test_a_fault_in_a_callback_is_shown():
    explorer = lh.explore_convolution()

    def faulty(*arguments):
        raise ZeroDivisionError("<b>by zero</b>")

    explorer._draw = faulty
    explorer.n_in = 7
    assert "ZeroDivisionError: &lt;b&gt;by zero" in explorer.picture.value


def test_play_moves_the_window_and_starts_again():
    explorer = lh.explore_convolution()
    explorer.play.value = 5
    assert ".lh-o5 " in explorer.step.value and f"#{explorer._name} " in explorer.step.value
    explorer.stride = 2
    assert explorer.play.value == 0 and explorer.play.max == 3 and ".lh-o0 " in explorer.step.value


def pixels(bundle):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB"))


def test_png_of_the_present_state_for_saved_notebooks():
    explorer = lh.explore_convolution()
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle and json.dumps(bundle)
    before = pixels(bundle)
    assert before.std() > 20 and before.shape[1] >= 800
    explorer.stride = 2
    assert not np.array_equal(pixels(explorer._repr_mimebundle_()), before)
    explorer.kernel_size = 7
    assert (
        "image/png" not in explorer._repr_mimebundle_()
    )  # does not fit: nothing to draw, and no traceback


@pytest.mark.parametrize("scale", [1, 255])
def test_explore_kernels(scale):
    image = torch.zeros(1, 28, 28)
    image[:, :, 14:] = 1
    explorer = lh.explore_kernels(image if scale == 1 else (image * 255).to(torch.uint8))
    assert (explorer.n_in, explorer.kernel_size, explorer.padding, explorer.preset) == (
        28,
        3,
        1,
        "vertical",
    )
    explorer.padding = 0
    pictures = re.findall(r'href="data:image/png;base64,(.*?)"', explorer.picture.value)
    shown, feature_map = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(p))).convert("RGB")) for p in pictures
    )
    assert (shown[:, 14:] == 0).all() and (shown[:, :14] == 255).all()
    columns = (feature_map != 255).any(2)  # white where nothing changes
    assert feature_map.shape == (26, 26, 3) and set(columns.nonzero()[1]) == {12, 13}
    assert "from 0 to 3" in explorer.picture.value
    assert "image/png" in explorer._repr_mimebundle_()
    explorer.kernel_size, explorer.stride, explorer.dilation = 7, 4, 3
    assert "<b>3</b>" in explorer.formula.value and "3×3" in explorer.picture.value
    with pytest.raises(ValueError, match="not offered"):
        explorer.n_in = 12


def test_feature_maps_are_coloured_by_sign():
    picture = np.asarray(
        Image.open(
            io.BytesIO(
                base64.b64decode(
                    explorer._picture(torch.tensor([[-2.0, 0.0], [1.0, 2.0]], dtype=torch.float64))
                )
            )
        )
    )
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    assert (
        blue[0, 0] > red[0, 0]
        and (picture[0, 1] >= 254).all()
        and red[1, 1] > blue[1, 1] < blue[1, 0] < red[1, 0]
    )
    for flat in (torch.zeros(3, 3), torch.full((3, 3), 2.0), -torch.ones(3, 3)):
        assert np.asarray(
            Image.open(io.BytesIO(base64.b64decode(explorer._picture(flat.double()))))
        ).shape[:2] == (3, 3)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((28, 20)),
        torch.zeros(3, 28, 28),
        torch.zeros(28),
        None,
        "digit",
        [],
        torch.zeros(0, 0),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_explore_kernels_refuses_with_a_sentence(image, language, monkeypatch):
    texts.use(language)
    with pytest.raises(ValueError, match="image (must be a square|应该是正方形)"):
        lh.explore_kernels(image)


# ------------------------------------------------------------------------------------------- the formula


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
        size = torch.nn.Conv2d(1, 1, k, s, p, d, device="meta")(
            torch.empty(1, 1, n, n, device="meta")
        ).shape[-1]
        assert eval(numbers.replace(r"\times", "*")) // s + 1 == int(result) == size
        assert text.count("{") == text.count("}") and text.count("$$") == 2


@pytest.mark.parametrize(
    "arguments, word", [((3, 5), "does not fit"), ((6.5, 3), "n_in"), ((6, 3, 0), "stride")]
)
def test_steps_of_what_cannot_be_are_a_sentence(arguments, word):
    assert word in lh.output_size_steps(*arguments).data
