"""What each notebook asks, as its cells do: for numbers in its .toml, then for code in its .py,
whose QUESTIONS is {name: an object whose `judge(answer, sandbox)` returns (mark, sentence)}.

nb01_padding_stride_kernel  a convolution written out; a kernel that marks strokes
nb02_output_size            the formula of the output's size
nb04_train_lenet5           a step of training
nb06_break_it               the five trainings, with a fault each
nb07_next_lesson            a small network
"""

from pathlib import Path

from ..number import read_questions
from .nb01_padding_stride_kernel import QUESTIONS as CODE_01
from .nb02_output_size import QUESTIONS as CODE_02
from .nb04_train_lenet5 import QUESTIONS as CODE_04
from .nb07_next_lesson import QUESTIONS as CODE_07

CODE = {"01": CODE_01, "02": CODE_02, "04": CODE_04, "07": CODE_07}
NOTEBOOKS = {  # {"00_demo": its questions, ...}
    path.stem: read_questions(path) | CODE.get(path.stem[:2], {})
    for path in sorted(Path(__file__).parent.glob("*.toml"))
}
QUESTIONS = {name: each for asked in NOTEBOOKS.values() for name, each in asked.items()}
EXAMPLE = "window_pixels"  # notebooks 00 and 01 answer it, to show how; it is no homework
HOMEWORK = [name for name in QUESTIONS if name != EXAMPLE]  # what `report` lists, in its order
