"""Words in figures: Chinese where a font for it was found, English else, so never boxes."""

import contextlib

import matplotlib
from matplotlib import font_manager

from .texts import LABELS, language

FONTS = (  # the first that is there is used
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",  # Windows
    "PingFang SC",  # macOS
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",  # all that matplotlib before 3.11 sees in Noto's file
    "Heiti TC",
    "Arial Unicode MS",
    "SimSun",
)


def use_chinese_font() -> None:
    """Lets figures take from a Chinese font what their own one lacks, if one is installed."""
    found = _installed()
    if not found:
        _read_new_fonts()
        found = _installed()
    family = [name for name in matplotlib.rcParams["font.family"] if name not in FONTS]
    matplotlib.rcParams["font.family"] = family + found[:1]


def _installed():
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in FONTS if name in known]


def _read_new_fonts():
    """matplotlib keeps its list of fonts from its first start on: adds what was installed since."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in set(font_manager.findSystemFonts()) - known:
        with contextlib.suppress(Exception):  # not a font that it can read
            font_manager.fontManager.addfont(path)


def label(english: str, **values) -> str:
    """Words for a figure in the language of `start`: `label("learning rate")` is "学习率" after
    `start("zh")`.

    values: what stands for `{...}` in the words, as in `str.format`. They stay English where the
    figures have no Chinese font, and where labels.toml does not have them. Notebooks 00, 01 and
    03 to 06.
    """
    chinese = language() == "zh" and set(FONTS) & set(matplotlib.rcParams["font.family"])
    words = LABELS.get(english, english) if chinese else english
    return words.format(**values) if values else words
