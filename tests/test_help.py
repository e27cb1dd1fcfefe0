"""The table of help.md, looked up with errors as they really come."""

import re
import subprocess
import sys

import pytest
import torch
from lab import PROJECT
from torch import nn

import lenet_helpers as lh
from notebooks.support.data.mnist_files import MNIST_FILES
from notebooks.support.words import texts


def rows(language):
    """[(what the first column quotes, the row)]: of the program in quotes, of others in backticks."""
    page = (PROJECT / "notebooks" / language / "help.md").read_text(encoding="utf-8")
    table = [line for line in page[page.rindex("\n## ") :].splitlines() if line.startswith("| ")]
    firsts = [row.split(" | ")[0] for row in table]
    quoted = [["".join(q) for q in re.findall(r'`([^`]+)`|"([^"]+)"|“([^”]+)”', f)] for f in firsts]
    return list(zip(quoted, table))


def alone(folder):
    """Imports the helper where there is no project; raises what is printed last."""
    command = [sys.executable, "-I", "-c", "import lenet_helpers"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    raise RuntimeError(done.stderr.splitlines()[-1])


def login_page(folder):
    for name in MNIST_FILES:
        (folder / name).write_text("<!DOCTYPE html><html></html>")
    lh.load_mnist(folder)


def no_folder(folder):
    (folder / "file").touch()
    lh.save_weights(nn.Linear(1, 1), folder / "file" / "my.pt")


ERRORS = {
    "no helper": alone,
    "nothing imported": lambda folder: exec("lh.start('en')", {}),
    "no variable": lambda folder: exec("len(digits.train)", {}),
    "no folder": lambda folder: lh.load_mnist(folder / "nowhere"),
    "no files": lh.load_mnist,
    "web page": login_page,
    "shapes": lambda folder: nn.Linear(256, 120)(torch.zeros(1, 400)),
    "no place": no_folder,
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_an_error_is_found_in_one_row(language, error, tmp_path):
    texts.use(language)
    with pytest.raises(Exception) as raised:
        ERRORS[error](tmp_path)
    message = f"{raised.type.__name__}: {raised.value}"
    found = [row for quoted, row in rows(language) if any(part in message for part in quoted)]
    assert len(found) == 1, message
