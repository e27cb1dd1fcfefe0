"""A training: what was asked for, the check before class, the command line.

run        a training in the background, which its panel shows
plan       what a training was asked for, checked before it begins
installed  the packages that are installed, and their parts for the page
command    the command line's options
"""

from .command import command_parser
from .installed import check_packages, check_page
from .plan import TrainingPlan, usual_batch_size
from .run import TrainingRun, threads_beside_the_kernel

__all__ = [
    "TrainingPlan",
    "TrainingRun",
    "check_packages",
    "check_page",
    "command_parser",
    "threads_beside_the_kernel",
    "usual_batch_size",
]
