"""The sizes of convolutions and pooling: ConvGeometry is the one source of truth."""

from dataclasses import dataclass

from IPython.display import Markdown

from .checks import checked, whole_number
from .words.texts import text


@dataclass(frozen=True)
class ConvGeometry:
    """The sizes, in pixels, of a convolution (or pooling) along one axis: all that has to do with
    sizes asks this class. Whole numbers, as in `torch.nn.Conv2d`. Notebooks 01 and 02.

        g = lh.ConvGeometry(6, kernel_size=3, stride=2)
        g.n_out, g.unused  # 2, 1: no window reaches the last pixel
        g.window(1), g.feeds(2)  # [2, 3, 4], [0, 1]

    Raises ValueError for other numbers and for a kernel that does not fit.
    """

    n_in: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        for name, value in vars(self).copy().items():
            value = whole_number(name, value, 0 if name == "padding" else 1)
            object.__setattr__(self, name, value)
        if self.span > self.padded:
            can_shrink = {"kernel_size": self.kernel_size, "dilation": self.dilation}
            reducible = [f"{name} ({value})" for name, value in can_shrink.items() if value > 1]
            sizes = {name: getattr(self, name) for name in ("n_in", "padding", "padded", "span")}
            raise ValueError(text("size_does_not_fit", **sizes, reducible=" / ".join(reducible)))

    @property
    def padded(self) -> int:
        """Pixels of the input with the padding on both sides."""
        return self.n_in + 2 * self.padding

    @property
    def span(self) -> int:
        """Pixels from the kernel's first to its last, the gaps of dilation included."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def n_out(self) -> int:
        """Pixels of the output: how many positions the window has."""
        return (self.padded - self.span) // self.stride + 1

    @property
    def unused(self) -> int:
        """Pixels at the far end of the padded input that no window reaches."""
        return (self.padded - self.span) % self.stride

    def window(self, i: int) -> list[int]:
        """The padded input's indices that output `i` reads."""
        return [i * self.stride + k * self.dilation for k in range(self.kernel_size)]

    def feeds(self, j: int) -> list[int]:
        """The outputs that input `j` (without padding) feeds."""
        return [i for i in range(self.n_out) if j + self.padding in self.window(i)]


@checked
def conv_output_size(
    n_in: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Pixels out: floor((n_in + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1. Raises
    what `ConvGeometry` does. Notebook 02.

        lh.conv_output_size(28, 5, padding=2)  # 28
    """
    return ConvGeometry(n_in, kernel_size, stride, padding, dilation).n_out


@checked
def output_size_steps(
    n_in: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Markdown:
    """The formula of the output size with the numbers put in, step by step, in LaTeX; of numbers
    that `ConvGeometry` refuses, its sentence. Notebook 02.

        lh.output_size_steps(28, 5, stride=2)  # as a cell's value
    """
    try:
        g = ConvGeometry(n_in, kernel_size, stride, padding, dilation)
    except ValueError as error:
        return Markdown(str(error))
    formula, span = r"n_{in} + 2p - k", str(g.kernel_size)
    if g.dilation > 1:
        formula = r"n_{in} + 2p - d(k - 1) - 1"
        span = rf"{g.dilation} \times ({g.kernel_size} - 1) - 1"
    numbers, free = rf"{g.n_in} + 2 \times {g.padding} - {span}", g.padded - g.span
    fraction = r"\left\lfloor \frac{%s}{%s} \right\rfloor" if g.unused else r"\frac{%s}{%s}"
    steps = [
        rf"n_{{out}} &= \left\lfloor \frac{{{formula}}}{{s}} \right\rfloor + 1",
        f"&= {fraction % (numbers, g.stride)} + 1",
        f"&= {fraction % (free, g.stride)} + 1 = {g.n_out - 1} + 1 = {g.n_out}",
    ]
    aligned = "\\begin{aligned}\n" + " \\\\\n".join(steps) + "\n\\end{aligned}"
    key = "size_remainder" if g.unused else "size_no_remainder"
    said = text(key, free=free, stride=g.stride, quotient=g.n_out - 1, unused=g.unused)
    return Markdown(f"$${aligned}$$\n\n{said}")
