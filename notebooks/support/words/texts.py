"""Every sentence that a reader meets, one table a wing, in the language that `use` sets."""

import tomllib
from pathlib import Path

TABLES = {  # a wing's sentences each; "labels": a figure's words
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).parent.glob("*.toml"))
}
LABELS = TABLES.pop("labels")  # {English: Chinese}
TEXTS = {key: pair for table in TABLES.values() for key, pair in table.items()}
LANGUAGES = "zh", "en"
_language = "en"


def use(name: str) -> None:
    """Sets the language of `text`, "zh" or "en". Raises ValueError for another."""
    global _language
    if name not in LANGUAGES:
        raise ValueError(f'lh.start("zh") / lh.start("en"): {name!r}?')
    _language = name


def language() -> str:
    """The language in use, "zh" or "en"."""
    return _language


def text(key: str, **values) -> str:
    """The sentence `key` in the language in use, with `values` filled in as by `str.format`."""
    return TEXTS[key][_language].format(**values)


def page_texts(prefix: str) -> dict[str, str]:
    """The sentences whose keys begin with `prefix`, {rest of the key: sentence}, for a page."""
    return {
        key.removeprefix(prefix): pair[_language]
        for key, pair in TEXTS.items()
        if key.startswith(prefix)
    }
