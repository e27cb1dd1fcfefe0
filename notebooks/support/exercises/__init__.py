"""`check` and what belongs to it: answers read, judged and kept; guesses.

check      `check`: what is said of an answer
sandbox    where an answer is judged: a thread, the limit of time, the session left as it was
number     questions whose answer is a number: judged, with their known mistakes
function   questions whose answer is a function: tried on many cases
values     an answer read as a number or tensor, compared, and shown in few characters
answers    who keeps the answers that were given, and `report`, which prints them
collect    `collect`: a class's reports, as students sent them, in one table, for the teacher
guesses    a guess before a run, shown beside what came out
questions  what is asked, and the known mistakes: a file a notebook
"""

from .answers import report
from .check import check
from .collect import collect
from .guesses import guess, reveal
from .questions.nb01_padding_stride_kernel import stroke_picture
from .questions.nb06_break_it import mystery_trainings
