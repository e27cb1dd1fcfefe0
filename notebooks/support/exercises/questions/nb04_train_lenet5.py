"""What notebook 04 asks for in code: a step of training."""

import re
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from ...words.texts import text
from ..function import check_callable
from ..sandbox import Sandbox, Stranger, only
from ..values import Slip, are_equal, is_blank, read_number

OPTIMIZERS = {"lr": 0.1}, {"lr": 0.02, "momentum": 0.9}
BATCHES = 8, 8, 5  # the pictures of each
ORDERS = {  # of the calls of a step, z(ero_grad), f(orward), b(ackward), s(tep): the hint
    "[^b]*": "hint_no_backward",
    "[^s]*": "hint_no_step",
    "[^b]*s.*": "hint_step_first",
    ".*bz.*": "hint_cleared_too_late",
    "[^z]*": "hint_gradients_pile_up",
}


def my_train_step(model, images, labels, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


def _with_softmax(model, *rest):
    return my_train_step(nn.Sequential(model, nn.Softmax(1)), *rest)


class _Step(NamedTuple):
    """What a function did with a batch: what it returned, the weights after it, and its calls."""

    loss: object
    weights: torch.Tensor
    calls: str  # as in ORDERS


def _practise(function, options):
    """A _Step for each of BATCHES, from the same start."""
    torch.default_generator.manual_seed(1)
    model, steps, calls = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), [], []
    batches = [(torch.rand(n, 1, 28, 28), torch.randint(10, (n,))) for n in BATCHES]
    optimizer = torch.optim.SGD(model.parameters(), **options)
    for owner, method in (
        *((model, "zero_grad"), (model, "forward")),
        *((optimizer, "zero_grad"), (optimizer, "step")),
    ):
        setattr(owner, method, _noted(getattr(owner, method), method[0], calls))
    model[1].weight.register_hook(lambda _: calls.append("b"))
    with only(model, optimizer):
        for batch in batches:
            calls.clear()
            loss = function(model, *batch, optimizer)
            weights = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
            steps.append(_Step(loss, weights, "".join(calls)))
    return steps


def _noted(method, letter, calls):
    """A method that adds its letter to the calls."""

    def noted(*args, **options):
        calls.append(letter)
        return method(*args, **options)

    return noted


class StepQuestion:
    """Asks for a function that makes one step of training and returns the loss."""

    def judge(self, function: Callable, sandbox: Sandbox) -> tuple[str, str]:
        """(mark, sentence) for a training step: its weights and losses, compared with the right."""
        check_callable(function, my_train_step)
        with sandbox.preparing():  # the first optimizer imports much of torch
            material = [_practise(my_train_step, options) for options in OPTIMIZERS]
        for options, right in zip(OPTIMIZERS, material):
            try:
                found = _practise(function, options)
            except Stranger as error:
                network = isinstance(error.args[0], nn.Module)
                return "✗", text("hint_other_network" if network else "hint_other_optimizer")
            if all(is_blank(step.loss) and not step.calls for step in found):
                raise Slip(text("check_blank"))
            for number, (step, expected) in enumerate(zip(found, right), 1):
                if not are_equal(step.weights, expected.weights, 1e-4):
                    return "✗", _weights_hint(found, options, number)
                if is_blank(step.loss):
                    return "✗", text("hint_no_loss")
                loss, expected_loss = read_number(step.loss), expected.loss.item()
                if not are_equal(loss, expected_loss, 1e-4):
                    shown = {"found": f"{loss:.4f}", "right": f"{expected_loss:.4f}"}
                    return "✗", text("hint_other_loss", **shown)
        return "✓", text("why_step", n=len(BATCHES))


def _weights_hint(found, options, number):
    """Why the weights of a step are not the right ones."""
    for order, key in ORDERS.items():
        if re.fullmatch(order, found[number - 1].calls):
            return text(key)
    same = zip(found, _practise(_with_softmax, options))
    softmax = all(are_equal(a.weights, b.weights, 1e-4) for a, b in same)
    return text("hint_softmax_twice" if softmax else "hint_five_steps", n=number)


QUESTIONS = {"my_train_step": StepQuestion()}
