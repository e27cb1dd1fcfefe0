"""The challenge of notebook 06: a small network, tested on pictures held out from the training."""

import math
from dataclasses import dataclass

from torch import nn

from .checks import check_argument
from .inference import as_float, predict_logits, snapshot
from .mnist import load_mnist
from .reading import is_blank
from .texts import text

GUESSING = 0.2  # no accuracy of a network that has learned anything


@dataclass(frozen=True)
class NetworkExercise:
    """A question whose answer is a network with fewer than `parameters` parameters that reads a
    share `accuracy` (by the data's source) of the pictures held out from the training set: its last
    `held_out`, or the last quarter of a small one."""

    parameters: int
    held_out: int
    accuracy: dict[str, float]
    seconds: int = 60  # the longest that the test may take


NETWORKS = {  # notebook 06
    "my_network": NetworkExercise(10_000, 5000, {"MNIST": 0.985, "scikit-learn": 0.975})
}


def judge_network(exercise: NetworkExercise, model: nn.Module) -> tuple[str, str]:
    """(mark, sentence) for a network; the sentence has its numbers, and what is missing."""
    digits = load_mnist()
    images, labels = digits.train.tensors
    n = min(exercise.held_out, len(images) // 4)
    images, labels = images[-n:], labels[-n:]
    try:
        check_argument("model", model)
        if _is_empty(model, images[:1]):
            return "…", text("check_blank")
        right = (predict_logits(model, images).argmax(1) == labels).sum().item()
    except (TypeError, ValueError) as error:  # no network, or one that gives no ten logits
        return "✗", str(error)
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    size, least = sum(sizes.values()), exercise.accuracy[digits.source]
    wanted = math.ceil(round(least * n, 6))
    said = []
    if size >= exercise.parameters:
        largest = max(sizes, key=sizes.get)
        numbers = {"most": exercise.parameters, "name": largest, "largest": sizes[largest]}
        said.append(text("network_too_large", **numbers))
    if right < wanted:
        key = "network_guesses" if right < GUESSING * n else "network_short"
        said.append(text(key, least=least, missing=wanted - right))
    numbers = {"size": size, "right": right, "n": n, "source": digits.source, "accuracy": right / n}
    found = text("network_found", **numbers)
    mark = "✗" if said else "✓"
    return mark, " ".join([found, *(said or [text("why_network")])])


def _is_empty(model, image):
    """Whether a model is the notebook's frame, with nothing in it yet."""
    return not any(True for _ in model.parameters()) and is_blank(snapshot(model)(as_float(image)))
