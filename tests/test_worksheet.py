"""The worksheet and its key: what the command makes, right by torch and by hand, two sides of A4."""

import re

import nbformat
import pytest
import torch
from lab import PROJECT
from torch import nn

import lenet_helpers as lh
from notebooks.support import worksheet as sheet
from notebooks.support.texts import LANGUAGES

BY_HAND = {  # worked out from the questions of the sheet, without its code
    "sums": ["7", "−4", "5", "−6"],
    "sizes": [("4", "0"), ("8", "0"), ("3", "1")],
    "layers": [
        ("6@28×28", "156"),
        ("6@14×14", "0"),
        ("16@10×10", "2,416"),
        ("16@5×5", "0"),
        ("120", "48,120"),
        ("84", "10,164"),
        ("10", "850"),
    ],
    "order, weight, inputs": ["4 2 1 5 3", "1.6", "256"],
}


CUT = """() => [...document.querySelectorAll(".side")].map(side => {
    const box = side.getBoundingClientRect();
    return [...side.querySelectorAll("*")].filter(e => {
        const own = e.getBoundingClientRect();
        return own.bottom > box.bottom + 1 || own.right > box.right + 1 || own.left < box.left - 1;
    }).map(e => e.outerHTML);
})"""


def file_of(language, name):
    return PROJECT / "notebooks" / language / name


def key_tables(key):
    """The rows of each Markdown table of the key, without its head."""
    tables = re.findall(r"(?:^\|.*\n)+", key, re.M)
    return [[line.strip("| ").split(" | ") for line in table.splitlines()[2:]] for table in tables]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_are_what_the_command_makes(language, monkeypatch, capsys):
    written = {}
    monkeypatch.setattr(sheet, "write_file", lambda path, content: written.update({path: content}))
    sheet.main()
    for name in ("worksheet.html", "teacher_guide.md"):
        path = file_of(language, name)
        assert path.read_text(encoding="utf-8") == written[path].decode()
    assert len(capsys.readouterr().out.splitlines()) == len(LANGUAGES)


def test_the_guides_own_words_stay():
    start, end = sheet.KEY_MARKS
    for guide in (f"# A\n\n{start}\n{end}\n\nb\n", f"# A\n\n{start}\nold\n{end}\n\nb\n"):
        assert sheet.guide_with_key(guide, "new\n") == f"# A\n\n{start}\nnew\n{end}\n\nb\n"
    with pytest.raises(ValueError):
        sheet.guide_with_key("# A\n", "new\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_key_is_as_solved_by_hand(language):
    key = sheet.worksheet_key(language)
    windows, sizes, layers = key_tables(key)
    assert [row[2] for row in windows] == BY_HAND["sums"]
    assert [(re.search(r"\*\*(.*)\*\*", row[1])[1], row[2]) for row in sizes] == BY_HAND["sizes"]
    assert [(row[2], row[3].split(" = ")[-1]) for row in layers] == BY_HAND["layers"]
    assert re.findall(r"\*\*(\d[\d. ]*)\*\*", key)[-3:] == BY_HAND["order, weight, inputs"]
    for row in layers:  # the sums that are written out
        product, _, result = row[3].replace(",", "").partition(" = ")
        assert not result or eval(product.replace("×", "*")) == int(result)


def test_the_key_is_torchs():
    windows, sizes, layers = key_tables(sheet.worksheet_key("en"))
    image, kernel = sheet.IMAGE.float(), sheet.KERNEL.float()
    convolution = nn.Conv2d(1, 1, 3, bias=False)
    convolution.weight.data[0, 0] = kernel
    maps = convolution(image[None, None]).flatten().tolist()
    assert [float(row[2].replace("−", "-")) for row in windows] == maps
    for row in windows:
        nine = [int(number) for number in re.findall(r"-?\d+", row[1].replace("−", "-"))]
        assert len(nine) == 9 and sum(nine) == int(row[2].replace("−", "-"))
    for question, steps, unused, _ in sizes:
        n, _, k, _, padding, stride = map(int, re.findall(r"\d+", question))
        conv = nn.Conv2d(1, 1, k, stride=stride, padding=padding)
        n_out = conv(torch.zeros(1, 1, n, n)).shape[-1]
        assert f"**{n_out}**" in steps
        reached = (n_out - 1) * stride + k
        assert int(unused) == n + 2 * padding - reached
    table = lh.layer_table(lh.LeNet5())
    assert sheet.lenet5_rows()[1:] == table  # the layers are said twice, and are the same
    for row, (_, _, shape, product) in zip(table, layers):
        assert shape == "×".join(map(str, row.shape)).replace("×", "@", 1)
        assert product.split(" = ")[-1] == f"{row.parameters:,}"
    model = lh.LeNet5()
    model.c1 = nn.Conv2d(1, 6, 5)
    seen = []
    model.s4.register_forward_hook(lambda module, took, made: seen.append(made.numel()))
    with pytest.raises(RuntimeError):  # fc1 still wants 400
        model(torch.zeros(1, 1, 28, 28))
    assert f"**{seen[0]}**" in sheet.worksheet_key("en")
    weight = nn.Parameter(torch.tensor(float(sheet.WEIGHT)))
    (sheet.SLOPE * weight).backward()
    torch.optim.SGD([weight], lr=sheet.RATE).step()
    assert f"**{weight.item():.3g}**" in sheet.worksheet_key("en")


def test_the_mistakes_are_those_of_the_formula():
    """Each of them by the formula, without what was forgotten."""
    mistakes = [
        re.findall(r"\d+", row[3].replace("+ 1", ""))
        for row in key_tables(sheet.worksheet_key("en"))[1]
    ]
    assert mistakes[0] == [str(6 - 3)]
    assert mistakes[1] == [str(8 + 4 - 5), str(8 + 2 - 5 + 1), str(8 - 5 + 1)]
    assert mistakes[2] == [str((10 - 5) // 2), str(-(-(10 - 5) // 2) + 1), str(10 - 5 + 1)]


def test_the_five_steps_are_notebook_04s():
    cells = nbformat.read(file_of("en", "04_train_lenet5.ipynb"), as_version=4).cells
    loop = next(cell.source for cell in cells if "def plain_epoch" in cell.source)
    lines = [line.partition("#")[0].strip() for line in loop.splitlines()]
    places = [lines.index(line) for line in sorted(sheet.STEPS, key=sheet.STEPS.get)]
    assert places == sorted(places) and sorted(sheet.STEPS.values()) == [1, 2, 3, 4, 5]
    assert list(sheet.STEPS.values()) != sorted(sheet.STEPS.values())


def test_the_sheet_gives_no_answer_away():
    """But the parameters' sum, which is there to check them."""
    for language in LANGUAGES:
        text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", sheet.worksheet(language), flags=re.S)
        shapes = [shape for shape, _ in BY_HAND["layers"] if "@" in shape]
        for answer in (*shapes, "156", "2,416", "48,120", "10,164", "850", "256", "1.6", "400"):
            assert answer not in text, answer
        assert "61,706" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_sides_of_a4_and_a_phone(browser, language):
    context = browser.new_context(offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address := file_of(language, "worksheet.html").as_uri())
    assert {url for url in asked if not url.startswith("data:")} == {address}
    assert page.locator("script").count() == 0
    for width in (320, 390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 695, "height": 1050})  # A4 without its margins
    page.emulate_media(media="print")
    for font in ("inherit", "DejaVu Sans"):  # the second is one of the widest there are
        page.add_style_tag(content=f"body * {{ font-family: {font} !important }}")
        assert page.evaluate(CUT) == [[], []]
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
        assert set(re.findall(rb"/MediaBox\s*\[0 0 (\d+)[.\d]* (\d+)", pdf)) == {(b"594", b"841")}
    context.close()
