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
    "pad": lambda *sizes, **options: nn.Identity(),
}


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
    width), measured: a copy of the model runs once. Notebook 05.

    The rows stand in the order of use: layers with weights, and those that change how many numbers
    there are; pooling and padding functions, too. Raises ValueError, naming the layer, where
    `forward` fails, uses one twice, gives a Linear more than a row, or lets torch repeat an image.

        table = lh.layer_table(lh.LeNet5())
        table[0].shape        # (6, 28, 28)
        table.parameters      # 61706
    """
    model, error = snapshot(model), ""
    layers = {name: part for name, part in model.named_modules() if not list(part.children())}
    calls = record(layers)
    images = as_input(model, torch.zeros(1, *input_shape))
    with torch.no_grad(), torch.random.fork_rng(devices=[]), _Functions(calls) as functions:
        try:
            model(images)
        except Exception as fault:  # whatever a forward raises
            error = f"{type(fault).__name__}: {fault}".splitlines()[0]
    if functions.repeated:
        raise ValueError(text("layer_repeats", shapes=" + ".join(map(str, functions.repeated))))
    calls = [call for call in calls if _counts(call)]
    _check_calls(calls, images, error)
    used = {parameter for call in calls for parameter in call.layer.parameters()}
    for name, parameter in model.named_parameters():
        if parameter not in used:
            raise ValueError(text("layer_unused", name=name.rpartition(".")[0] or name))
    return LayerTable(map(_row, calls))


class _Functions(TorchFunctionMode):
    """Adds to the calls the FUNCTIONS that a forward uses beside its layers, and keeps the shapes
    of the first sum in which torch repeats an image (`repeated`)."""

    def __init__(self, calls):
        super().__init__()
        self.calls, self.repeated = calls, []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        output = function(*args, **kwargs)
        if any(call.output is None for call in self.calls):  # of a layer that is running
            return output
        name = getattr(function, "__name__", "").removesuffix("_with_indices")
        shapes = [tuple(value.shape) for value in args if isinstance(value, torch.Tensor)]
        if name in ("add", "add_") and len(shapes) == 2 and not self.repeated:
            if shapes[0] != shapes[1] and len(shapes[0]) == len(shapes[1]) > 1:
                self.repeated = shapes
        if name in FUNCTIONS:
            self.calls.append(Call(name, FUNCTIONS[name](*args[1:], **kwargs), args[0], output))
        return output


def _counts(call):
    """Whether a call has a row: not a ReLU, which may be one for many places, nor a flatten."""
    known = isinstance(call.layer, WINDOWS) or call.name in FUNCTIONS
    changes = call.output is not None and call.output.numel() != call.input.numel()
    return known or changes or any(True for _ in call.layer.parameters())


def _check_calls(calls, images, error):
    """Raises ValueError for a layer that was used twice, for a Linear that is given more than a
    row, and for a pass that ended with an error."""
    check_repeats(calls)
    for call in calls:
        shape = tuple(call.input.shape)
        if isinstance(call.layer, nn.Linear) and (len(shape) != 2 or shape[0] != 1):
            wanted = 1, call.input.numel()
            raise ValueError(text("layer_flat", name=call.name, took=shape, wanted=wanted))
        if call.output is None:
            where = f"{call.name} ({_words(call.layer)})"
            raise ValueError(text("layer_stopped", where=where, took=shape, error=error))
    if error:
        before, shape = (calls[-1].name, calls[-1].output) if calls else ("input", images)
        raise ValueError(text("layer_fault", before=before, shape=tuple(shape.shape), error=error))


def _row(call):
    layer, size, geometry = call.layer, call.input.shape[-2:], None
    if isinstance(layer, WINDOWS) and size[0] == size[1]:
        geometry = layer_geometry(layer, size[0])
    words = call.name if isinstance(layer, nn.Identity) else _words(layer, geometry)
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    shape = tuple(call.output.shape[1:])
    return LayerRow(call.name, words, shape, parameters, _multiply_adds(call), geometry)


def _words(layer, geometry=None):
    """ "Conv2d kernel_size=5 stride=1 padding=2": a layer in a line."""
    kind = type(layer).__name__
    if isinstance(layer, nn.Linear):
        return f"{kind} {layer.in_features} -> {layer.out_features}"
    for setting in ("num_features", "kernel_size", "stride", "padding", "dilation", "output_size"):
        value = getattr(geometry, setting, getattr(layer, setting, None))
        if value is not None and (setting, value) not in (("dilation", 1), ("dilation", (1, 1))):
            kind += f" {setting}={_one(value)}"
    return kind


def _one(value):
    """The number that all of a pair are; else the value itself."""
    same = isinstance(value, (tuple, list)) and len(set(value)) == 1
    return value[0] if same else value


def _multiply_adds(call):
    """Each number that a convolution or a Linear makes costs one for each of its weights; each
    that a normalisation makes, one."""
    layer, kind, made = call.layer, type(call.layer).__name__, call.output.numel()
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        return made * layer.weight[0].numel()
    if "Norm" not in kind and list(layer.parameters()):
        raise ValueError(text("layer_kind", name=call.name, kind=kind))
    return made if "Norm" in kind else 0


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
