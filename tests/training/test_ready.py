"""The check of the day before: a line for each thing, and a sentence for what is missing."""

import json

import pytest

import lenet_helpers as lh
from notebooks.support.data import mnist
from notebooks.support.training import ready


@pytest.fixture
def require(monkeypatch, tmp_path):
    """Has the project require this alone, a line of requirements.txt."""

    def require(line):
        (tmp_path / "requirements.txt").write_text(line)
        monkeypatch.setattr(ready, "PROJECT", tmp_path)

    return require


@pytest.mark.parametrize("line, words", [("torch>=99", "torch.*>=99"), ("not-there", "not-there")])
def test_what_is_too_old_or_missing_is_named(require, line, words):
    require(line)
    with pytest.raises((ValueError, ImportError), match=words):
        ready.check_packages()


@pytest.mark.parametrize("found, words", [(None, "lacks"), ("0.1.0", "0.1.0 in the browser")])
def test_a_page_without_the_widgets(monkeypatch, tmp_path, found, words):
    if found:
        for folder in ready.PAGE.values():
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / "package.json").write_text(json.dumps({"version": found}))
    monkeypatch.setattr(ready, "jupyter_path", lambda *_: [str(tmp_path)])
    with pytest.raises(ValueError, match=f"anywidget.*{words}|{words}.*anywidget"):
        ready.check_page()


def test_ready_prints_a_line_each_and_raises_nothing(monkeypatch, capsys, require, small):
    monkeypatch.setattr(ready, "load_mnist", lambda: small)
    lh.ready()
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✓", "✓", "✗", "✓"]
    monkeypatch.setattr(ready, "load_mnist", lambda: lh.Digits(*small[:2], "MNIST"))
    lh.ready()
    assert "1,797 pictures are there" in capsys.readouterr().out
    monkeypatch.setattr(ready, "load_mnist", lambda: mnist.load_mnist("no such folder"))
    require("torch>=99")
    lh.ready()
    out = capsys.readouterr().out
    assert [line[0] for line in out.splitlines() if line[0] in "✓✗"] == ["✗", "✓", "✗", "✗"]
    assert "torch is at " in out and "There is no data folder" in out
