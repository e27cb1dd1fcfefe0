"""What the notebooks use but do not teach, in the order of the lesson: setup, convolution sizes, explorer,
data, model, training, pictures, draw pad, exercises, texts, command line.

In a notebook: `import lenet_helpers as lh`, then `lh.start("zh")` or `lh.start("en")`.
In a terminal: `python lenet_helpers.py --help` (the lesson's training script).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent


# ---------------------------------------------------------------------------------------------------- setup

device = torch.device("cpu")  # where models and batches live; `start` chooses it anew
_language = "en"


def _text(key, **values):
    """The sentence `key` of TEXTS in the language of `start`, with `values` filled in."""
    zh, en = TEXTS[key]
    return (zh if _language == "zh" else en).format(**values)


# ---------------------------------------------------------------------------------------------- convolution

@dataclass(frozen=True)
class ConvGeometry:
    """The sizes of a convolution (or pooling) along one axis; images, kernels and maps are square.

    Arguments are integers, as in `torch.nn.Conv2d`: n_in, kernel_size, stride and dilation at least 1,
    padding (on each side) at least 0. Raises ValueError, naming the numbers, for any other value and for a
    kernel that does not fit. Everything that has to do with sizes asks this class. Notebooks 01 and 02.
    """

    n_in: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        for name, least in (("n_in", 1), ("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, name)
            try:
                whole = operator.index(value)  # numpy's integers are welcome, 6.0 and "6" are not
            except TypeError:
                raise ValueError(_text("size_not_whole", name=name, value=repr(value))) from None
            if whole < least or isinstance(value, bool):
                raise ValueError(_text("size_too_small", name=name, value=value, least=least))
            object.__setattr__(self, name, whole)
        if self.span > self.padded:
            raise ValueError(_text("does_not_fit", g=self))

    @property
    def padded(self):
        """Pixels of the input with the padding on both sides."""
        return self.n_in + 2 * self.padding

    @property
    def span(self):
        """Pixels from the kernel's first to its last, the gaps of dilation included."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def n_out(self):
        """Pixels of the output: how many positions the window has."""
        return (self.padded - self.span) // self.stride + 1

    @property
    def unused(self):
        """Pixels at the far end of the padded input that no window reaches."""
        return (self.padded - self.span) % self.stride

    def window(self, i):
        """The padded input's indices that output `i` reads, as a list. Raises IndexError beyond n_out."""
        if not 0 <= i < self.n_out:
            raise IndexError(_text("no_such_output", i=i, last=self.n_out - 1))
        return [i * self.stride + k * self.dilation for k in range(self.kernel_size)]

    def feeds(self, j):
        """The outputs that input `j` (counted before padding) feeds, as a list. Raises IndexError beyond n_in."""
        if not 0 <= j < self.n_in:
            raise IndexError(_text("no_such_input", j=j, last=self.n_in - 1))
        return [i for i in range(self.n_out) if j + self.padding in self.window(i)]


def conv_output_size(n_in, kernel_size, stride=1, padding=0, dilation=1):
    """n_out = floor((n_in + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, as `torch.nn.Conv2d`.

    Takes and raises what `ConvGeometry` does. Notebook 02.
    """
    return ConvGeometry(n_in, kernel_size, stride, padding, dilation).n_out


# ------------------------------------------------------------------------------------------------- explorer


# ----------------------------------------------------------------------------------------------------- data


# ---------------------------------------------------------------------------------------------------- model


# ------------------------------------------------------------------------------------------------- training


# ------------------------------------------------------------------------------------------------- pictures


# ------------------------------------------------------------------------------------------------- draw pad


# ------------------------------------------------------------------------------------------------ exercises


# ---------------------------------------------------------------------------------------------------- texts
# Every sentence that a reader meets, (Chinese, English), by section.

TEXTS = {
    # convolution
    "size_not_whole": ("{name} 应该是整数，现在是 {value}。",
                       "{name} must be a whole number, but it is {value}."),
    "size_too_small": ("{name} = {value} 不行：至少要是 {least}。",
                       "{name} = {value} is too small: it must be at least {least}."),
    "does_not_fit": (
        "卷积核放不下：它占 {g.span} 个像素，而输入加上 padding 只有 {g.n_in} + 2×{g.padding} = {g.padded} 个。"
        "请减小 kernel_size（现在 {g.kernel_size}）或 dilation（{g.dilation}），或者加大 padding。",
        "The kernel does not fit: it spans {g.span} pixels, but input and padding have only "
        "{g.n_in} + 2*{g.padding} = {g.padded}. "
        "Make kernel_size ({g.kernel_size}) or dilation ({g.dilation}) smaller, or padding larger."),
    "no_such_output": ("没有第 {i} 个输出：编号从 0 到 {last}。", "There is no output {i}: they go from 0 to {last}."),
    "no_such_input": ("没有第 {j} 个输入：编号从 0 到 {last}。", "There is no input {j}: they go from 0 to {last}."),
    # explorer
    # data
    # model
    # training
    # pictures
    # draw pad
    # exercises
}


# --------------------------------------------------------------------------------------------- command line
