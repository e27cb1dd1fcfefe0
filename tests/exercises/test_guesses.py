"""A guess is kept, shown beside the result, and told what is wrong with it."""

import numpy as np
import pytest
import torch

from notebooks.support.exercises import guesses
from notebooks.support.words import texts


@pytest.mark.parametrize("value, shown", [(80, "80%"), ("80%", "80%"), ("97.5 ％", "97.5%"),
                                          (np.float32(3.25), "3.25%"), (torch.tensor(0), "0%")])  # fmt: skip
def test_a_guess_stands_beside_what_came_out(value, shown, capsys):
    texts.use("zh")
    guesses.guess("epoch1_accuracy", value)
    assert shown in capsys.readouterr().out
    guesses.reveal("epoch1_accuracy", 0.96349)
    assert capsys.readouterr().out == f"你猜 {shown}，实际 96.3%。\n"


def test_no_guess_and_what_is_no_guess(capsys):
    texts.use("en")
    guesses.guess("epoch1_accuracy", 80)
    guesses.guess("epoch1_accuracy", ...)  # taken back
    for value in (0.8, -1, 101, True, "many", float("nan"), [1, 2], 10**400):
        capsys.readouterr()
        guesses.guess("epoch1_accuracy", value)
        assert "a number from 0 to 100" in capsys.readouterr().out, value
    guesses.reveal("epoch1_accuracy", 1.0)
    assert capsys.readouterr().out == "You made no guess; it is 100%.\n"
    guesses.guess("epoch_accuracy", 80)
    assert "epoch1_accuracy" in capsys.readouterr().out
