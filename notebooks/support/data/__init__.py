"""Pictures and where they come from: MNIST, drawings, pictures of other kinds, own digits.

digits       a data set of digits; scikit-learn's small one
mnist        MNIST from files, downloaded, or scikit-learn's digits in its place
mnist_files  MNIST's four files in a folder, known by their content
pictures     a picture of any kind as a table of numbers
drawing      strokes, sample drawings (drawing.json) and MNIST's style
own_digits   drawings that a reader keeps, as a dataset
augmentation  training pictures changed a little
"""

from .augmentation import augment
from .digits import Digits, sklearn_digits
from .drawing import sample_drawing, to_mnist_style
from .mnist import data_folder, load_mnist
from .mnist_files import missing_files
from .own_digits import load_drawings
