"""The exercise of notebook 04 whose answer is a training step, tried on small networks."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from ...words.texts import text
from ..sandbox import Room
from ..values import are_equal, is_blank, read_number, uncalled_method

OPTIMIZERS = {"lr": 0.1}, {"lr": 0.02, "momentum": 0.9}
BATCHES = 8, 8, 5  # the pictures of each


@dataclass(frozen=True)
class StepExercise:
    """A question whose answer is a function that makes one step of training and returns the loss.

    mistakes: key of the hint: a function with this mistake; those of order, a step too early or
    missing, are found by what is called when.
    """

    right: Callable
    mistakes: dict[str, Callable]
    why: str = "why_step"

    def material(self, room: Room) -> list[list["_Step"]]:
        """The right steps with each of OPTIMIZERS; the first one imports much of torch."""
        return [_practise(self.right, options, room) for options in OPTIMIZERS]


def _five_steps(model, images, labels, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


def _without_zero_grad(model, images, labels, optimizer):
    forgetful = SimpleNamespace(zero_grad=lambda: None, step=optimizer.step)
    return _five_steps(model, images, labels, forgetful)


def _with_softmax(model, *rest):
    return _five_steps(nn.Sequential(model, nn.Softmax(1)), *rest)


STEPS = {  # notebook 04
    "my_train_step": StepExercise(
        _five_steps,
        {
            "hint_cleared_too_late": lambda *_: None,  # no weight moves
            "hint_gradients_pile_up": _without_zero_grad,
            "hint_softmax_twice": _with_softmax,
        },
    )
}


class _Step(NamedTuple):
    """What a function did with a batch: what it returned, the weights after it, and its calls, with
    the networks and optimizers that it was not given."""

    loss: object
    weights: torch.Tensor
    called: list


def _practise(function, options, room):
    """A _Step for each of BATCHES, from the same start."""
    torch.default_generator.manual_seed(1)
    model, steps, called = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), [], room.strangers
    batches = [(torch.rand(n, 1, 28, 28), torch.randint(10, (n,))) for n in BATCHES]
    model.register_forward_hook(lambda *_: called.append("forward"))
    model[1].weight.register_hook(lambda _: called.append("backward"))
    optimizer = torch.optim.SGD(model.parameters(), **options)
    optimizer.register_step_pre_hook(lambda *_: called.append("step"))
    room.given = model, optimizer
    for batch in batches:
        called.clear()
        loss = function(model, *batch, optimizer)
        weights = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        steps.append(_Step(loss, weights, called.copy()))
    return steps


def judge_step(exercise, function: Callable, room: Room, material: list) -> tuple[str, str]:
    """(mark, sentence) for a training step: compared with the five steps, weights and losses."""
    for options, right in zip(OPTIMIZERS, material):
        found = _practise(function, options, room)
        if all(is_blank(step.loss) and not step.called for step in found):
            return "…", text("check_blank")
        for number, (step, expected) in enumerate(zip(found, right), 1):
            if not are_equal(step.weights, expected.weights, 1e-4):
                return "✗", _weights_hint(exercise, function, found, options, number, room)
            if is_blank(step.loss):
                return "✗", text("hint_no_loss")
            try:
                loss, expected_loss = read_number(step.loss), expected.loss.item()
            except ValueError as error:
                return "✗", str(error)
            if not are_equal(loss, expected_loss, 1e-4):
                shown = {"found": f"{loss:.4f}", "right": f"{expected_loss:.4f}"}
                return "✗", text("hint_other_loss", **shown)
    return "✓", text(exercise.why, n=len(BATCHES))


def _weights_hint(exercise, function, found, options, number, room):
    """Why the weights of a step are not the right ones."""
    if method := uncalled_method(function):
        return text("hint_not_called", method=method)
    key = _order_hint(found[number - 1].called)
    for known, mistake in () if key else exercise.mistakes.items():
        same = _practise(mistake, options, room)
        if all(are_equal(a.weights, b.weights, 1e-4) for a, b in zip(found, same)):
            key = known
    return text(key or "hint_five_steps", n=number)


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
