"""Words in figures: Chinese where a font for it was found, English else, so never boxes."""

import contextlib

import matplotlib
from matplotlib import font_manager

from .texts import LABELS, language

FONTS = (  # the first that is there is used; on Linux, Windows, macOS, and what is rarer
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "SimHei", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Noto Sans CJK JP",  # all that matplotlib before 3.11 sees in Noto's file
    "Heiti TC", "Arial Unicode MS", "SimSun",
)  # fmt: skip


def use_chinese_font() -> None:
    """Lets figures take from a Chinese font what their own one lacks, if one is installed."""
    if not _installed():  # matplotlib keeps its list from its first start on: what is new?
        known = {font.fname for font in font_manager.fontManager.ttflist}
        for path in set(font_manager.findSystemFonts()) - known:
            with contextlib.suppress(Exception):  # not a font that it can read
                font_manager.fontManager.addfont(path)
    family = [name for name in matplotlib.rcParams["font.family"] if name not in FONTS]
    matplotlib.rcParams["font.family"] = family + _installed()[:1]


def _installed():
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in FONTS if name in known]


def label(english: str, **values) -> str:
    """Words for a figure in the language of `start`; English where figures have no Chinese font,
    and for words that labels.toml does not have. Notebooks 00, 01 and 03 to 07.

        lh.label("learning rate")  # "学习率"
        lh.label("{n} epochs", n=20)  # values as in `str.format`
    """
    chinese = language() == "zh" and set(FONTS) & set(matplotlib.rcParams["font.family"])
    words = LABELS.get(english, english) if chinese else english
    return words.format(**values) if values else words
