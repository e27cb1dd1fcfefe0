"""`check` and what belongs to it: answers read, judged and kept; guesses.

judging           `check`: what is said of an answer
timed             a student's call: the room it is judged in, and its limit of time
code_exercises    those that ask for a function
number_exercises  the exercises that ask for a number, and the mistakes that are worth a hint
exercises         all of them, and the notebook that asks each
answers           the answers that were given, and `report`, which prints them
reading           an answer read, compared, and written in few characters
guesses           a guess before a run, shown beside what came out
questions         those that need more than a number
"""

from .answers import report
from .guesses import guess, reveal
from .judging import check
from .questions.mystery import mystery_trainings
from .questions.strokes import stroke_picture

__all__ = ["check", "guess", "mystery_trainings", "report", "reveal", "stroke_picture"]
