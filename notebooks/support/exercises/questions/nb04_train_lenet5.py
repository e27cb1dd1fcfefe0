"""What notebook 04 asks: batches, the first loss, a step of training."""

import dis
import math
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from ...words.texts import text
from ..function import check_callable
from ..number import NumberQuestion
from ..sandbox import Sandbox
from ..values import Slip, are_equal, is_blank, read_number

OPTIMIZERS = {"lr": 0.1}, {"lr": 0.02, "momentum": 0.9}
BATCHES = 8, 8, 5  # the pictures of each


def my_train_step(model, images, labels, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


def _without_zero_grad(model, images, labels, optimizer):
    forgetful = SimpleNamespace(zero_grad=lambda: None, step=optimizer.step)
    return my_train_step(model, images, labels, forgetful)


def _with_softmax(model, *rest):
    return my_train_step(nn.Sequential(model, nn.Softmax(1)), *rest)


STEP_MISTAKES = {  # those of order, a step too early or missing, are found by what is called when
    "hint_cleared_too_late": lambda *_: None,  # no weight moves
    "hint_gradients_pile_up": _without_zero_grad,
    "hint_softmax_twice": _with_softmax,
}


class _Step(NamedTuple):
    """What a function did with a batch: what it returned, the weights after it, and its calls."""

    loss: object
    weights: torch.Tensor
    called: list


def _practise(function, options, sandbox: Sandbox):
    """A _Step for each of BATCHES, from the same start."""
    torch.default_generator.manual_seed(1)
    model, steps, called = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), [], sandbox.strangers
    batches = [(torch.rand(n, 1, 28, 28), torch.randint(10, (n,))) for n in BATCHES]
    model.register_forward_hook(lambda *_: called.append("forward"))
    model[1].weight.register_hook(lambda _: called.append("backward"))
    optimizer = torch.optim.SGD(model.parameters(), **options)
    optimizer.register_step_pre_hook(lambda *_: called.append("step"))
    sandbox.given = model, optimizer
    for batch in batches:
        called.clear()
        loss = function(model, *batch, optimizer)
        weights = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        steps.append(_Step(loss, weights, called.copy()))
    return steps


class StepQuestion:
    """Asks for a function that makes one step of training and returns the loss."""

    def judge(self, function: Callable, sandbox: Sandbox) -> tuple[str, str]:
        """(mark, sentence) for a training step: its weights and losses, compared with the right."""
        check_callable(function, my_train_step)
        with sandbox.preparing():  # the first optimizer imports much of torch
            material = [_practise(my_train_step, options, sandbox) for options in OPTIMIZERS]
        for options, right in zip(OPTIMIZERS, material):
            found = _practise(function, options, sandbox)
            if all(is_blank(step.loss) and not step.called for step in found):
                raise Slip(text("check_blank"))
            for number, (step, expected) in enumerate(zip(found, right), 1):
                if not are_equal(step.weights, expected.weights, 1e-4):
                    return "✗", _weights_hint(function, found, options, number, sandbox)
                if is_blank(step.loss):
                    return "✗", text("hint_no_loss")
                loss, expected_loss = read_number(step.loss), expected.loss.item()
                if not are_equal(loss, expected_loss, 1e-4):
                    shown = {"found": f"{loss:.4f}", "right": f"{expected_loss:.4f}"}
                    return "✗", text("hint_other_loss", **shown)
        return "✓", text("why_step", n=len(BATCHES))


def _weights_hint(function, found, options, number, sandbox):
    """Why the weights of a step are not the right ones."""
    if method := _uncalled_method(function):
        return text("hint_not_called", method=method)
    key = _order_hint(found[number - 1].called)
    for known, mistake in () if key else STEP_MISTAKES.items():
        same = _practise(mistake, options, sandbox)
        if all(are_equal(a.weights, b.weights, 1e-4) for a, b in zip(found, same)):
            key = known
    return text(key or "hint_five_steps", n=number)


def _uncalled_method(function):
    """The first method that a function names on a line of its own, and does not call, or ""."""
    for named, after in pairwise(dis.get_instructions(getattr(function, "__code__", ""))):
        if named.opname == "LOAD_ATTR" and after.opname == "POP_TOP":
            return named.argval
    return ""


def _order_hint(called):
    """The key of the hint on what is missing or in the wrong place, or None."""
    if any(isinstance(one, nn.Module) for one in called):
        return "hint_other_network"
    if "backward" not in called:
        return "hint_no_backward"
    if any(isinstance(one, Optimizer) for one in called):
        return "hint_other_optimizer"
    if "step" not in called:
        return "hint_no_step"
    return "hint_step_first" if called.index("step") < called.index("backward") else None


QUESTIONS = {
    "untrained_loss": NumberQuestion(
        math.log(10),
        "why_loss",
        {"hint_chance": 0.1, "hint_chance_wrong": 0.9, "hint_digits": 10, "hint_log10": 1}
        | {"hint_log2": math.log2(10), "hint_sign": -math.log(10)},
        "hint_loss",
        tolerance=0.01,
    ),
    "batches_per_epoch": NumberQuestion(
        469,
        "why_batches",
        {"hint_last_batch": 468, "hint_whole_batches": 468.75, "hint_test_set": 79}
        | {"hint_pictures": 60_000, "hint_batch_size": 128},
        "hint_batches",
        {"whole": 468},
    ),
    "my_train_step": StepQuestion(),
}
