"""What the lesson uses but does not teach, a job a file. Notebooks import `lenet_helpers`, which imports from here; nothing
here imports it, and no two files import each other.

texts       every sentence that a reader meets (texts.toml), in the language of `start`
sizes       ConvGeometry and what follows from it: the one source of truth for sizes
mnist       finds, checks and downloads MNIST, or falls back on scikit-learn's digits
files       weights and other files, written whole or not at all
inference   a model's logits and activations, the model left untouched
images      colours, numbers and tables as pictures
figures     the lesson's figures
drawing     strokes, sample drawings and MNIST's style
explorer    the widget that shows a convolution cell by cell
draw_pad    the widget to draw a digit on
panel       a training in the background, and its widget
exercises   questions, their answers and known mistakes
judging     `check`: what is said of an answer
"""
