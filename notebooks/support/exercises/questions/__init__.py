"""What each notebook asks: a file each, with the questions as they stand there.

A file's QUESTIONS is {name: an object whose `judge(answer, sandbox)` returns (mark, sentence)}.

nb00_demo                   how many pixels a cell sees
nb01_padding_stride_kernel  padding; a convolution written out; a kernel that marks strokes
nb02_output_size            the formula of the output's size, and every mistake with it
nb03_lenet5                 what arrives at F5; parameters
nb04_train_lenet5           batches, the first loss, a step of training
nb05_look_inside            reach and work of C3
nb06_break_it               five trainings with a fault each
nb07_next_lesson            frozen parameters, a small network
"""

from importlib import import_module
from pkgutil import iter_modules

NOTEBOOKS = {  # {"00_demo": its questions, ...}
    file.name.removeprefix("nb"): import_module(f"{__name__}.{file.name}").QUESTIONS
    for file in iter_modules(__path__)
}
QUESTIONS = {name: each for asked in NOTEBOOKS.values() for name, each in asked.items()}
EXAMPLE = "window_pixels"  # notebooks 00 and 01 answer it, to show how; it is no homework
HOMEWORK = [name for name in QUESTIONS if name != EXAMPLE]  # what `report` lists, in its order
