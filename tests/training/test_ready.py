"""The check of the day before: a line for each thing, and a sentence for what is missing."""

import importlib.metadata
import json

import pytest

import lenet_helpers as lh
from notebooks.support.data import mnist
from notebooks.support.training import ready


@pytest.fixture
def versions(monkeypatch):
    """Gives a dict: what it names is installed in that version, or, with None, is not there."""
    changed, real = {}, importlib.metadata.version

    def version(name):
        found = changed[name] if name in changed else real(name)
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(importlib.metadata, "version", version)
    return changed


@pytest.mark.parametrize("name, version", [("anywidget", "0.8.1"), ("matplotlib", None)])
def test_what_is_too_old_or_missing_is_named(versions, name, version):
    versions[name] = version
    words = f"{version}.*>=0.9" if version else ""
    with pytest.raises((ValueError, ImportError), match=f"{name}.*{words}"):
        ready.check_packages()


@pytest.mark.parametrize("found, words", [(None, "lacks"), ("0.1.0", "0.1.0 in the browser")])
def test_a_page_without_the_widgets(monkeypatch, tmp_path, found, words):
    if found:
        for folder in ready.PAGE.values():
            (tmp_path / folder).mkdir(parents=True)
            content = json.dumps({"version": found})
            (tmp_path / folder / "package.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(ready, "jupyter_path", lambda *_: [str(tmp_path)])
    with pytest.raises(ValueError, match=f"anywidget.*{words}|{words}.*anywidget"):
        ready.check_page()


def test_ready_prints_a_line_each_and_raises_nothing(monkeypatch, capsys, versions, small):
    monkeypatch.setattr(ready, "load_mnist", lambda: small)
    lh.ready()
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✓", "✓", "✗", "✓"]
    monkeypatch.setattr(ready, "load_mnist", lambda: lh.Digits(*small[:2], "MNIST"))
    lh.ready()
    assert "1,797 pictures are there" in capsys.readouterr().out
    monkeypatch.setattr(ready, "load_mnist", lambda: mnist.load_mnist("no such folder"))
    versions["torch"] = "1.0"
    lh.ready()
    out = capsys.readouterr().out
    assert [line[0] for line in out.splitlines() if line[0] in "✓✗"] == ["✗", "✓", "✗", "✗"]
    assert "torch is at 1.0" in out and "There is no data folder" in out
