"""A model's layers: what each makes and costs, by the formula, and whether that is so."""

import math
from typing import NamedTuple

import torch
from torch import nn

from ..checks import checked
from ..sizes import ConvGeometry
from ..words.texts import text
from .calls import check_order, watch
from .copies import snapshot
from .inference import as_input

POOLING = (nn.MaxPool2d, nn.AvgPool2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
COUNTED = (nn.Conv2d, *POOLING, nn.Linear, *NORMS)


class LayerRow(NamedTuple):
    """A row of `layer_table`.

    `shape` is the layer's output without the batch, (channels, height, width) or (n,); `geometry`
    belongs to a convolution or pooling layer.
    """

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
        names = max([6, *(len(row.name) for row in self)])
        layers = max([42, *(len(row.layer) for row in self)])
        start = f"{{:<{names}}} {{:<{layers}}} {{:>10}}".format
        line = "{} {:>10,} {:>13,}".format
        rows = [
            line(
                start(row.name, row.layer, "x".join(map(str, row.shape))),
                row.parameters,
                row.multiply_adds,
            )
            for row in self
        ]
        heading = f"{start('name', 'layer', 'output')} {'parameters':>10} {'multiply-adds':>13}"
        total = line(start("total", "", ""), self.parameters, self.multiply_adds)
        return "\n".join([heading, *rows, total])


@checked
def layer_table(model: nn.Module, input_shape: tuple[int, ...] = (1, 28, 28)) -> LayerTable:
    """What each layer of a model makes and costs for one image of `input_shape` (channels, n, n).

    Counts convolutions, pooling, linear layers and batch normalisation in the order in which the
    model defines them; sizes come from `ConvGeometry`. A copy of the model runs once: raises
    ValueError, naming the layer, where `forward` fails, uses layers in another order, twice or not
    at all, or makes other sizes; and for what is not square. Notebook 03.
    """
    if input_shape[1] != input_shape[2]:
        raise ValueError(text("layer_input", found=input_shape))
    model = snapshot(model)
    layers = _layers(model)
    calls, output, fault = _run_once(model, layers, input_shape)
    counted = {name: layer for name, layer in layers.items() if isinstance(layer, COUNTED)}
    turns = [call for call in calls if isinstance(call.layer, COUNTED)]
    check_order(counted, turns, complete=not fault)
    rows = _rows(layers, counted, calls, input_shape)
    if fault:
        raise ValueError(text("layer_fault", error=fault))
    _check_end(rows, output, input_shape)
    _check_parameters(model, counted)
    return rows


def _layers(model):
    """The layers by name as they are defined: what the table counts, and what has no parts."""
    found, inside = {}, set()
    for name, module in model.named_modules(remove_duplicate=False):
        counted = isinstance(module, COUNTED)
        if module not in inside and (counted or not list(module.children())):
            found[name] = module
            inside.update(part for part in module.modules() if part is not module)
    return found


@torch.no_grad()
def _run_once(model, layers, shape):
    """The calls of one pass, what it gave, and its error in a line, if it ended with one."""
    calls = watch(layers.values())
    with torch.random.fork_rng(devices=[]):
        try:
            return calls, model(as_input(model, torch.zeros(1, *shape))), ""
        except Exception as error:
            return calls, None, f"{type(error).__name__}: {error}".splitlines()[0]


def _rows(layers, counted, calls, shape):
    """The rows by the formula, as far as the calls go; each is compared with its call."""
    rows, names, before, shared = LayerTable(), iter(counted), "input", set()
    for call in calls:
        took = tuple(call.took.shape)
        made = None if call.made is None else tuple(call.made.shape)
        if not isinstance(call.layer, COUNTED):
            if made is not None and math.prod(made) != math.prod(took):
                name = next(name for name, layer in layers.items() if layer is call.layer)
                kind = type(call.layer).__name__
                raise ValueError(text("layer_kind", name=name, kind=kind, took=took, made=made))
            continue
        name = next(names)
        shape = _taken(name, call.layer, before, shape, took)
        own = {id(p): p.numel() for p in call.layer.parameters() if id(p) not in shared}
        shared |= own.keys()  # counted once, if another layer has them, too
        rows.append(_row(name, call.layer, shape, sum(own.values())))
        shape, before = rows[-1].shape, name
        if made not in (None, (1, *shape)):
            raise ValueError(text("layer_makes", name=name, made=made, formula=(1, *shape)))
    return rows


def _taken(name, layer, before, shape, took):
    """The shape that a layer takes: what the one before it handed on, at most in another form.

    Raises ValueError where numbers came or went, or several pictures became of one."""
    flat = isinstance(layer, (nn.Linear, nn.BatchNorm1d))
    same = math.prod(took) == math.prod(shape)
    if same and took[0] == 1 and len(took) == (2 if flat else 4):
        return took[1:]
    if same and flat:
        raise ValueError(text("layer_flat", name=name, took=took, wanted=(1, math.prod(shape))))
    handed = (1, *shape)
    raise ValueError(text("layer_between", name=name, took=took, before=before, handed=handed))


def _check_end(rows, output, shape):
    """Raises ValueError where the model gives other sizes than its last layer makes."""
    if isinstance(output, torch.Tensor):
        handed = (1, *(rows[-1].shape if rows else shape))
        if output.shape[:1] != (1,) or output.numel() != math.prod(handed):
            before, gives = rows[-1].name if rows else "input", tuple(output.shape)
            raise ValueError(text("layer_end", gives=gives, before=before, handed=handed))


def _check_parameters(model, counted):
    """Raises ValueError for a parameter that belongs to no layer of the table."""
    known = {id(p) for layer in counted.values() for p in layer.parameters()}
    for name, parameter in model.named_parameters():
        if id(parameter) not in known:
            raise ValueError(text("layer_parameter", name=name))


def _row(name, layer, shape, parameters):
    """The row of a layer that is given `shape`."""
    if isinstance(layer, nn.Linear):
        _check_inputs(name, layer.in_features, math.prod(shape))
        words = f"Linear {layer.in_features} -> {layer.out_features}"
        return LayerRow(name, words, (layer.out_features,), parameters, layer.weight.numel())
    if isinstance(layer, NORMS):
        _check_inputs(name, layer.num_features, shape[0])
        words = f"{type(layer).__name__} {layer.num_features}"
        return LayerRow(name, words, shape, parameters, math.prod(shape))
    return _window_row(name, layer, shape, parameters)


def _window_row(name, layer, shape, parameters):
    """The row of a convolution or pooling layer."""
    g = layer_geometry(name, layer, shape[-1])
    words = f"{type(layer).__name__} kernel_size={g.kernel_size} stride={g.stride}"
    words += f" padding={g.padding}" + (f" dilation={g.dilation}" if g.dilation > 1 else "")
    channels, cost = shape[0], 0
    if isinstance(layer, nn.Conv2d):
        _check_inputs(name, layer.in_channels, channels)
        words += f" groups={layer.groups}" if layer.groups > 1 else ""
        channels = layer.out_channels
        cost = channels * g.n_out**2 * layer.weight[0].numel()
    return LayerRow(name, words, (channels, g.n_out, g.n_out), parameters, cost, g)


def _check_inputs(name, wanted, given):
    if wanted != given:
        raise ValueError(text("layer_misfit", name=name, wants=wanted, gets=given))


def layer_geometry(name: str, layer: nn.Module, n_in: int) -> ConvGeometry:
    """The sizes of a convolution or pooling layer that is given n_in x n_in pixels.

    Raises ValueError, naming the layer, where it is not square, rounds up or does not fit.
    """
    sizes = {}
    for setting in ("kernel_size", "stride", "dilation", "padding"):
        value = getattr(layer, setting, 1)
        if isinstance(value, (tuple, list)):  # torch keeps some sizes as (height, width)
            if len(set(value)) > 1:
                raise ValueError(text("layer_square", name=name, setting=setting, value=value))
            value = value[0]
        sizes[setting] = value
    if isinstance(sizes["padding"], str):
        sides = sizes["dilation"] * (sizes["kernel_size"] - 1) if layer.padding == "same" else 0
        if sides % 2:
            raise ValueError(text("layer_same", name=name, n=sides))
        sizes["padding"] = sides // 2
    try:
        g = ConvGeometry(n_in, **sizes)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if getattr(layer, "ceil_mode", False) and g.unused:
        raise ValueError(text("layer_ceil", name=name))
    return g
