"""What the lesson uses but does not teach, in wings; each wing's `__init__` lists its files.

Arrows go down only: what stands below never imports what stands above, nor do two wings on one
line import each other. Above all of them: notebooks -> lenet_helpers, and pages -> lenet_helpers.

exercises, training  `check` and its questions; the training run, the check before class
widgets              explorer, draw pad, training panel, downhill, softmax
figures              the lesson's pictures
network              a network's layers, activations, copies
data                 MNIST, drawings, pictures of other kinds, own digits
checks, files, sizes  what a function is given; paths and whole writes; ConvGeometry
words                every sentence and label, in both languages
"""

import os
import sys

if sys.platform == "darwin":
    # torch and scikit-learn bring an OpenMP each; on macOS the second to be loaded ends Python
    os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
