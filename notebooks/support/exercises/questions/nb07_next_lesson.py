"""What notebook 07 asks for in code: a small network, tested on held-out pictures."""

import math

from torch import nn

from ...checks import check_argument
from ...data.mnist import load_mnist
from ...network.copies import snapshot
from ...network.predictions import as_input, predict_logits
from ...words.texts import text
from ..sandbox import Sandbox, Stranger, only
from ..values import Slip, is_blank

PARAMETERS = 10_000  # the small network has fewer
HELD_OUT = 5000  # the last pictures of the training set, or the last quarter of a small one
ACCURACY = {"MNIST": 0.985, "scikit-learn": 0.975}  # wanted on them, by the data's source
GUESSING = 0.2  # no accuracy of a network that has learned anything


class NetworkQuestion:
    """Asks for a small network that reads most of the pictures that were to be held out."""

    def judge(self, model: nn.Module, sandbox: Sandbox) -> tuple[str, str]:
        """(mark, sentence) for a network; the sentence has its numbers, and what is missing."""
        with sandbox.preparing():
            digits = load_mnist()
        n = min(HELD_OUT, len(digits.train) // 4)
        images, labels = (tensor[-n:] for tensor in digits.train.tensors)
        try:
            twin = snapshot(check_argument("model", model))
        except TypeError as error:
            raise Slip(error) from None
        sizes = {name: parameter.numel() for name, parameter in twin.named_parameters()}
        numbers = {"size": sum(sizes.values()), "n": n}
        try:
            with only(twin):
                given = twin(as_input(twin, images[:1]))
        except Stranger:
            return "✗", text("network_unregistered", **numbers)
        if is_blank(given) and not sizes:
            raise Slip(text("check_blank"))
        try:
            right = (predict_logits(twin, images).argmax(1) == labels).sum().item()
        except (TypeError, ValueError) as error:  # no ten logits
            return "✗", str(error)
        numbers |= {"right": right, "accuracy": right / n}
        found = text("network_found", source=digits.source, **numbers)
        said = [] if sizes else [text("network_unregistered", **numbers)]
        if numbers["size"] >= PARAMETERS:
            largest = max(sizes, key=sizes.get)
            shown = {"most": PARAMETERS, "name": largest, "largest": sizes[largest]}
            said.append(text("network_too_large", **shown))
        least = ACCURACY[digits.source]
        if (missing := math.ceil(round(least * n, 6)) - right) > 0:
            key = "network_guesses" if right < GUESSING * n else "network_short"
            said.append(text(key, least=least, missing=missing))
        return "✗" if said else "✓", " ".join([found, *(said or [text("why_network")])])


QUESTIONS = {"my_network": NetworkQuestion()}
