import math

import pytest

import lenet_helpers as lh
from notebooks.support.exercises import answers
from notebooks.support.exercises.sandbox import Sandbox


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The file of answers."""
    monkeypatch.setattr(answers, "MY_ANSWERS", tmp_path / "mine" / "my_answers.json")
    return answers.MY_ANSWERS


@pytest.fixture
def said(capsys, monkeypatch):
    """Calls check, or report; returns what is printed."""
    monkeypatch.setattr(Sandbox, "PATIENCE", math.inf)

    def call(*answer, do=lh.check):
        capsys.readouterr()
        assert do(*answer) is None
        out, err = capsys.readouterr()
        assert not err
        return out.strip()

    return call


@pytest.fixture
def wrong(said):
    """Checks each answer of a table {answer: words}: one line, with this mark and these words."""

    def check_all(name, table, mark="✗"):
        for answer, words in table.items():
            line = said(name, answer)
            assert line.startswith(f"{mark} {name}: ") and words in line, line
            assert "\n" not in line and len(line) < 400

    return check_all
