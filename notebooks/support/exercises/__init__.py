"""`check` and what belongs to it: answers read, judged and kept; guesses.

check      `check`: what is said of an answer
sandbox    a student's call: the room it is judged in, and its limit of time
function   those that ask for a function
number     the exercises that ask for a number, and the mistakes that are worth a hint
exercises  all of them, and the notebook that asks each
answers    the answers that were given, and `report`, which prints them
values     an answer read, compared, and written in few characters
guesses    a guess before a run, shown beside what came out
questions  those that need more than a number
"""

from .answers import report
from .guesses import guess, reveal
from .check import check
from .questions.nb05_break_it import mystery_trainings
from .questions.nb01_padding_stride_kernel import stroke_picture

__all__ = ["check", "guess", "mystery_trainings", "report", "reveal", "stroke_picture"]
