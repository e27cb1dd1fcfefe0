"""worksheet.html of each edition, two sides of A4 to print, and its key in teacher_guide.md.

`python -m notebooks.support.worksheet` writes both files of notebooks/zh and notebooks/en; of the
guide, only what stands between two marks. The numbers of sheet and key come from here alone.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from .figures import LAYER_NAMES
from .files import PROJECT, write_file
from .images import minus_signs
from .layers import LayerRow, layer_table
from .sizes import ConvGeometry
from .texts import LANGUAGES, page_texts, text, use

HERE = Path(__file__).parent
KEY_MARKS = "<!-- worksheet key -->", "<!-- end -->"  # in teacher_guide.md
IMAGE = torch.tensor([[0, 2, 3, 1], [0, 1, 3, 0], [1, 2, 2, 0], [0, 3, 1, 0]])  # a stroke
KERNEL = torch.tensor([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
SIZES = ConvGeometry(6, 3), ConvGeometry(8, 5, padding=2), ConvGeometry(10, 5, stride=2)
STEPS = {  # lines of the training loop in the order of the sheet: which step each is
    "loss.backward()": 4,
    "logits = model(images)": 2,
    "optimizer.zero_grad()": 1,
    "optimizer.step()": 5,
    "loss = F.cross_entropy(logits, labels)": 3,
}
WEIGHT, SLOPE, RATE = 2, 4, 0.1
# snippets of worksheet.html: <s> is a box, <u> a line to write a number on
WINDOW = "<figure><figcaption>{}</figcaption>{}<p>{} = <s></s></p></figure>"
SIZE = """<li><p><span>{}</span> <span>{} <s></s></span></p><p><span class="strip">{}</span>
<span class="formula"><span class="floor">⌊</span>
<span class="fraction"><span><s></s> + 2 × <s></s> − <s></s></span><span><s></s></span></span>
<span class="floor">⌋</span> + 1 = <s></s></span></p></li>"""
LAYER = "<tr><th>{}</th><td>{}</td><td>{}</td><td></td></tr>"
STEP = "<li><s></s><code>{}</code></li>"


def lenet5_rows(c1_padding: int = 2) -> list[LayerRow]:
    """The rows of LeNet-5's table, the input first.

    `lenet_helpers.LeNet5` is out of reach here, so its layers are said again; a test compares.
    """
    layers = OrderedDict(
        c1=nn.Conv2d(1, 6, kernel_size=5, padding=c1_padding),
        s2=nn.MaxPool2d(kernel_size=2),
        c3=nn.Conv2d(6, 16, kernel_size=5),
        s4=nn.MaxPool2d(kernel_size=2),
        flatten=nn.Flatten(),
    )
    shape = (1, 28, 28)
    n_in = nn.Sequential(layers)(torch.zeros(1, *shape)).shape[1]
    for name, n_out in {"fc1": 120, "fc2": 84, "fc3": 10}.items():
        layers[name] = nn.Linear(n_in, n_out)
        n_in = n_out
    return [LayerRow("input", "", shape, 0, 0), *layer_table(nn.Sequential(layers), shape)]


def _products() -> torch.Tensor:
    """(2, 2, 3, 3): at each place, the window times the kernel."""
    k = len(KERNEL)
    return IMAGE.unfold(0, k, 1).unfold(1, k, 1) * KERNEL


def _numbers(values: torch.Tensor) -> list[str]:
    return [minus_signs(str(value)) for value in values.tolist()]


def _shape(row: LayerRow) -> str:
    """ "6@28×28", or "120"."""
    return "×".join(map(str, row.shape)).replace("×", "@", 1)


def _sentences() -> dict[str, str]:
    """The sentences `sheet_...` with their numbers."""
    output = F.conv2d(IMAGE[None, None].float(), KERNEL[None, None].float())
    places, rows = _places(), lenet5_rows()
    s4, s4_unpadded = (table[4] for table in (rows, lenet5_rows(c1_padding=0)))
    numbers = {
        "products": KERNEL.numel(),
        "largest": places[output.argmax()],
        "smallest": places[output.argmin()],
        "input": _shape(rows[0]),
        "kernel_size": rows[1].geometry.kernel_size,
        "total": f"{sum(row.parameters for row in rows):,}",
        "flat": math.prod(s4.shape),
        "unpadded": _shape(s4_unpadded),
        "flat_unpadded": math.prod(s4_unpadded.shape),
        "order": " ".join(map(str, STEPS.values())),
        "weight": WEIGHT,
        "slope": SLOPE,
        "rate": RATE,
        "after": f"{WEIGHT - RATE * SLOPE:g}",
        "uphill": f"{WEIGHT + RATE * SLOPE:g}",
        "no_rate": minus_signs(f"{WEIGHT - SLOPE}"),
    }
    return {key: said.format(**numbers) for key, said in page_texts("sheet_").items()}


def _places() -> list[str]:
    """The names of the four windows."""
    return text("row_places").split(" / ")


def _size(g: ConvGeometry) -> str:
    """The question that `g` answers."""
    return text("row_size", n=g.n_in, k=g.kernel_size, padding=g.padding, stride=g.stride)


def _name(row: LayerRow) -> str:
    return text("row_output") if row.name == "fc3" else LAYER_NAMES[row.name]


def _layer(row: LayerRow, before: LayerRow) -> str:
    """A layer in words."""
    if row.geometry is None:
        key = "row_flatten" if len(before.shape) > 1 else "row_linear"
        return text(key, n=row.shape[0])
    k, padding = row.geometry.kernel_size, row.geometry.padding
    if not row.parameters:
        return text("row_pooling", k=k)
    return text("row_convolution", n=row.shape[0], k=k, padding=padding)


def _parameters(row: LayerRow, before: LayerRow) -> str:
    """ "6 × (1×5×5 + 1) = 156"."""
    if not row.parameters:
        return "0"
    inputs = [math.prod(before.shape)]
    if row.geometry:
        inputs = [before.shape[0], row.geometry.kernel_size, row.geometry.kernel_size]
    return f"{row.shape[0]} × ({'×'.join(map(str, inputs))} + 1) = {row.parameters:,}"


def _mistakes(g: ConvGeometry) -> str:
    """What those get who forget something."""
    outputs = {"row_no_plus_one": g.n_out - 1}
    if g.padding:
        outputs["row_one_side"] = replace(g, n_in=g.n_in + g.padding, padding=0).n_out
        outputs["row_no_padding"] = replace(g, padding=0).n_out
    if g.unused:
        outputs["row_rounded_up"] = g.n_out + 1
    if g.stride > 1:
        outputs["row_no_stride"] = replace(g, stride=1).n_out
    return text("row_joint").join(text(key, n=n) for key, n in outputs.items())


def worksheet_key(language: str) -> str:
    """The answers of an edition's worksheet, "zh" or "en", as Markdown."""
    use(language)
    windows = [
        (place, "<br>".join(map(" ".join, map(_numbers, nine))), *_numbers(nine.sum()[None]))
        for place, nine in zip(_places(), _products().flatten(0, 1))
    ]
    formula = "⌊({0.n_in} + 2×{0.padding} − {0.kernel_size}) / {0.stride}⌋ + 1 = **{0.n_out}**"
    sizes = [(_size(g), formula.format(g), g.unused, _mistakes(g)) for g in SIZES]
    layers = [
        (_name(row), _layer(row, before), _shape(row), _parameters(row, before))
        for before, row in pairwise(lenet5_rows())
    ]
    template = (HERE / "worksheet_key.md").read_text(encoding="utf-8")
    tables = {"windows": windows, "sizes": sizes, "layers": layers}
    lines = {name: "\n".join(map(_table_line, rows)) for name, rows in tables.items()}
    return template.format(**_sentences(), **lines)


def _table_line(cells: tuple) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def worksheet(language: str) -> str:
    """The worksheet of an edition, "zh" or "en", as HTML."""
    use(language)
    said = {key: _as_html(sentence) for key, sentence in _sentences().items()}
    k, n_out = len(KERNEL), len(_products())
    nine = _grid([[""] * k] * k)
    windows = [WINDOW.format(place, nine, said["sum"]) for place in _places()]
    sizes = [SIZE.format(_as_html(_size(g)), said["unused"], _strip(g)) for g in SIZES]
    layers = [
        LAYER.format(_name(row), _as_html(_layer(row, before)), _blank(row))
        for before, row in pairwise(lenet5_rows())
    ]
    template = (HERE / "worksheet.html").read_text(encoding="utf-8")
    return template.format(
        **said,
        language={"zh": "zh-CN"}.get(language, language),
        style=(HERE / "worksheet.css").read_text(encoding="utf-8"),
        image_cells=_grid(map(_numbers, IMAGE)),
        kernel_cells=_grid(map(_numbers, KERNEL)),
        output_cells=_grid([[""] * n_out] * n_out),
        windows="\n".join(windows),
        size_questions="\n".join(sizes),
        layer_rows="\n".join(layers),
        step_lines="\n".join(map(STEP.format, STEPS)),
    )


def _as_html(sentence: str) -> str:
    """Backticks become <code>."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", sentence)


def _grid(rows: Iterable[list[str]]) -> str:
    """Square cells; an empty one is to write in."""
    lines = ("".join(map("<td>{}</td>".format, row)) for row in rows)
    return f'<table class="grid">{"".join(map("<tr>{}</tr>".format, lines))}</table>'


def _strip(g: ConvGeometry) -> str:
    """A row of the input with its padding, to mark windows on."""
    padding = "<i>0</i>" * g.padding
    return f"{padding}{'<b></b>' * g.n_in}{padding}"


def _blank(row: LayerRow) -> str:
    """As many lines as the shape has numbers, with the signs between them."""
    return _shape(row._replace(shape=("<u></u>",) * len(row.shape)))


def main() -> None:
    for language in LANGUAGES:
        folder = PROJECT / "notebooks" / language
        guide = folder / "teacher_guide.md"
        write_file(folder / "worksheet.html", worksheet(language).encode())
        before = guide.read_text(encoding="utf-8")
        write_file(guide, guide_with_key(before, worksheet_key(language)).encode())
        print(f"{(folder / 'worksheet.html').relative_to(PROJECT).as_posix()}, {guide.name}")


def guide_with_key(guide: str, key: str) -> str:
    """The guide with `key` between its two marks. Raises ValueError where there are none."""
    start, end = (guide.index(mark) for mark in KEY_MARKS)
    return f"{guide[:start]}{KEY_MARKS[0]}\n{key}{guide[end:]}"


if __name__ == "__main__":
    main()
