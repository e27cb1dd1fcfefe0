"""A training: what was asked for, the check before class, the command line.

bar      a training within a cell, with a progress bar
run      a training in the background, which its panel shows
plan     what a training was asked for, checked before it begins
ready    the check before class: packages, their parts for the page, data, the trained network
command  the command line's options
"""

from .bar import train_with_bar
from .command import command_parser
from .plan import TrainingPlan
from .ready import print_checks
from .run import TrainingRun, threads_beside_the_kernel
