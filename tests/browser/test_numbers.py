"""The modules' numbers in Chromium, without a page around them: against torch, Python and the lesson's data."""

import itertools

import numpy as np
import pytest
import torch
from lab import PROJECT
from material import DRAWINGS, fresh, weights
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.data.digits import small_set
from notebooks.support.data.drawing import PEN, draw_strokes
from notebooks.support.figures.images import number_text
from notebooks.support.widgets import explorer
from notebooks.support.widgets.widget import javascript, module

PAGES = PROJECT / "notebooks" / "pages"
IMPORT = """async ([name, source]) => {
    const blob = new Blob([source], { type: "text/javascript" });
    window[name] = await import(URL.createObjectURL(blob));
}"""
SETTINGS = """([images, kernels, settings]) => settings.map(values => {
    const [n_in, kernel_size, stride, padding, dilation] = values, { geometry, convolve } = explorer;
    const all = { n_in, kernel_size, stride, padding, dilation }, g = geometry(all);
    const indices = n => [...Array(n).keys()];
    return [[g.fits, g.n_out, g.padded, g.span, g.unused], indices(g.n_out).map(g.window),
        g.fits ? indices(n_in).map(g.feeds) : [], convolve(images[n_in], kernels[kernel_size], all)];
})"""
RUN = """
    window.toEnd = work => {
        let step;
        do { step = work.next(); } while (!step.done);
        return step.value;
    };
    window.random = seed => () => (seed = seed * 16807 % 2147483647) / 2147483647;  // Lehmer's
"""


@pytest.fixture(scope="module")
def page(browser):
    """A page with the modules, each by its name, and `data` (the small set)."""
    page = browser.new_page()
    for name in ("lenet5", "learn", "digits"):
        page.evaluate(IMPORT, [name, javascript(PAGES / name)])
    for name in ("explorer", "downhill", "softmax"):
        page.evaluate(IMPORT, [name, module(name)])
    page.evaluate(RUN)
    pixels, labels, n_train = small_set()
    letters = {
        "pixels": "".join("0123456789abcdefg"[int(value)] for value in pixels.flat),
        "labels": "".join(map(str, labels)),
        "n_train": n_train,
    }
    page.evaluate("d => { window.data = toEnd(digits.readDigits(d)); }", letters)
    yield page
    page.close()


def test_every_setting_of_the_sliders_is_torchs(page):
    """The explorer's sizes and sums: those of ConvGeometry, itself tested against torch, and conv2d."""
    settings = list(itertools.product(*explorer.LIMITS.values()))
    images = {n: explorer.sample_image(n) for n in explorer.LIMITS["n_in"]}
    kernels = {k: explorer.PRESETS["random"](k).double() for k in explorer.LIMITS["kernel_size"]}
    groups = images, kernels  # an old playwright wants texts for keys
    tables = [{str(key): table.tolist() for key, table in group.items()} for group in groups]
    answers = page.evaluate(SETTINGS, [*tables, settings])
    assert len(answers) == 10 * 7 * 4 * 5 * 3
    for (n, k, s, p, d), (found, windows, feeds, output) in zip(settings, answers, strict=True):
        try:
            g = lh.ConvGeometry(n, k, s, p, d)
        except ValueError:
            assert not found[0] and not found[1] and output == []
            continue
        assert found == [True, g.n_out, g.padded, g.span, g.unused]
        assert windows == [g.window(i) for i in range(g.n_out)]
        assert feeds == [g.feeds(j) for j in range(n)]
        expected = F.conv2d(images[n][None, None], kernels[k][None, None], None, s, p, d)
        assert output == expected[0, 0].tolist(), (n, k, s, p, d)


def test_numbers_are_written_short_and_as_in_python(page):
    short = {3: "3", -2: "−2", -0.0: "0", 0.126: "0.13", -0.13: "−0.13", 1.5: "1.5", 12.34: "12.3"}
    short |= {123.4: "123", 0.004: "4e−3", 1e-9: "1e−9", 1e7: "1e7", -0.5: "−0.5"}
    numbers = torch.randn(500, dtype=torch.float64) * 10 ** torch.linspace(-6, 7, 500)
    values = [*short, *numbers.tolist()]
    written = page.evaluate("values => values.map(explorer.numberText)", values)
    assert written[: len(short)] == list(short.values())
    assert written == [number_text(float(value)) for value in values]


WEIGHTS = {"1/9": 1 / 9, "1,5": 1.5, "−2": -2, " -.5 ": -0.5, "１／４": 0.25, "2.": 2, "1e3": 1000}
WEIGHTS |= dict.fromkeys(["", "x", "1/0", "1//9", "2 1", "1.2.3", "1e308", "Infinity"])


def test_fractions_and_commas_are_read_as_weights(page):
    read = page.evaluate("all => all.map(explorer.weightOf)", [*WEIGHTS])
    assert read == [*WEIGHTS.values()]


def test_a_drawing_is_prepared_as_in_python(page):
    halves = [0.5, 1.5, 2.5, -0.5, 7.49, 7.51]
    assert page.evaluate("all => all.map(lenet5.roundHalfEven)", halves) == [*map(round, halves)]
    levels = draw_strokes(DRAWINGS[7]["strokes"])
    as_drawn = "all => [...lenet5.asDrawn(Uint8Array.from(all), 112)]"
    area = F.interpolate(torch.tensor(levels / 255)[None, None], 28, mode="area").flatten()
    assert np.allclose(page.evaluate(as_drawn, levels.flatten().tolist()), area, atol=1e-6)
    no_guess = f"all => lenet5.noGuess(Uint8Array.from(all), 112, {PEN})"
    for strokes, problem in ([], "empty"), ([[(0.3, 0.3)]], "dot"), (DRAWINGS[7]["strokes"], ""):
        levels = draw_strokes(strokes).flatten().tolist()
        assert page.evaluate(no_guess, levels) == problem
    assert page.evaluate(no_guess, [255] * 112 * 112) == "full"


def test_a_step_downhill_is_torchs(page, small):
    model, digit = fresh(), 3
    valley = lh.downhill(model, small.train, digit=digit).valley
    images, labels = (tensor[:500] for tensor in small.train.tensors)
    biases, losses, slopes = [-80, -6, -0.5, 0, 2, 6, 80], [], []
    for bias in biases:
        model.fc3.bias.data[digit] = bias
        model.zero_grad()
        loss = F.cross_entropy(model(images / 255), labels)
        loss.backward()  # what the lesson calls `.grad`
        losses.append(loss.item())
        slopes.append(model.fc3.bias.grad[digit].item())

    for name, expected in ("lossAt", losses), ("slopeAt", slopes):
        call = f"([valley, all]) => all.map(bias => downhill.{name}(valley, bias))"
        found = page.evaluate(call, [valley, biases])
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_softmax_is_torchs(page):
    scores = torch.randn(10).double() * 10, torch.zeros(10), torch.tensor([900.0, 0, -900])
    answers = page.evaluate("all => all.map(softmax.softmax)", [s.tolist() for s in scores])
    for each, answer in zip(scores, answers):
        assert answer["shares"] == pytest.approx(each.softmax(0).tolist())
        assert answer["costs"] == pytest.approx((-each.log_softmax(0)).tolist())
    assert answer["costs"][1] == 900  # no infinity where a share is 0


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_digits_are_the_lessons(page, small, part):
    images, labels = getattr(small, part).tensors
    seen = page.evaluate(
        "part => data[part].map(({ image }) => String.fromCharCode(...image.map(v => 255 * v)))",
        part,
    )
    pixels = np.array([[ord(letter) for letter in image] for image in seen])
    assert np.array_equal(pixels, images.flatten(1))
    assert page.evaluate("part => data[part].map(({ label }) => label)", part) == labels.tolist()


def test_fifty_steps_are_torchs(page, small):
    """One-cycle to 0.02 in the 50 steps of an epoch of 800 pictures, in the data's own order."""
    model, (images, labels) = fresh(), small.train.tensors
    start = weights(model).tolist()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.02, total_steps=50, cycle_momentum=False
    )
    losses = []
    for first in range(0, 800, 16):
        optimizer.zero_grad()
        batch = slice(first, first + 16)
        loss = F.cross_entropy(model(images[batch] / 255), labels[batch])
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    told, numbers = page.evaluate(
        """numbers => {
            const network = learn.makeNetwork(lenet5.readWeights, Float32Array.from(numbers));
            const first = { train: data.train.slice(0, 800), test: data.test };
            const recipe = { epochs: 1, batch: 16, rate: 0.02, momentum: 0.9 };
            const news = [...learn.learn(network, first, { ...recipe, random: () => 0.999999 })];
            return [news.filter(Boolean), [...network.numbers]];
        }""",
        start,
    )
    assert told[0]["loss"] == pytest.approx(losses[0], rel=1e-6)
    assert np.allclose([each["loss"] for each in told[:-1]], losses, atol=1e-4)
    assert np.allclose(numbers, weights(model), rtol=0, atol=1e-3)
    images, labels = small.test.tensors
    right = (model(images / 255).argmax(1) == labels).float().mean().item()
    assert told[-1]["accuracy"] == pytest.approx(right, abs=1 / 360)


def test_a_new_network_starts_as_the_lessons(page):
    numbers = torch.tensor(page.evaluate("[...learn.newNumbers(lenet5.readWeights, random(1))]"))
    for name, parameter in fresh().named_parameters():
        mine, numbers = numbers[: parameter.numel()], numbers[parameter.numel() :]
        spread = parameter.std().item() if name.endswith("weight") else 0
        assert mine.std().item() == pytest.approx(spread, rel=0.25), name
    assert not len(numbers)


def test_a_rate_far_too_large_ends_early(page):
    news = page.evaluate(
        """() => {
            const start = learn.newNumbers(lenet5.readWeights, random(1));
            const network = learn.makeNetwork(lenet5.readWeights, start);
            return [...learn.learn(network, data, { rate: 1e6 })].filter(Boolean)
                .map(({ loss }) => String(loss));
        }"""
    )
    assert news[-1] in ("NaN", "Infinity") and len(news) < 90
    assert all(float(loss) > 0 for loss in news[:-1])
