"""A guess before a run, shown beside what came out."""

import difflib

from ..words.texts import text
from .values import is_blank, read_number, say

# What can be guessed, and its unit: "%" where the result is a share in [0, 1], "" for a number.
GUESSES = {
    "moved_digits": "",  # notebook 00
    "windows_of_stride_2": "",  # 02
    "pooled_size": "",
    "epoch1_accuracy": "%",  # 04
    "shuffled_accuracy": "%",  # 05
    "most_parameters": "%",
    "zero_loss": "",  # 06
    "hundred_accuracy": "%",
    "shifted_accuracy": "%",  # 07
    "augmented_mistakes": "",
    "others_accuracy": "%",
    "own_accuracy": "%",
}
_guessed: dict[str, float] = {}


def guess(name: str, value=...) -> None:
    """Keeps a guess until `reveal` shows it, and prints one line; `...` is none yet. value: a
    number; for a share per cent, 80 or "80%" and not 0.8. Notebooks 00, 02 and 04 to 07.

        lh.guess("epoch1_accuracy", 80)  # before a run
    """
    if not isinstance(name, str) or name not in GUESSES:
        near = difflib.get_close_matches(str(name), GUESSES, n=3, cutoff=0)
        say("✗", text("guess_unknown", names=", ".join(near)))
    elif is_blank(value):
        _guessed.pop(name, None)
        say("…", text("guess_blank", name=name))
    else:
        number = _read(value)
        if number is None or GUESSES[name] and not (number == 0 or 1 <= number <= 100):
            say("✗", text("guess_percent" if GUESSES[name] else "guess_number", name=name))
        else:
            _guessed[name] = number
            say("✓", text("guess_kept", name=name, value=_shown(name, number)))


def reveal(name: str, actual: float) -> None:
    """Prints the guess beside what came out, `actual`: a share in [0, 1] where the unit is "%", a
    number elsewhere. Notebooks 00, 02 and 04 to 07.

        lh.reveal("epoch1_accuracy", history[0].accuracy)  # You guessed 80%; it is 96.3%.
    """
    result = _shown(name, round(100 * actual, 1) if GUESSES[name] else actual)
    if name in _guessed:
        say(text("guess_result", value=_shown(name, _guessed[name]), actual=result))
    else:
        say(text("guess_none", actual=result))


def _read(value):
    """A guess as a number, or None."""
    try:
        return read_number(float(value.strip().rstrip("%％")) if isinstance(value, str) else value)
    except ValueError:
        return None


def _shown(name, number):
    return f"{float(number):.6g}{GUESSES[name]}"
