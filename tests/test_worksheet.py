"""The worksheet, solved by torch: both pages ask the same, the guide's key is right; two A4 sides."""

import math
import re

import pytest
import torch
from bs4 import BeautifulSoup
from notebook_tool import ROOT, read
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.words.texts import LANGUAGES

NOTEBOOKS = ROOT / "notebooks"
CUT = """() => [...document.querySelectorAll(".side")].map(side => {
    const box = side.getBoundingClientRect();
    return [...side.querySelectorAll("*")].filter(e => {
        const own = e.getBoundingClientRect();
        return own.bottom > box.bottom + 1 || own.right > box.right + 1 || own.left < box.left - 1;
    }).map(e => e.outerHTML);
})"""


def numbers(text):
    """Those in a text, in order: "2,416" is one, "− 5" is 5."""
    found = re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text.replace("−", "-"))
    return [float(n.replace(",", "")) for n in found]


def bold(text):
    return numbers(re.search(r"\*\*(.+?)\*\*", text)[1])


def page_of(language):
    html = (NOTEBOOKS / language / "worksheet.html").read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser")


def tasks(page):
    """What the page asks, in numbers and code."""

    def said(selector):
        return [numbers(" ".join(found.strings)) for found in page.select(selector)]

    return {
        "input": said(".input tr"),
        "kernel": said(".kernel tr"),
        "sizes": [list(map(int, question)) for question in said(".question")],
        "strips": [(len(strip("i")), len(strip("b"))) for strip in page.select(".strip")],
        "image": list(map(int, said("p:has(+ .layers)")[0][:3])),
        "layers": [list(map(int, layer)) for layer in said(".layers td:nth-child(2)")],
        "total": said(".total"),
        "patch": said(".patch tr"),
        "sheets": said(".sheet tr"),
        "biases": said(".bias"),
        "kernels": said(".kernels"),
        "steps": [step.text for step in page.select(".steps li")],
        "weight": said(".ticket li")[0],
    }


@pytest.fixture(params=LANGUAGES)
def sheet(request):
    """The page, its tasks, and the guide's key to each section: the text, and its table's rows."""
    page = page_of(request.param)
    guide = (NOTEBOOKS / request.param / "teacher_guide.md").read_text(encoding="utf-8")
    titles = "|".join(re.escape(title.text) for title in page("h2"))
    keys = re.split(f"^### (?:{titles})\n", guide, flags=re.M)[1:]
    assert len(keys) == len(page("h2")) == 6
    tables = [re.findall(r"^\| (.*) \|$", key, re.M)[1:] for key in keys]
    return page, tasks(page), keys, [[row.split(" | ") for row in table] for table in tables]


def test_both_pages_ask_the_same_and_look_the_same():
    zh, en = map(page_of, LANGUAGES)
    assert tasks(zh) == tasks(en) and zh.style == en.style


def test_the_key_of_the_convolution(sheet):
    page, asked, (key, *_), (windows, *_) = sheet
    image, kernel = torch.tensor(asked["input"]), torch.tensor(asked["kernel"])
    sums = F.conv2d(image[None, None], kernel[None, None]).flatten().tolist()
    products = (image.unfold(0, 3, 1).unfold(1, 3, 1) * kernel).reshape(-1, 9).tolist()
    assert [numbers(row[1]) for row in windows] == products
    assert [numbers(row[2]) for row in windows] == [[total] for total in sums]
    places = [row[0] for row in windows]
    assert places == [place.text for place in page.select(".windows figcaption")]
    named = re.findall("|".join(places), key.rpartition("|")[2].lower())
    assert named == [places[sums.index(max(sums))], places[sums.index(min(sums))]]


def test_the_key_of_the_sizes(sheet):
    _, asked, _, (_, sizes, *_) = sheet
    assert len(sizes) == len(asked["sizes"]) == len(asked["strips"])
    for (n, _, k, _, p, s), strip, row in zip(asked["sizes"], asked["strips"], sizes):
        n_out = nn.Conv2d(1, 1, k, stride=s, padding=p)(torch.zeros(1, 1, n, n)).shape[-1]
        unused = n + 2 * p - ((n_out - 1) * s + k)
        assert strip == (2 * p, n) and numbers(row[0]) == [n, n, k, k, p, s]
        assert numbers(row[1])[:4] == [n, 2, p, k] and bold(row[1]) == [n_out]
        assert numbers(row[2]) == [unused]


def solved(image, layers):
    """Shape and parameters after each layer of the page's table, by torch."""
    x = torch.zeros(1, *image)
    for said in layers:
        if len(said) == 4:
            layer = nn.Conv2d(x.shape[1], said[0], said[1], padding=said[3])
        elif len(said) == 2:
            layer = nn.MaxPool2d(said)
        else:
            x = x.flatten(1)
            layer = nn.Linear(x.shape[1], *said)
        x = layer(x)
        yield tuple(x.shape[1:]), sum(weights.numel() for weights in layer.parameters())


def test_the_key_of_the_shapes(sheet):
    page, asked, keys, (_, _, table, *_) = sheet
    example = [cell.text for cell in page.select(".example > *")]
    assert example == [cell.replace("`", "") for cell in table[0]]
    right = list(solved(asked["image"], asked["layers"]))
    assert right == [(row.shape, row.parameters) for row in lh.layer_table(lh.LeNet5())]
    assert [(tuple(numbers(row[2])), numbers(row[3])[-1]) for row in table] == right
    for said, (_, words, _, product) in zip(asked["layers"], table):
        left, _, result = product.replace(",", "").partition(" = ")
        assert numbers(words) == said
        assert not result or eval(left.replace("×", "*")) == int(result)
    total = sum(parameters for _, parameters in right)
    assert asked["total"] == [[total]]
    assert {total, math.prod(right[3][0])} <= set(numbers(keys[2].rpartition("|")[2]))


def test_the_key_of_the_channels(sheet):
    _, asked, (_, _, _, key, *_), (_, _, _, table, *_) = sheet
    patch, sheets = (torch.tensor(asked[name]).view(2, 2, 2) for name in ("patch", "sheets"))
    products = patch * sheets
    sums = products.sum(dim=(1, 2)).tolist()
    assert [numbers(row[1]) for row in table] == products.flatten(1).tolist()
    assert [numbers(row[2]) for row in table] == [[total] for total in sums]
    biases = [torch.tensor(bias) for bias in asked["biases"]]
    before, after = (F.conv2d(patch[None], sheets[None], bias).item() for bias in biases)
    first, second, last = re.findall(r"^\d\. (.*)", key, re.M)
    assert before < 0 < after
    assert numbers(" ".join(re.findall(r"\*\*(.+?)\*\*", first))) == [before, 0]
    assert bold(second) == [after]
    ((kernels,),) = asked["kernels"]
    assert bold(last) == [kernels] and numbers(last)[-1] == kernels * len(sheets)


def test_the_key_of_the_five_steps_is_notebook_04s(sheet):
    _, asked, keys, _ = sheet
    cells, steps = read("en", "04_train_lenet5").cells, asked["steps"]
    loop = next(cell.source for cell in cells if "def plain_epoch" in cell.source)
    lines = [line.partition("#")[0].strip() for line in loop.splitlines()]
    order = sorted(steps, key=lines.index)
    assert order != steps
    assert bold(keys[4]) == [order.index(step) + 1 for step in steps]


def test_the_key_of_the_ticket(sheet):
    _, asked, keys, _ = sheet
    step, inputs, _ = re.findall(r"^\d\. (.*)", keys[5], re.M)
    before, slope, rate = asked["weight"]
    weight = nn.Parameter(torch.tensor(before))
    (slope * weight).backward()
    torch.optim.SGD([weight], lr=rate).step()
    assert bold(step) == pytest.approx([weight.item()])
    c1, *others = asked["layers"]
    s4 = list(solved(asked["image"], [[*c1[:3], 0], *others]))[3][0]  # without padding
    assert bold(inputs) == [math.prod(s4)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_sides_of_a4_and_a_phone(browser, language):
    page = browser.new_page(offline=True)
    page.goto((NOTEBOOKS / language / "worksheet.html").as_uri())
    roles = {"main": 1, "region": 2, "banner": 0}
    assert {role: page.get_by_role(role).count() for role in roles} == roles
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
    page.close()
