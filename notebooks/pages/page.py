"""00_demo.html of each edition: draw pad, explorer, and LeNet-5 learning, in one file, offline.

`python -m notebooks.pages.page` writes notebooks/zh/00_demo.html and notebooks/en/00_demo.html.
"""

import base64
import json
import re
from pathlib import Path

import torch

from notebooks.support.data.digits import small_set
from notebooks.support.files import PROJECT, write_file
from notebooks.support.widgets.draw_pad import DrawPad
from notebooks.support.widgets.explorer import Explorer, explore_convolution, explore_kernels
from notebooks.support.widgets.widget import WIDGETS, javascript, style
from notebooks.support.words.texts import LANGUAGES, page_texts, use

HERE = Path(__file__).parent
WEIGHTS = PROJECT / "notebooks" / "trained" / "lenet5.pt"
SHOWN = tuple(WIDGETS / name for name in ("draw_pad", "explorer", "panel"))
OWN = tuple(HERE / name for name in ("lenet5", "digits", "learn", "let_it_learn", "page"))
MODULES = SHOWN + OWN
STYLES = HERE / "page", WIDGETS / "kit", *SHOWN, HERE / "let_it_learn"
PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';
    img-src data:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<noscript>{noscript}</noscript>
<div id="page"></div>
<script type="application/json" id="data">{data}</script>
<script>
"use strict";
addEventListener("error", () => {{
  if ("built" in document.getElementById("page").dataset) return;
  const sentence = document.createElement("p");
  sentence.className = "lh-page-failed";
  sentence.textContent = {failed};
  document.body.prepend(sentence);
}}, {{ once: true }});
</script>
<script>
"use strict";
{modules}
const demo = page.start(document.getElementById("page"),
  {{ lenet5, draw_pad, explorer, panel, digits, learn, let_it_learn }},
  JSON.parse(document.getElementById("data").textContent));
</script>
</body>
</html>
"""


def _as_constant(path: Path) -> str:
    """A module as `const NAME = ...`: a page of one file can import none."""
    source, name = javascript(path), path.name
    exported = re.findall(r"^export (?:async )?(?:function\*?|const|class) (\w+)", source, re.M)
    default = re.search(r"^export default (\{.*\});$", source, re.M)
    source = re.sub(r"^export default .*\n", "", source, flags=re.M)
    source = re.sub(r"^export ", "", source, flags=re.M)
    names = [*exported, *([f"default: {default[1]}"] if default else [])]
    return f"const {name} = (() => {{\n{source}return {{ {', '.join(names)} }};\n}})();\n"


def weights_as_text(path: Path = WEIGHTS) -> str:
    """The weights and biases of LeNet-5, layer by layer, as float16 in base64."""
    tensors = torch.load(path, map_location="cpu", weights_only=True).values()
    numbers = torch.cat([tensor.flatten() for tensor in tensors]).half()
    return base64.b64encode(numbers.numpy().astype("<f2").tobytes()).decode()


def _traits(widget: DrawPad | Explorer, names: str) -> dict:
    """What a widget's page reads of its model, but for the sentences that speak of Python."""
    traits = {name: getattr(widget, name) for name in names.split()}
    texts = {key: said for key, said in widget.texts.items() if not key.startswith("python_")}
    return traits | {"texts": texts}


def small_set_as_text() -> dict:
    """The lesson's small set as digits.js reads it."""
    pixels, labels, n_train = small_set()
    letters = ("0123456789abcdefg"[int(value)] for value in pixels.flat)
    return {"pixels": "".join(letters), "labels": "".join(map(str, labels)), "n_train": n_train}


def _data() -> dict:
    explorer = "n_in kernel_size stride padding dilation preset kernel choices kernels images"
    kernels = _traits(explore_kernels(torch.zeros(28, 28)), explorer)
    return {
        "texts": page_texts("page_"),
        "weights": weights_as_text(),
        "pad": _traits(DrawPad(torch.nn.Identity()), "centre network _pen _samples _networks"),
        "explorer": _traits(explore_convolution(), explorer),
        "kernels": kernels | {"images": {}},
        "learn": {
            "texts": page_texts("learn_"),
            "run": page_texts("curves_"),
            **small_set_as_text(),
        },
    }


def _results() -> dict[str, str]:
    """What the log of the shipped network says: its epochs, and how many test images it reads."""
    log = WEIGHTS.with_name("lenet5_log.txt").read_text(encoding="utf-8")
    right, n = re.search(r"\(Overall\).*\((\d+)/(\d+)\)", log).groups()
    epochs = re.findall(r"^Epoch: (\d+)", log, re.M)[-1]
    return {"epochs": epochs, "right": f"{int(right):,}", "n": f"{int(n):,}"}


def build(language: str) -> str:
    """The page of an edition, "zh" or "en", as HTML."""
    use(language)
    data = _data()
    data["texts"]["footer"] = data["texts"]["footer"].format(**_results())
    return PAGE.format(
        language={"zh": "zh-CN"}.get(language, language),
        title=data["texts"]["title"],
        noscript=data["texts"]["noscript"],
        failed=json.dumps(data["texts"]["failed"], ensure_ascii=False),
        style="".join(map(style, STYLES)),
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/"),
        modules=javascript(WIDGETS / "kit") + "".join(map(_as_constant, MODULES)),
    )


def main() -> None:
    for language in LANGUAGES:
        path = PROJECT / "notebooks" / language / "00_demo.html"
        write_file(path, build(language).encode())
        print(f"{path.relative_to(PROJECT).as_posix()}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
