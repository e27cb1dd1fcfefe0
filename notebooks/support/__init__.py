"""What the lesson uses but does not teach, one job a file.

Imports go one way: notebooks -> lenet_helpers -> here. Nothing here imports `lenet_helpers`, and no
two files import each other. A name that other files use has no underscore.

texts       every sentence that a reader meets (texts.toml), in the language of `start`
labels      words in figures, in that language where there is a font for it
sizes       ConvGeometry and what follows from it: the one source of truth for sizes
checks      the door of every public function: what it is given
files       paths as people type them; weights and other files, written whole or not at all
data_files  MNIST's files in a folder, found and checked by their content
mnist       MNIST from files, downloaded, or scikit-learn's digits
pictures    a picture of any kind as a table of numbers
forward     what a model's forward gives, and whether it can learn
copies      copies of a model: to run, to train, and to hand back what was learned
calls       a model's own pass: what each layer took and made
inference   a model's logits and activations, the model left untouched
layers      a table of a model's layers, sizes and costs, which is true or refused
images      colours, and numbers, tables and maps as images
figures     the lesson's figures
diagram     a network as a diagram
patches     what each map of a layer looks for
explain     why a cell of a feature map has its value
drawing     strokes, sample drawings (drawing.json) and MNIST's style
own_digits  drawings that a reader keeps, as a dataset
number_exercises  the exercises that ask for a number, and the mistakes that are worth a hint
code_exercises  those that ask for a function
strokes     a picture of strokes, and what a kernel marks in it
train_step  the one that asks for a step of training
small_net   the one that asks for a small network
exercises   all of them, and the notebook that asks each
reading     an answer read, compared, and written in few characters
answers     the answers that were given, and `report`, which prints them
judging     `check`: what is said of an answer
timed       a student's call: the room it is judged in, and its limit of time
mystery     notebook 05's five trainings with a fault each
guesses     a guess before a run, shown beside what came out
command     the command line: options, and Ctrl-C
installed   the packages that are installed, and their parts for the page
explorer    widget: a convolution, cell by cell
draw_pad    widget: draw a digit, see what a network makes of it
plan        what a training was asked for, checked before it begins
panel       widget: a training in the background
downhill    widget: one step of gradient descent
softmax     widget: scores, shares and the loss
page        00_demo.html: draw pad and explorer without Python (page.js, lenet5.js)
"""

import os
import sys

if sys.platform == "darwin":
    # torch and scikit-learn bring an OpenMP each; on macOS the second to be loaded ends Python
    os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
