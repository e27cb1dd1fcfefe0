"""LeNet-5 learns in a page: learn.js and digits.js in Chromium against torch and the lesson's data."""

import numpy as np
import pytest
import torch
from lab import PROJECT
from material import fresh
from torch.nn import functional as F

from notebooks.support.data.digits import small_set

PAGES = PROJECT / "notebooks" / "pages"
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
    """A page with `lenet5`, `learn`, `digits` (the modules) and `data` (the small set)."""
    page = browser.new_page()
    for name in ("lenet5", "learn", "digits"):
        source = (PAGES / f"{name}.js").read_text(encoding="utf-8")
        page.evaluate(
            """async ([name, source]) => {
                const blob = new Blob([source], { type: "text/javascript" });
                window[name] = await import(URL.createObjectURL(blob));
            }""",
            [name, source],
        )
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


def numbers_of(tensors):
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).tolist()


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


def test_the_gradients_are_torchs(page, small):
    model = fresh()
    images, labels = (tensor[:16] for tensor in small.train.tensors)
    loss = F.cross_entropy(model(images / 255), labels)
    loss.backward()
    told, gradients = page.evaluate(
        """numbers => {
            const network = learn.makeNetwork(lenet5.readWeights, Float32Array.from(numbers));
            const first = { train: data.train.slice(0, 16), test: [] };
            const work = learn.learn(network, first, { random: () => 0.999999 });
            let step;
            do { step = work.next(); } while (!step.value);
            return [step.value.loss, [...network.gradients]];
        }""",
        numbers_of(model.parameters()),
    )
    assert told == pytest.approx(loss.item(), rel=1e-6)
    expected = numbers_of(p.grad for p in model.parameters())
    assert np.abs(np.subtract(gradients, expected)).max() < 1e-5


def test_fifty_steps_are_torchs(page, small):
    """One-cycle to 0.02 in the 50 steps of an epoch of 800 pictures, in the data's own order."""
    model, (images, labels) = fresh(), small.train.tensors
    start = numbers_of(model.parameters())
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
    assert np.allclose([each["loss"] for each in told[:-1]], losses, atol=1e-4)
    assert np.abs(np.subtract(numbers, numbers_of(model.parameters()))).max() < 1e-3
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
