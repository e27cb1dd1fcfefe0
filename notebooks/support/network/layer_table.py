"""A model's layers: what each makes and costs, measured in one pass."""

from typing import NamedTuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..checks import checked
from ..sizes import ConvGeometry
from ..words.texts import text
from .activations import Call, check_repeats, record
from .copies import snapshot
from .predictions import as_input

WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
FUNCTIONS = {  # what a forward may use without a layer, and the layer that does the same
    "max_pool2d": nn.MaxPool2d,
    "avg_pool2d": nn.AvgPool2d,
    "adaptive_max_pool2d": nn.AdaptiveMaxPool2d,
    "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
    "pad": type("pad", (nn.Identity,), {}),
}
SETTINGS = "num_features", "kernel_size", "stride", "padding", "dilation", "output_size"


class LayerRow(NamedTuple):
    """A row of `layer_table`. `shape`: of the output without the batch, (channels, height, width)
    or (n,); `geometry`: of a convolution or pooling layer."""

    name: str
    layer: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    geometry: ConvGeometry | None = None


class LayerTable(list):
    """`LayerRow`s, with the totals `.parameters` and `.multiply_adds`; printed, a table."""

    parameters = property(lambda self: sum(row.parameters for row in self))
    multiply_adds = property(lambda self: sum(row.multiply_adds for row in self))

    def __repr__(self):
        total = LayerRow("total", "", (), self.parameters, self.multiply_adds)
        lines = [("name", "layer", "output", "parameters", "multiply-adds")]
        for name, layer, shape, *numbers, _ in [*self, total]:
            lines.append((name, layer, "×".join(map(str, shape)), *map("{:,}".format, numbers)))
        names, layers = (max(map(len, column)) for column in [*zip(*lines)][:2])
        form = f"{{:<{max(6, names)}}} {{:<{max(42, layers)}}} {{:>10}} {{:>10}} {{:>13}}"
        return "\n".join(form.format(*line) for line in lines)


@checked
def layer_table(model: nn.Module, input_shape: tuple[int, ...] = (1, 28, 28)) -> LayerTable:
    """What each layer of a model makes and costs for one image of `input_shape` (channels, height,
    width), measured: a copy runs once. Rows in the order of use: layers with weights, and layers or
    functions for pooling and padding. Notebook 05.

        table = lh.layer_table(lh.LeNet5())
        table[0].shape        # (6, 28, 28)
        table.parameters      # 61706

    Raises ValueError, naming the layer, where `forward` fails, uses one twice, gives a Linear more
    than a row, or lets torch repeat an image.
    """
    model, error = snapshot(model), ""
    calls = record({n: part for n, part in model.named_modules() if not list(part.children())})
    images = as_input(model, torch.zeros(1, *input_shape))
    calls.append(Call("input", nn.Identity(), images, images))
    with torch.no_grad(), torch.random.fork_rng(devices=[]), _Functions(calls) as functions:
        try:
            model(images)
        except Exception as fault:  # whatever a forward raises
            error = f"{type(fault).__name__}: {fault}".splitlines()[0]
    rows = [call for call in calls if _counts(call)]
    _check(rows, functions.repeated)
    if error:
        last = calls[-1]
        where, at = f"{last.name} ({last.layer})", last.input
        if last.output is not None:
            where, at = last.name, last.output
        raise ValueError(text("layer_stopped", where=where, shape=tuple(at.shape), error=error))
    used = {parameter for call in rows for parameter in call.layer.parameters()}
    for name, parameter in model.named_parameters():
        if parameter not in used:
            raise ValueError(text("layer_unused", name=name.rpartition(".")[0] or name))
    return LayerTable(map(_row, rows))


class _Functions(TorchFunctionMode):
    """Adds to the calls the FUNCTIONS that a forward uses beside its layers, and keeps the shapes
    of the last sum in which torch repeats an image (`repeated`)."""

    def __init__(self, calls):
        self.calls, self.repeated = calls, []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        output = function(*args, **(kwargs or {}))
        if self.calls[-1].output is None:  # of the layer that is running
            return output
        name = getattr(function, "__name__", "").removesuffix("_with_indices")
        if name in FUNCTIONS:
            layer = FUNCTIONS[name](*args[1:], **(kwargs or {}))
            self.calls.append(Call(name, layer, args[0], output))
        shapes = [tuple(value.shape) for value in args if isinstance(value, torch.Tensor)]
        if name in ("add", "add_") and len(set(shapes)) == 2 and len(set(map(len, shapes))) == 1:
            self.repeated = shapes
        return output


def _counts(call):
    """Whether a call has a row: not a ReLU, which may be one for many places, nor a flatten."""
    changes = call.output is not None and call.output.numel() != call.input.numel()
    return changes or isinstance(call.layer, WINDOWS) or bool(list(call.layer.parameters()))


def _check(calls, repeated):
    """Raises ValueError for what torch does without a word, and the table's reader does not mean:
    an image is repeated, a layer used twice, a Linear given more than a row."""
    if repeated:
        raise ValueError(text("layer_repeats", shapes=" + ".join(map(str, repeated))))
    check_repeats(calls)
    for call in calls:
        took, wanted = tuple(call.input.shape), (1, call.input.numel())
        if isinstance(call.layer, nn.Linear) and took != wanted:
            raise ValueError(text("layer_flat", name=call.name, took=took, wanted=wanted))


def _row(call):
    """Each number that a convolution or a Linear makes costs one multiply-add for each of its
    weights; each that a normalisation makes, one."""
    layer, made, size = call.layer, call.output, call.input.shape[-2:]
    kind, parameters = type(layer).__name__, sum(p.numel() for p in layer.parameters())
    cost = made.numel() * ("Norm" in kind)
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        cost = made.numel() * layer.weight[0].numel()
    elif parameters and not cost:
        raise ValueError(text("layer_kind", name=call.name, kind=kind))
    windows = isinstance(layer, WINDOWS) and size[0] == size[1]
    geometry = layer_geometry(layer, size[0]) if windows else None
    words = f"{kind} {layer.in_features} -> {layer.out_features}" if kind == "Linear" else kind
    for setting in SETTINGS:
        value = _one(getattr(geometry, setting, getattr(layer, setting, None)))
        if value is not None and (setting, value) != ("dilation", 1):
            words += f" {setting}={value}"
    return LayerRow(call.name, words, tuple(made.shape[1:]), parameters, cost, geometry)


def _one(value):
    """The number that all of a pair are; else the value itself."""
    same = isinstance(value, (tuple, list)) and len(set(value)) == 1
    return value[0] if same else value


def layer_geometry(layer: nn.Module, n_in: int) -> ConvGeometry | None:
    """The sizes of a convolution or pooling layer that takes n_in x n_in pixels; None where its
    window is not square, its padding not the same on all sides, or its size rounded up."""
    names = "kernel_size", "stride", "padding", "dilation"
    sizes = {name: _one(getattr(layer, name, 1)) for name in names}
    if isinstance(layer.padding, str) and isinstance(sizes["kernel_size"], int):
        both = sizes["dilation"] * (sizes["kernel_size"] - 1) if layer.padding == "same" else 0
        sizes["padding"] = both / 2 if both % 2 else both // 2
    if not all(isinstance(size, int) for size in sizes.values()):
        return None
    g = ConvGeometry(n_in, **sizes)
    return None if getattr(layer, "ceil_mode", False) and g.unused else g
