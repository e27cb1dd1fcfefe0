"""The explorer: a convolution in which every cell shows what it is made of. Notebook 01."""

import contextlib
import html
import math
import uuid

import ipywidgets as widgets
import matplotlib
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from .images import NEGATIVE, POSITIVE, base64_text, color_scale, number_text, png, show_table
from .sizes import ConvGeometry, numerator, remainder
from .texts import text

LIMITS = {
    "n_in": range(3, 13),
    "kernel_size": range(1, 8),
    "stride": range(1, 5),
    "padding": range(0, 5),
    "dilation": range(1, 4),
}
PRESETS = {  # kernel_size -> kernel of whole numbers; one pixel has no neighbours, so an edge kernel of 1x1 is 0
    "random": lambda k: torch.randint(
        -2, 3, (k, k), generator=torch.Generator().manual_seed(67 + k)
    ),
    "blur": lambda k: torch.ones(k, k),
    "vertical": lambda k: (2 * torch.arange(k) - (k - 1)).sign().expand(k, k),
    "horizontal": lambda k: PRESETS["vertical"](k).T,
    "sharpen": lambda k: _sharpen(k),
}
WIDTH, HEIGHT, TITLE, GAP = 1132, 590, 28, 30  # pixels: picture, line of titles, between grids

STYLE = f"""<style>
.lh-svg {{ display: block; max-width: 100%; height: auto; font: 14px var(--jp-ui-font-family, sans-serif);
  fill: var(--jp-content-font-color1, currentColor) }}
.lh-svg text {{ pointer-events: none }}
.lh-lines, .lh-dashes {{ fill: none; stroke: var(--jp-border-color1, #999); shape-rendering: crispEdges }}
.lh-dashes {{ stroke-dasharray: 3 3 }}
.lh-zero {{ fill: #888 }}
.lh-pos {{ fill: {POSITIVE} }}
.lh-neg {{ fill: {NEGATIVE} }}
.lh-num {{ font-family: Arial, "Liberation Sans", Helvetica, "DejaVu Sans Condensed", sans-serif; text-anchor: middle;
  paint-order: stroke; stroke: var(--jp-layout-color0, Canvas); stroke-width: 2.5px }}
.lh-sum {{ font-family: var(--jp-code-font-family, monospace); white-space: pre }}
.lh-lit {{ fill: none; stroke: #009e73; stroke-opacity: .5 }}
.lh-frame {{ stroke: var(--jp-content-font-color1, currentColor); stroke-width: 2.5 }}
.lh-cell {{ outline: none; cursor: pointer }}
.lh-i {{ fill: transparent }}
.lh-cell:hover, .lh-cell:focus {{ stroke-width: 3; stroke: var(--jp-content-font-color1, currentColor) }}
.lh-reveal {{ display: none; pointer-events: none }}
.lh-cell:hover + .lh-reveal, .lh-cell:focus + .lh-reveal {{ display: inline }}
.lh-cells:hover .lh-cell:focus:not(:hover) + .lh-reveal {{ display: none }}
</style>"""  # one class a rule: what a <use> repeats knows nothing of the elements around it


def _sharpen(k):
    kernel = torch.zeros(k, k)
    kernel[k // 2, :] = kernel[:, k // 2] = -1
    kernel[k // 2, k // 2] = 2 * k - 1  # the weights add up to 1
    return kernel


def _matrix(values, name):
    """Numbers of shape (n, n) or (1, n, n) as a float64 tensor (n, n). Raises ValueError for anything else."""
    try:
        table = torch.as_tensor(values).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(text("not_square", name=name, found=type(values).__name__)) from None
    if table.dim() == 3 and len(table) == 1:
        table = table[0]
    if table.dim() != 2 or table.shape[0] != table.shape[1] or not table.numel():
        raise ValueError(text("not_square", name=name, found=tuple(torch.as_tensor(values).shape)))
    return table


def _convolve(image, kernel, g):
    """Padded input and output, (padded, padded) and (n_out, n_out), of float64 tables."""
    output = F.conv2d(image[None, None], kernel[None, None], None, g.stride, g.padding, g.dilation)[
        0, 0
    ]
    return F.pad(image, [g.padding] * 4), output


def _tint(value, limit, kind=""):
    """Attributes of a cell in the colour of a number: orange above 0, blue below, the stronger the larger."""
    sign = "zero" if not value else "pos" if value > 0 else "neg"
    return f'class="{kind}lh-{sign}" fill-opacity="{0.15 + 0.5 * min(1, abs(value) / limit) if value else 0.08:.2f}"'


def _box(x, y, size):
    return f'x="{x}" y="{y}" width="{size}" height="{size}"'


def _rect(x, y, size, attributes):
    return f"<rect {_box(x, y, size)} {attributes}/>"


def _hatch(name):
    return (
        f'<pattern id="{name}-h" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<path d="M0 0v7" stroke="#888" stroke-width="3"/></pattern>'
    )


def _tinted(table, x, y, cell, dilation=1):
    """Cells at (x, y) in the colours of a table's numbers."""
    limit = table.abs().max().item() or 1
    return "".join(
        _rect(x + j * dilation * cell, y + i * dilation * cell, cell, _tint(value, limit))
        for i, row in enumerate(table.tolist())
        for j, value in enumerate(row)
    )


def _lines(n, x, y, cell, look="lines"):
    """The lines of a grid of n x n cells at (x, y)."""
    return (
        f'<path class="lh-{look}" d="'
        + "".join(
            f"M{x} {y + i * cell}h{n * cell}M{x + i * cell} {y}v{n * cell}" for i in range(n + 1)
        )
        + '"/>'
    )


def _numbers(texts, x, y, cell, size):
    """A table's numbers, in the middle of its cells. Those of one character share an element a row: a page takes long
    over many."""
    middles, parts = [f"{x + j * cell + cell / 2:g}" for j in range(len(texts))], []
    for i, row in enumerate(texts):
        short = [(place, text) for place, text in zip(middles, row) if len(text) == 1]
        together = (
            [(" ".join(place for place, _ in short), "".join(text for _, text in short))]
            if short
            else []
        )
        for place, word in together + [
            (place, word) for place, word in zip(middles, row) if len(word) > 1
        ]:
            parts.append(
                f'<text x="{place}" y="{y + (i + 0.5) * cell + size * 0.36:.0f}">{word}</text>'
            )
    return f'<g class="lh-num" font-size="{size}" aria-hidden="true">{"".join(parts)}</g>'


def _svg(name, hint, body, width=WIDTH, height=HEIGHT):
    """The frame that both explorers' pictures share."""
    # a title right below <svg> would pop up over the cells: hence in a group of its own
    return (
        f'<svg id="{name}" class="lh-svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="group" aria-labelledby="{name}-t" aria-describedby="{name}-d">{STYLE}'
        f'<g><title id="{name}-t">{text("explorer_title")}</title>'
        f'<desc id="{name}-d">{text(hint)}</desc></g>{body}</svg>'
    )


def _titles(g, x_kernel, x_output, output):
    return "".join(
        f'<text x="{x}" y="18" font-size="16">{html.escape(text)}</text>'
        for x, text in (
            (1, text("padded_input" if g.padding else "input", g=g)),
            (x_kernel, text("kernel")),
            (x_output, output),
        )
    )


def convolution_svg(image, kernel, geometry, name=None):
    """SVG (a string) of the padded input, the kernel and the output; pointing at a cell, or focusing it, reveals what
    it is made of or what it feeds.

    image (n_in, n_in) and kernel (kernel_size, kernel_size): whole numbers or floats, lists, arrays or tensors;
    geometry: their `ConvGeometry`. `name` becomes the prefix of the ids, unique to the picture by default.
    Raises ValueError for other shapes. Notebook 01, in `explore_convolution`.
    """
    g, image, kernel = geometry, _matrix(image, "image"), _matrix(kernel, "kernel")
    for what, found, expected in (
        ("image", len(image), g.n_in),
        ("kernel", len(kernel), g.kernel_size),
    ):
        if found != expected:
            raise ValueError(text("wrong_size", name=what, found=found, expected=expected))
    name = html.escape(name or f"lh-{uuid.uuid4().hex[:8]}")
    padded, output = _convolve(image, kernel, g)
    pixels, weights, values = image.tolist(), kernel.tolist(), output.tolist()
    brightest, heaviest, largest = (
        table.abs().max().item() or 1 for table in (image, kernel, output)
    )
    xs, ws, ys = (
        [[number_text(value) for value in row] for row in table]
        for table in (padded.tolist(), weights, values)
    )
    n, k, s, d, p = g.n_out, g.kernel_size, g.stride, g.dilation, g.padding
    windows = [g.window(i) for i in range(n)]

    # the written-out sums: a line for a row of the kernel, in columns
    factors = [[f"×({w})" if w.startswith("−") else f"×{w}" for w in row] for row in ws]
    wide_x, wide_w = (max(len(text) for row in texts for text in row) for texts in (xs, factors))
    xs_wide = [[x.rjust(wide_x) for x in row] for row in xs]
    factors = [[w.ljust(wide_w) for w in row] for row in factors]
    equals = (
        "=" if all(table.frac().count_nonzero() == 0 for table in (image, kernel)) else "≈"
    )  # floats are rounded

    # sizes: as large as the room allows; the sum stands below kernel and output
    longest = max(len(text) for texts in (xs, ws, ys) for row in texts for text in row)
    letters = (wide_x + wide_w + 3) * k + 2
    cell = int(
        min(
            64,
            (HEIGHT - TITLE - 8) / g.padded,
            (WIDTH - 2 * GAP - 2) / (g.padded + k + n),
            (WIDTH - GAP - 2 - letters * 8.54) / g.padded,
            (HEIGHT - TITLE - 16 - 17 * (k + 1)) / max(k, n),
        )
    )
    cell = max(cell, 25, 8 * longest + 2)
    size = max(14, min(24, int(cell * 0.45), int(cell / longest / 0.62)))
    x_k, y = 1 + g.padded * cell + GAP, TITLE
    x_o = x_k + k * cell + GAP
    y_sum = y + max(k, n) * cell + 12
    height = max(HEIGHT, y_sum + 17 * (k + 1) + 4)  # long numbers may need more than there is
    room = (height - y_sum - 4) / (k + 1)
    sum_size = max(14, min(20, int((WIDTH - x_k) / letters / 0.61), int(room / 1.15)))
    line = min(sum_size * 1.4, room)
    width = max(WIDTH, x_o + n * cell + 2, math.ceil(x_k + letters * sum_size * 0.61))

    def written(*lines):
        return (
            f'<text class="lh-sum" y="{y_sum}" font-size="{sum_size}">'
            + "".join(f'<tspan x="{x_k}" dy="{line:.3g}">{text}</tspan>' for text in lines)
            + "</text>"
        )

    def said(sentence):
        return f'<text x="{x_k}" y="{y_sum + 18}" font-size="16">{html.escape(sentence)}</text>'

    def target(i, j, x, look, label, reveal):
        # <svg>, not <g>: Chromium lays out what a hidden <g> holds, which takes longer than all that is seen
        hit = _rect(
            x + j * cell,
            y + i * cell,
            cell,
            f'{look} tabindex="0" role="img" aria-label="{html.escape(label)}"',
        )
        return f'{hit}<svg class="lh-reveal">{reveal}</svg>'

    # what lies below, drawn once
    body = [f"<defs>{_hatch(name)}"]
    # each pixel of a window in the colour of its weight; the pixels that a weight meets, as `h1` strokes, 1 cell wide
    body += [
        f'<pattern id="{name}-w" width="1" height="1">',  # of the whole window; a page takes long over many <use>
        _tinted(kernel, 0, 0, cell, d),
        "</pattern>",
        f'<path id="{name}-l" class="lh-lit" d="',
        *(f"M{j * s} {i * s + 0.5:g}h1" for i in range(n) for j in range(n)),
        '"/></defs>',
        _titles(g, x_k, x_o, text("output", g=g)),
    ]
    greys = {}
    for i, row in enumerate(pixels):
        for j, value in enumerate(row):
            greys.setdefault(f"{0.03 + 0.25 * abs(value) / brightest:.2f}", []).append(
                f"M{1 + (j + p) * cell} {y + (i + p) * cell}h{cell}v{cell}h-{cell}z"
            )
    body += [
        f'<path fill-opacity="{grey}" d="{"".join(squares)}"/>' for grey, squares in greys.items()
    ]
    side = g.padded * cell
    body += [
        f'<path class="lh-lost" fill="url(#{name}-h)" d="',  # the rows and columns that no window reaches
        *(
            f"M1 {y + q * cell}h{side}v{cell}h-{side}zM{1 + q * cell} {y}h{cell}v{side}h-{cell}z"
            for q in sorted(set(range(g.padded)).difference(*windows))
        ),
        '"/>',
        _lines(g.padded, 1, y, cell, "dashes"),
        _lines(g.n_in, 1 + p * cell, y + p * cell, cell),
        _lines(k, x_k, y, cell),
        _lines(n, x_o, y, cell),
    ]

    # what can be pointed at: outputs, inputs, weights
    body.append('<g class="lh-cells">')
    for i, rows in enumerate(windows):
        for j, columns in enumerate(windows):
            lines = [
                " + ".join(
                    [
                        x + w
                        for x, w in zip(xs_wide[r][columns[0] : columns[-1] + 1 : d], factors[a])
                    ]
                )
                for a, r in enumerate(rows)
            ]
            lines = ["  " + lines[0], *("+ " + text for text in lines[1:]), f"{equals} {ys[i][j]}"]
            window = _rect(
                1 + j * s * cell,
                y + i * s * cell,
                g.span * cell,
                f'class="lh-frame" fill="url(#{name}-w)"',
            )
            body.append(
                target(
                    i,
                    j,
                    x_o,
                    _tint(values[i][j], largest, f"lh-cell lh-o{i * n + j} "),
                    text("output_cell", i=i, j=j, value=ys[i][j]),
                    window + written(*lines),
                )
            )
    fed = [g.feeds(q) for q in range(g.n_in)]
    for i, rows in enumerate(fed):
        for j, columns in enumerate(fed):
            count = len(rows) * len(columns)
            feeds = text("feeds", n=count) if count else text("feeds_none")
            runs = (
                [(columns[0], count // len(rows))]
                if count and d == 1
                else [(c, 1) for c in columns]
            )
            path = "".join([f"M{c} {r}.5h{length}" for r in rows for c, length in runs])
            body.append(
                target(
                    i + p,
                    j + p,
                    1,
                    'class="lh-cell lh-i"',
                    text("input_cell", i=i, j=j, value=xs[i + p][j + p], feeds=feeds),
                    f'<path class="lh-lit" transform="translate({x_o} {y}) scale({cell})" d="{path}"/>'
                    + said(feeds),
                )
            )
    uses = text("uses", n=n * n)
    for i, row in enumerate(ws):
        for j, w in enumerate(row):
            place = f"translate({1 + j * d * cell} {y + i * d * cell}) scale({cell})"
            body.append(
                target(
                    i,
                    j,
                    x_k,
                    _tint(weights[i][j], heaviest, "lh-cell lh-w "),
                    text("weight_cell", i=i, j=j, value=w, uses=uses),
                    f'<use href="#{name}-l" transform="{place}"/>' + said(uses),
                )
            )
    body.append("</g>")

    # the numbers, above all colours
    middle = y + k * cell / 2 + 8
    body += [
        f'<text x="{x - GAP / 2}" y="{middle:g}" font-size="24" text-anchor="middle">{sign}</text>'
        for x, sign in ((x_k, "∗"), (x_o, "="))
    ]
    body += [_numbers(texts, x, y, cell, size) for texts, x in ((xs, 1), (ws, x_k), (ys, x_o))]
    return _svg(name, "explorer_hint", "".join(body), width, height)


def _picture(table):
    """A table of numbers as a PNG, a pixel each, 0 in white: grey, or blue and orange where there are negatives."""
    colors, low, high = color_scale(table)
    return base64_text(
        lambda file: matplotlib.image.imsave(
            file, table.numpy(), cmap=colors, vmin=low, vmax=high, format="png"
        )
    )


def _pictures_svg(image, kernel, g, name):
    """Padded picture, kernel and feature map, the kernel with its numbers. For `explore_kernels`."""
    padded, output = _convolve(image, kernel, g)
    cell, y = 40, TITLE
    scale = min(
        (WIDTH - g.kernel_size * cell - 2 * GAP - 2) / (g.padded + g.n_out),
        (HEIGHT - TITLE - 4) / g.padded,
    )
    x_k = 1 + g.padded * scale + GAP
    x_o = x_k + g.kernel_size * cell + GAP
    low, high = (number_text(value) for value in (output.min().item(), output.max().item()))
    body = [_titles(g, x_k, x_o, text("feature_map", g=g, low=low, high=high))]
    for x, table in ((1, padded), (x_o, output)):
        body.append(
            f'<image href="data:image/png;base64,{_picture(table)}" preserveAspectRatio="none" '
            f'style="image-rendering: pixelated" {_box(x, y, len(table) * scale)}/>'
        )
        body.append(_rect(x, y, len(table) * scale, 'class="lh-frame" fill="none"'))
    inside = g.padding * scale
    body.append(_rect(1 + inside, y + inside, g.n_in * scale, 'class="lh-dashes"'))
    texts = [[number_text(value) for value in row] for row in kernel.tolist()]
    body += [
        _tinted(kernel, x_k, y, cell),
        _lines(g.kernel_size, x_k, y, cell),
        _numbers(texts, x_k, y, cell, 16),
    ]
    return _svg(name, "kernels_hint", "".join(body))


def _explorer_figure(image, kernel, g, step):
    """Both explorers as a matplotlib Figure, with the window of output number `step`: what a saved notebook shows."""
    padded, output = _convolve(image, kernel, g)
    fig = Figure(figsize=(11, 4), layout="constrained")
    axes = fig.subplots(
        1, 3, width_ratios=[g.padded, *(max(n, g.padded / 3) for n in (g.kernel_size, g.n_out))]
    )
    titles = (
        f"input {g.n_in}x{g.n_in}, padding {g.padding}",
        f"kernel {g.kernel_size}x{g.kernel_size}\nstride {g.stride}, dilation {g.dilation}",
        f"output {g.n_out}x{g.n_out}",
    )
    i, j = divmod(step, g.n_out)
    frames = (j * g.stride, i * g.stride, g.span), None, (j, i, 1)
    for ax, table, title, frame in zip(axes, (padded, kernel, output), titles, frames):
        show_table(
            ax,
            table,
            title,
            color_scale(table),
            frame,
            0 if len(table) > 20 else 8 if len(table) > 8 else 12,
        )
    return fig


def _formula(g):
    """The formula with its numbers, the remainder and the layer to copy, as HTML."""
    numbers, free = numerator(g).replace("-", "−"), g.padded - g.span
    left, right = ("⌊", "⌋") if g.unused else ("", "")
    layer = (
        f"nn.Conv2d(1, 1, kernel_size={g.kernel_size}, stride={g.stride}, padding={g.padding}, "
        f"dilation={g.dilation}, bias=False)"
    )
    return (
        f'<div style="line-height: 1.5; font-size: 15px"><div style="font-size: 19px">n_out = '
        f"{left}({numbers}) / {g.stride}{right} + 1 = {left}{free} / {g.stride}{right} + 1 = <b>{g.n_out}</b></div>"
        f'<div>{remainder(g)}</div><code style="user-select: all">{layer}</code></div>'
    )


def _message(error):
    """What is wrong, in as much room as a picture takes. What is no sentence of ours says its kind, too."""
    words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return (
        f'<div class="lh-message" style="max-width: {WIDTH}px; aspect-ratio: {WIDTH} / {HEIGHT}; font-size: 20px; '
        f'line-height: 1.5; padding: 40px; box-sizing: border-box">{html.escape(words)}</div>'
    )


def _parameter(name):
    def write(explorer, value):
        if value not in explorer.choices[name]:
            raise ValueError(
                text(
                    "not_offered",
                    name=name,
                    value=repr(value),
                    choices=", ".join(map(str, explorer.choices[name])),
                )
            )
        explorer.controls[name].value = value

    return property(lambda explorer: explorer.controls[name].value, write)


class Explorer(widgets.VBox):
    """What `explore_convolution` and `explore_kernels` return.

    `n_in`, `kernel_size`, `stride`, `padding`, `dilation` and `preset` (a key of PRESETS) can be read and set;
    ValueError for what is not in `choices`. `controls` are the widgets behind them, `play` steps the window.
    """

    n_in, kernel_size, stride, padding, dilation, preset = map(_parameter, (*LIMITS, "preset"))

    def __init__(self, image, draw, values, n_in=LIMITS["n_in"]):
        """image: n_in -> float64 (n_in, n_in); draw: (image, kernel, geometry, name) -> SVG; values: the parameters to
        begin with; n_in: the sizes to choose from."""
        super().__init__()
        self._image, self._draw, self._name = image, draw, f"lh-{uuid.uuid4().hex[:8]}"
        self.choices = {**LIMITS, "n_in": n_in, "preset": tuple(PRESETS)}
        wide = {"layout": widgets.Layout(width="265px"), "style": {"description_width": "80px"}}
        self.controls = {
            name: widgets.IntSlider(
                min=self.choices[name][0],
                max=self.choices[name][-1],
                description=text("n_in") if name == "n_in" else name,
                **wide,
            )
            for name in LIMITS
        }
        self.controls["preset"] = widgets.Dropdown(
            options=[(text(f"preset_{name}"), name) for name in PRESETS],
            description=text("preset"),
            **wide,
        )
        self.play = widgets.Play(interval=800)
        self.formula = widgets.HTML(
            layout=widgets.Layout(height="84px")
        )  # always: a picture is not to jump
        self.picture, self.step = (
            widgets.HTML(),
            widgets.HTML(layout=widgets.Layout(display="none")),
        )
        for name, value in values.items():
            setattr(self, name, value)
        for control in self.controls.values():
            control.observe(self._update, "value")
        self.play.observe(self._point, "value")
        shown, hint = [*self.controls.values(), self.play], "explorer_hint"
        if len(n_in) == 1:  # a picture
            shown, hint = shown[1:-1], "kernels_hint"
        self.children = [
            widgets.HBox(shown, layout=widgets.Layout(flex_flow="row wrap")),
            self.formula,
            self.picture,
            widgets.HTML(f'<div style="line-height: 1.4">{text(hint)}</div>'),
            self.step,
        ]
        self._update()
        self._point()

    def _convolution(self):
        g = ConvGeometry(*(self.controls[name].value for name in LIMITS))
        return self._image(g.n_in), PRESETS[self.preset](g.kernel_size).double(), g

    def _update(self, change=None):
        try:
            image, kernel, g = self._convolution()
            # the picture first: what arrives after it shares its frame, what comes before has one to itself
            self.picture.value, self.formula.value = (
                self._draw(image, kernel, g, self._name),
                _formula(g),
            )
            self.play.value, self.play.max = 0, g.n_out**2 - 1
        except (
            Exception
        ) as error:  # does not fit, or a fault: a page would not say anything by itself
            self.picture.value, self.formula.value = _message(error), ""

    def _point(self, change=None):
        """Reveals the window of output number `play.value` while the reader points at nothing."""
        cell = f"#{self._name} .lh-cells:not(:hover):not(:focus-within) .lh-o{self.play.value}"
        self.step.value = (
            f"<style>{cell} + .lh-reveal {{ display: inline }} {cell} {{ stroke-width: 3; "
            "stroke: var(--jp-content-font-color1, currentColor) }</style>"
        )

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for a page without a kernel (a saved notebook on GitHub) a PNG of its present state."""
        bundle = dict(super()._repr_mimebundle_(**kwargs))
        with contextlib.suppress(Exception):  # the widget itself says what is wrong
            bundle["image/png"] = png(_explorer_figure(*self._convolution(), self.play.value))
        return bundle


def explore_convolution(n_in=6, kernel_size=3, stride=1, padding=0, dilation=1, preset="random"):
    """Sliders, formula and a picture of a convolution in which every cell shows what it is made of: an `Explorer`.

    Raises ValueError for what LIMITS and PRESETS do not offer. Notebook 01.
    """
    return Explorer(
        _sample_image,
        convolution_svg,
        {
            "n_in": n_in,
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "preset": preset,
        },
    )


def _sample_image(n):
    """Whole numbers from 0 to 4, (n, n) float64: a bright square on a dark, uneven ground."""
    image = torch.randint(
        0, 2, (n, n), generator=torch.Generator().manual_seed(n), dtype=torch.float64
    )
    edge = (n + 2) // 4
    image[edge : n - edge, edge : n - edge] += 3
    return image


def explore_kernels(image):
    """A picture, a kernel to choose, and the feature map that comes out, side by side: an `Explorer`.

    image: (n, n) or (1, n, n), array or tensor, uint8 or float. Raises ValueError for other shapes. Notebook 01.
    """
    table = _matrix(image, "image")
    if torch.as_tensor(image).dtype == torch.uint8:
        table /= 255
    n = len(table)
    values = {"n_in": n, "kernel_size": 3, "padding": 1, "preset": "vertical"}
    return Explorer(lambda n_in: table, _pictures_svg, values, n_in=range(n, n + 1))
