"""The command line of `python lenet_helpers.py`: its options, and Ctrl-C."""

import argparse
import os
import signal
import sys

from ..words.texts import text


def end_at_ctrl_c() -> None:
    """Ctrl-C ends Python with a line until `raise_at_ctrl_c`: within the import of torch, which
    takes seconds, a KeyboardInterrupt would be a page of its code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else nohup or a shell's `&`
        signal.signal(signal.SIGINT, _end)


def _end(*_):
    print(text("interrupted"), file=sys.stderr, flush=True)
    os._exit(130)  # not SystemExit: half of torch is there


def raise_at_ctrl_c() -> None:
    """Ctrl-C raises KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    option("--seed", type=int, default=0, metavar="S", help="start of the random numbers")
    option("--save", type=_path, metavar="FILE", help="write the weights here after every epoch")
    option("--log", type=_path, metavar="FILE", help="write the log here, too")
    option(
        "--data", type=_path, metavar="DIR", help="folder with MNIST (else $LENET_DATA or data/)"
    )
    return parser


def _path(typed):
    """`~` is the home folder, also where no shell makes it so (--save=~/lenet5.pt, Windows)."""
    if not typed.strip():
        raise argparse.ArgumentTypeError(text("no_path"))
    return os.path.expanduser(typed)
