"""What the widgets share: in Python a base class, in their pages kit.js and kit.css."""

import contextlib
from pathlib import Path

import anywidget
import traitlets
from matplotlib.figure import Figure

from ..checks import whole_number
from ..figures.images import png
from ..words.texts import page_texts, text

WIDGETS = Path(__file__).parent


def javascript(path: Path) -> str:
    """The source of `path`, without its .js, after that of its parts `path`_*.js."""
    parts = [*sorted(path.parent.glob(f"{path.name}_*.js")), path.with_suffix(".js")]
    return "".join(part.read_text(encoding="utf-8") for part in parts)


def module(name: str) -> str:
    """A widget's whole module: kit.js and its own source. It imports nothing."""
    return javascript(WIDGETS / "kit") + javascript(WIDGETS / name)


def style(path: Path) -> str:
    """The style of `path`, without its .css."""
    return path.with_suffix(".css").read_text(encoding="utf-8")


class Offered(traitlets.TraitType):
    """One of the values that a widget's `choices` name for the trait; ValueError for another."""

    def validate(self, widget, value):
        offered = widget.choices[self.name]
        with contextlib.suppress(ValueError):
            chosen = value if isinstance(offered[0], str) else whole_number(self.name, value)
            if chosen in offered:
                return chosen
        choices = ", ".join(map(str, offered))
        raise ValueError(text("not_offered", name=self.name, value=repr(value), choices=choices))


class Widget(anywidget.AnyWidget):
    """A widget drawn by NAME.js and NAME.css, with the texts whose keys begin with one of TEXTS."""

    NAME, TEXTS = "", ()
    texts = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **kwargs):
        if "NAME" in vars(cls):  # traits that are added make a subclass, too
            cls._esm = module(cls.NAME)
            cls._css = "".join(map(style, (WIDGETS / "kit", WIDGETS / cls.NAME)))
        super().__init_subclass__(**kwargs)

    @traitlets.default("texts")
    def _sentences(self):
        prefixes = *self.TEXTS, "widget_"
        return {key: said for prefix in prefixes for key, said in page_texts(prefix).items()}

    def figure(self) -> Figure | None:
        """The present state for a page without Python (a saved notebook); None: nothing to see."""

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        with contextlib.suppress(Exception):  # the widget itself says what is wrong
            if figure := self.figure():
                data = {**data, "image/png": png(figure, bbox_inches="tight")}
        return data, metadata
