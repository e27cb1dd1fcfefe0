"""The challenge of notebook 06: a small network, tested on pictures that are to be held out."""

import math
from dataclasses import dataclass

from torch import nn

from ...checks import check_argument
from ...data.mnist import Digits, load_mnist
from ...network.inference import as_input, predict_logits, snapshot
from ...words.texts import text
from ..sandbox import Room
from ..values import Slip, is_blank

GUESSING = 0.2  # no accuracy of a network that has learned anything


@dataclass(frozen=True)
class NetworkExercise:
    """A question whose answer is a network with fewer than `parameters` parameters that reads a
    share `accuracy` (by the data's source) of the pictures to be held out from the training set:
    its last `held_out`, or the last quarter of a small one."""

    parameters: int
    held_out: int
    accuracy: dict[str, float]
    material = staticmethod(lambda room: load_mnist())  # which takes some time


NETWORKS = {  # notebook 06
    "my_network": NetworkExercise(10_000, 5000, {"MNIST": 0.985, "scikit-learn": 0.975})
}


def judge_network(exercise, model: nn.Module, room: Room, digits: Digits) -> tuple[str, str]:
    """(mark, sentence) for a network; the sentence has its numbers, and what is missing."""
    images, labels = digits.train.tensors
    n = min(exercise.held_out, len(images) // 4)
    images, labels = images[-n:], labels[-n:]
    try:
        twin = snapshot(check_argument("model", model))
    except TypeError as error:
        raise Slip(error) from None
    try:
        room.given = (twin,)
        made = twin(as_input(twin, images[:1]))
        sizes = {name: parameter.numel() for name, parameter in twin.named_parameters()}
        if is_blank(made) and not sizes:
            return "…", text("check_blank")
        unregistered = bool(room.strangers) or not sizes
        right = (predict_logits(twin, images).argmax(1) == labels).sum().item()
    except (TypeError, ValueError) as error:  # no ten logits
        return "✗", str(error)
    size, least = sum(sizes.values()), exercise.accuracy[digits.source]
    wanted = math.ceil(round(least * n, 6))
    said = []
    if unregistered:
        said.append(text("network_unregistered", size=size))
    if size >= exercise.parameters:
        largest = max(sizes, key=sizes.get)
        numbers = {"most": exercise.parameters, "name": largest, "largest": sizes[largest]}
        said.append(text("network_too_large", **numbers))
    if right < wanted:
        key = "network_guesses" if right < GUESSING * n else "network_short"
        said.append(text(key, least=least, missing=wanted - right))
    numbers = {"size": size, "right": right, "n": n, "source": digits.source, "accuracy": right / n}
    found = text("network_found", **numbers)
    return "✗" if said else "✓", " ".join([found, *(said or [text("why_network")])])
