"""The exercise of notebook 04 whose answer is a training step, tried on small networks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from .reading import are_equal, is_blank, read_number
from .texts import text

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


def _five_steps(model, images, labels, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


def _without_zero_grad(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


def _with_softmax(model, images, labels, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images).softmax(1), labels)
    loss.backward()
    optimizer.step()
    return loss


STEPS = {  # notebook 04
    "my_train_step": StepExercise(
        _five_steps,
        {"hint_gradients_pile_up": _without_zero_grad, "hint_softmax_twice": _with_softmax},
    )
}


class _Watched(torch.optim.SGD):
    """An optimizer that writes down what is called."""

    def __init__(self, parameters, called: list[str], **options):
        super().__init__(parameters, **options)
        self._called = called

    def zero_grad(self, *args, **options):
        self._called.append("zero_grad")
        super().zero_grad(*args, **options)

    def step(self, closure=None):
        self._called.append("step")
        return super().step(closure)


class _Step(NamedTuple):
    """What a function did with a batch: what it returned, the weights after it, and its calls."""

    loss: object
    weights: torch.Tensor
    called: list[str]


def _practise(function, options):
    """A _Step for each of BATCHES, from the same start, the random numbers of others left alone."""
    generator, called, steps = torch.Generator().manual_seed(1), [], []
    layer = nn.utils.skip_init(nn.Linear, 784, 10)
    for parameter in layer.parameters():
        parameter.data.normal_(0, 0.05, generator=generator)
    model = nn.Sequential(nn.Flatten(), layer)
    model.register_forward_hook(lambda *_: called.append("forward"))
    layer.weight.register_hook(lambda _: called.append("backward"))
    optimizer = _Watched(model.parameters(), called, **options)
    for n in BATCHES:
        images = torch.rand(n, 1, 28, 28, generator=generator)
        labels = torch.randint(10, (n,), generator=generator)
        loss = function(model, images, labels, optimizer)
        weights = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        steps.append(_Step(loss, weights, called.copy()))
        called.clear()
    return steps


def judge_step(exercise: StepExercise, function: Callable) -> tuple[str, str]:
    """(mark, sentence) for a training step: compared with the five steps, weights and losses."""
    for options in OPTIMIZERS:
        found, right = _practise(function, options), _practise(exercise.right, options)
        if all(is_blank(step.loss) and not step.called for step in found):
            return "…", text("check_blank")
        for number, (step, expected) in enumerate(zip(found, right), 1):
            if not are_equal(step.weights, expected.weights, 1e-4):
                return "✗", _weights_hint(exercise, found, options, number)
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


def _weights_hint(exercise, found, options, number):
    """Why the weights of a step are not the right ones."""
    key = _order_hint(found[number - 1].called)
    for known, mistake in () if key else exercise.mistakes.items():
        same = _practise(mistake, options)
        if all(are_equal(a.weights, b.weights, 1e-4) for a, b in zip(found, same)):
            key = known
    return text(key or "hint_five_steps", n=number)


def _order_hint(called):
    """The key of the hint on what is missing or in the wrong place, or None."""
    if "backward" not in called:
        return "hint_no_backward"
    if "step" not in called:
        return "hint_no_step"
    backward, step = called.index("backward"), called.index("step")
    if step < backward:
        return "hint_step_first"
    if "zero_grad" in called[backward:step]:
        return "hint_cleared_too_late"
    return None
