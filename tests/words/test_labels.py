"""Words in figures: Chinese where there is a font, English else, and room for both."""

import ast
import itertools
import re

import matplotlib
import nbformat
import pytest
import torch
from lab import PROJECT
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg

import lenet_helpers as lh
from notebooks.support.widgets.panel import TrainingPanel
from notebooks.support.words import labels, texts
from notebooks.support.words.labels import label

CHINESE = re.compile("[\u4e00-\u9fff]")
HAS_FONT = set(labels.FONTS) & {font.name for font in font_manager.fontManager.ttflist}
needs_font = pytest.mark.skipif(not HAS_FONT, reason="no Chinese font is installed")


@pytest.fixture(autouse=True)
def own_settings():
    with matplotlib.rc_context():
        yield


@pytest.fixture
def no_font(monkeypatch):
    """Matplotlib's list without a Chinese font; gives the files of those that it had."""
    fonts = font_manager.fontManager.ttflist
    files = {font.fname for font in fonts if font.name in labels.FONTS}
    kept = [font for font in fonts if font.fname not in files]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", kept)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    return files


def test_without_a_font_figures_stay_english(no_font):
    lh.start("zh")
    assert texts.language() == "zh" and label("kernel {n}", n=3) == "kernel 3"


@needs_font
def test_a_font_that_was_installed_after_matplotlibs_first_start(no_font, monkeypatch, tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(broken), *no_font])
    lh.start("zh")
    assert label("training loss") == "训练损失"


def code():
    """All Python of the lesson, parsed: support, and the notebooks' code."""
    for path in (PROJECT / "notebooks" / "support").rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    for path in (PROJECT / "notebooks" / "zh").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield from ast.walk(ast.parse(cell.source))


def figures(model, four, small):
    """Each kind of figure that has words, by name, in the language of `start`."""
    results = lh.evaluate(model, small.test)
    panel = TrainingPanel(epochs=2)
    panel.losses, panel.accuracies = [(0.5, 1.0), (1.0, 0.5)], [0.8, 0.9]
    yield "panel", panel.figure()
    yield "layers", lh.show_layers(model, four)
    for layer in ("c1", "s2", "c3", "s4"):
        yield layer, lh.explain_cell(model, four, layer, 5, 3, 4)
    yield "mistakes", lh.show_mistakes(results, small.test)
    yield "confusion", lh.show_confusion(results)
    yield "filters", lh.show_filters(model, four)
    yield "diagram", lh.lenet5_diagram()
    yield "patches", lh.show_patches(model, small.test, "c3")
    yield "downhill", lh.downhill(model, small.train).figure()
    yield "softmax", lh.explore_softmax(torch.arange(10.0), 3).figure()
    for settings in ({}, {"n_in": 12, "kernel_size": 7, "padding": 4}, {"kernel_size": 1}):
        yield f"explorer {settings}", lh.explore_convolution(**settings).figure()
    yield "pad", lh.DrawPad(model).figure()


def words(figure):
    """The texts of a figure, but for the numbers at its axes."""
    found = list(figure.texts)
    for ax in figure.axes:
        found += [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
    return [text for text in found if text.get_text().strip()]


@needs_font
def test_label_takes_the_language_of_start_while_there_is_the_font():
    for language, words in (("en", "kernel 3"), ("zh", "卷积核 3"), ("zh", "卷积核 3")):
        lh.start(language)
        assert label("kernel {n}", n=3) == words
        assert label("my own words {") == "my own words {"  # a reader's own
    assert len(matplotlib.rcParams["font.family"]) == 2  # not twice
    matplotlib.rcdefaults()  # as a style does
    assert label("kernel {n}", n=3) == "kernel 3"


def test_every_label_is_in_the_table_and_used():
    constants, given = set(), set()
    for node in code():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            constants.add(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "label":
            first = node.args[0]
            parts = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            given |= {part.value for part in parts if isinstance(part, ast.Constant)}
    assert given <= set(texts.LABELS) <= constants, given ^ set(texts.LABELS)
    for english, chinese in texts.LABELS.items():  # they fill in the same
        fields = [sorted(re.findall("{.*?}", words)) for words in (english, chinese)]
        assert fields[0] == fields[1] and not CHINESE.search(english), english


@pytest.mark.filterwarnings("error")  # "Glyph ... missing": a box
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_figure_has_its_words_and_room_for_them(network, four, small, language):
    lh.start(language)
    for name, figure in figures(network, four, small):
        FigureCanvasAgg(figure).draw()
        whole = " ".join(text.get_text() for text in words(figure))
        assert bool(CHINESE.search(whole)) == bool(language == "zh" and HAS_FONT), name
        if CHINESE.search(whole):  # beside the names that stay: padding, stride, ReLU, NaN ...
            known = r"C1|S2|C3|S4|F5|F6|\(fc\d\)|ReLU|padding|stride|dilation|ln|epoch|NaN"
            left = re.sub(known, "", re.sub(r"\$.*?\$", "", whole))
            assert not re.search("[A-Za-z]{2,}", left), (name, left)
        room = figure.bbox.padded(2)
        for text in words(figure):
            box = text.get_window_extent()
            assert room.contains(*box.min) and room.contains(*box.max), (name, text.get_text())
        titles = [ax.title.get_window_extent() for ax in figure.axes if ax.get_title()]
        for one, other in itertools.combinations(titles, 2):
            assert not one.overlaps(other), (name, one, other)
