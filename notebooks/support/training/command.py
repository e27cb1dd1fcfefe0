"""The command line of `python lenet_helpers.py`: its options."""

import argparse


def command_parser() -> argparse.ArgumentParser:
    """The options; what is wrong with one is said in a line."""
    parser = argparse.ArgumentParser(
        prog="python lenet_helpers.py",
        description="Train LeNet-5 on MNIST: a line an epoch, then the test report.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.error = lambda message: parser.exit(2, f"{parser.prog}: {message} (--help explains)\n")
    option = parser.add_argument
    option("--epochs", type=int, default=20, metavar="N", help="passes over the training set")
    option("--augment", action="store_true", help="change the training pictures a little each time")
    option("--seed", type=int, default=0, metavar="S", help="start of the random numbers")
    option("--save", metavar="FILE", help="write the weights here after every epoch")
    option("--log", metavar="FILE", help="write the log here, too")
    option("--data", metavar="DIR", help="folder with MNIST (else $LENET_DATA or data/)")
    return parser
