"""check(): answers proved with torch and by hand, mistakes as students make them, and whatever else they do."""

import copy
import inspect
import math
import signal
import time
from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from material import fresh, rows_with_gradient
from torch import nn
from torch.nn import functional as F

import lenet_helpers as lh
from notebooks.support.exercises.function import FunctionQuestion
from notebooks.support.exercises.number import NumberQuestion
from notebooks.support.exercises.questions import QUESTIONS
from notebooks.support.exercises.sandbox import Sandbox
from notebooks.support.words import texts

NUMBERS = [name for name, each in QUESTIONS.items() if isinstance(each, NumberQuestion)]
CODE = [name for name, each in QUESTIONS.items() if isinstance(each, FunctionQuestion)]


def torch_size(n, k, **options):
    return nn.Conv2d(1, 1, k, **options)(torch.zeros(1, 1, n, n)).shape[-1]


def solved(n_out, n, k, name, **others):
    """The first value of an option with which the output has this size."""
    return next(v for v in range(1, 9) if torch_size(n, k, **{name: v}, **others) == n_out)


def parameters(*args):
    return sum(p.numel() for p in nn.Conv2d(*args).parameters())


def outputs_of_a_corner(**options):
    """How many outputs have a gradient in the corner."""
    x = torch.zeros(1, 1, 28, 28, requires_grad=True)
    y = F.conv2d(x, torch.ones(1, 1, 5, 5), **options)
    return int(torch.autograd.grad(y.sum(), x)[0][0, 0, 0, 0])


def reach_of(*cell):
    return len(rows_with_gradient(*cell))


def lenet5_layers():
    model = lh.LeNet5()
    return nn.Sequential(model.c1, model.s2, model.c3, model.s4)


def diagnosis(letter):
    """The section of notebook 05 whose mistake a training has, from what its network gives."""
    case = lh.mystery_trainings(fresh, lh.sklearn_digits().train)[letter.upper()]
    x = torch.rand(8, 1, 28, 28)
    with torch.no_grad():
        given, healthy, undivided = case["model"](x), fresh()(x), fresh()(255 * x)
    found = {
        2: case.get("lr", 0.05) < 0.001,
        3: not case.get("shuffle", True) and bool(case["data"].tensors[1].diff().min() >= 0),
        4: torch.allclose(given, undivided),
        5: not given.any(),
        6: torch.allclose(given, torch.softmax(healthy, 1)),
    }
    (section,) = [number for number, is_it in found.items() if is_it]
    return section


ANSWERS = {  # name: (by hand, by torch)
    "window_pixels": (9, lambda: nn.Conv2d(1, 1, 3).weight.numel()),
    "c1_cell_pixels": (5 * 5, lambda: lh.LeNet5().c1.weight[0].numel()),
    "c3_cell_products": (6 * 5 * 5, lambda: lh.LeNet5().c3.weight[0].numel()),
    "frozen_parameters": (156 + 2416, lambda: parameters(1, 6, 5) + parameters(6, 16, 5)),
    "corner_pixel": (1, outputs_of_a_corner),
    "corner_pixel_padding": (9, lambda: outputs_of_a_corner(padding=2)),
    "four_layers": ((28 // 2 - 4) // 2, lambda: len(lenet5_layers()(torch.zeros(1, 28, 28))[0])),
    "same_padding": (2, lambda: solved(28, 28, 5, "padding")),
    "two_3x3_weights": (18, lambda: 2 * nn.Conv2d(1, 1, 3, bias=False).weight.numel()),
    "two_3x3_reach": (5, lambda: reach_of(nn.Sequential(*[nn.Conv2d(1, 1, 3)] * 2), 9, 2)),
    "size_lesson": (4, lambda: torch_size(6, 3)),
    "size_padding": (9, lambda: torch_size(7, 5, padding=3)),
    "size_remainder": (2, lambda: torch_size(11, 5, stride=4)),
    "size_dilation": (6, lambda: torch_size(12, 3, dilation=3)),
    "which_stride": (3, lambda: solved(3, 12, 5, "stride")),
    "padding_and_stride": ((1, 2), lambda: (2, solved(3, 6, 3, "stride", padding=2))),
    "c1_parameters": (156, lambda: parameters(1, 6, 5)),
    "c3_parameters": (2416, lambda: parameters(6, 16, 5)),
    "c3_multiply_adds": (240_000, lambda: 16 * 10 * 10 * lh.LeNet5().c3.weight[0].numel()),
    "c3_reach": (5 * 2 + 4, lambda: reach_of(lenet5_layers()[:3], 28, 4)),
    "fc1_inputs": (400, lambda: lenet5_layers()(torch.zeros(1, 1, 28, 28)).numel()),
    "batches_per_epoch": (469, lambda: len(torch.utils.data.DataLoader(range(60_000), 128))),
    "untrained_loss": (2.3, lambda: math.log(10)),
    **{f"mystery_{x}": (n, partial(diagnosis, x)) for x, n in zip("abcde", (3, 6, 2, 5, 4))},
}


def good_size(n_in, kernel_size, stride, padding):
    return (n_in + 2 * padding - kernel_size) // stride + 1


def good_convolution(image, kernel, stride=1, padding=0):
    k, n = len(kernel), good_size(len(image), len(kernel), stride, padding)
    padded = torch.zeros(len(image) + 2 * padding, len(image) + 2 * padding)
    padded[padding : padding + len(image), padding : padding + len(image)] = image
    result = torch.zeros(n, n)
    for i in range(n):
        for j in range(n):
            top, left = i * stride, j * stride
            result[i, j] = (padded[top : top + k, left : left + k] * kernel).sum()
    return result


GOOD = {"my_output_size": good_size, "my_convolution": good_convolution}


def test_every_exercise_has_an_oracle():
    assert set(ANSWERS) == set(NUMBERS) and set(GOOD) == set(CODE)
    others = QUESTIONS.keys() - set(NUMBERS) - set(CODE) - {"rising_strokes"}
    assert others == {"my_train_step", "my_network"}  # tests/test_homework.py
    assert all(QUESTIONS[name].right.__name__ == name for name in CODE)


def test_right_answers(said):
    answers = {name: (by_hand, by_torch()) for name, (by_hand, by_torch) in ANSWERS.items()}
    answers |= {name: (function,) for name, function in GOOD.items()}
    for language, colon in (("zh", "："), ("en", ": ")):
        texts.use(language)
        for name, given in answers.items():
            for answer in given:
                line = said(name, answer)
                assert line.startswith(f"✓ {name}{colon}") and line.isprintable()


def size_mistakes(n, k, s=1, p=0, d=1):
    """{words of the hint: the size to which this mistake leads, written out}"""
    span = d * (k - 1) + 1
    sizes = {
        "round down (//)": (n + 2 * p - span) / s + 1,
        "rounded up": math.ceil((n + 2 * p - span) / s) + 1,
        "+ 1": (n + 2 * p - span) // s,
        "one too many": (n + 2 * p - span + 1) // s + 1,
        "the input's size": n,
        "left out the stride": n + 2 * p - span + 1,
        "padding once": (n + p - span) // s + 1,
        "left out the padding": (n - span) // s + 1,
        "left out the dilation": (n + 2 * p - k) // s + 1,
        "one gap fewer": (n + 2 * p - k * d) // s + 1,
        "side × side": ((n + 2 * p - span) // s + 1) ** 2,
    }
    return {words: size for words, size in sizes.items() if size != (n + 2 * p - span) // s + 1}


@pytest.mark.parametrize("name, sizes", [("size_lesson", (6, 3)), ("size_padding", (7, 5, 1, 3)),
    ("size_remainder", (11, 5, 4)), ("size_dilation", (12, 3, 1, 0, 3))])  # fmt: skip
def test_mistakes_with_sizes(name, sizes, wrong):
    mistakes = size_mistakes(*sizes)
    assert QUESTIONS[name].values["g"] == lh.ConvGeometry(*sizes)
    assert len(QUESTIONS[name].mistakes) == len(mistakes)
    wrong(name, {size: words for words, size in mistakes.items()})


def test_known_mistakes_are_wrong_and_differ():
    for name in NUMBERS:
        exercise = QUESTIONS[name]
        mistakes = list(exercise.mistakes.values())
        assert len(mistakes) >= 2 and len(set(mistakes)) == len(mistakes)
        for value in mistakes:
            if exercise.unknowns:
                answer = dict(zip(exercise.unknowns, np.atleast_1d(value).tolist()))
                value = lh.ConvGeometry(*exercise.known, **answer).n_out
            assert not math.isclose(value, exercise.right, rel_tol=exercise.tolerance), name


def test_the_numbers_in_the_sentences():
    model = lh.LeNet5()
    c1, c3 = (tuple(layer.weight.shape) for layer in (model.c1, model.c3))
    steps = [28, *(row.geometry.n_out for row in lh.layer_table(model)[:4])]
    sizes = {"c1": parameters(1, 6, 5), "c3": parameters(6, 16, 5)}
    sizes["all"] = sum(p.numel() for p in model.parameters())
    for name, expected in {
        "c1_parameters": {"shape": c1, "bias": c1[0]},
        "c3_parameters": {"shape": c3, "bias": c3[0]},
        "c3_multiply_adds": {"outputs": 16 * 10 * 10, "each": 6 * 5 * 5},
        "four_layers": {"sizes": " → ".join(map(str, steps))},
        "c3_reach": {"s2": 5, "c1": 5 * 2},
        "batches_per_epoch": {"whole": 60_000 // 128},
        "two_3x3_weights": {"small": 3 * 3, "large": 5 * 5},
        "frozen_parameters": {**sizes, "learning": sizes["all"] - sizes["c1"] - sizes["c3"]},
        "padding_and_stride": {"half": torch_size(6, 3, stride=2)},
        "fc1_inputs": {"shape": tuple(lenet5_layers()(torch.zeros(1, 1, 28, 28)).shape[1:])},
        "corner_pixel": {"n": 1},
        "corner_pixel_padding": {"n": 3},
        "c1_cell_pixels": {"k": 5},
        "c3_cell_products": {"maps": 6, "each": 5 * 5},
    }.items():
        assert QUESTIONS[name].values == expected, name


def windows_of_one_step(image, kernel, stride, padding):
    """The right number of outputs, but `r` where it should be `r * stride`."""
    n = good_size(len(image), len(kernel), stride, padding)
    return good_convolution(image, kernel, 1, padding)[:n, :n]


FIRST = "my_output_size(6, 3, 1, 0)"
MISTAKES = {  # exercise: {an answer as a student comes to it: words of the hint}
    "c1_cell_pixels": {28 * 28: "whole picture"},
    "c3_cell_products": {6 * 5 * 5 + 1: "bias is added", 5 * 5: "one map only"},
    "frozen_parameters": {6 * 25 + 16 * 150: "biases", 61_706 - 2572: "still learns"},
    "same_padding": {4: "both sides"},
    "padding_and_stride": {(2, 1): "order", (1, 1): "6×6", (1, 0): "stride = 0"}
    | {(-1, 1): "padding = -1", (1.5, 1): "1.5"},
    "fc1_inputs": {16 * 5: "one row", 16 * 4 * 4: "no padding"},
    "c3_parameters": {16 * 25: "has a bias", 6 * 25: "one kernel", 16 * 6 * 25: "bias"}
    | {16 * 25 + 16: "input channels"},
    "four_layers": {(24 // 2 - 4) // 2: "no padding", 14 // 2: "second convolution has padding"}
    | {14 - 4: "before the last pooling", 28 - 1 - 4 - 1: "one cell at a time"},
    "batches_per_epoch": {60_000 / 128: "round up", 60_000: "number of pictures"},
    "c3_reach": {5: "of S2", 5 * 2: "of C1", 5 + 2: "multiply by 2", 5 + 2 + 5: "overlap"}
    | {5 + 5 - 1: "no pooling between", 2 * (5 + 5 - 1): "doubled all", 5 * 2 + 5: "one too many"},
    "untrained_loss": {10: "number of digits", 3.32: "log2", 1: "log10", -2.3: "sign"}
    | {0.1: "chance"},
    "my_output_size": {
        lambda *case: nn.Linear(1, 1).load_state_dict({}): f"{FIRST}: it fails (RuntimeError",
        lambda *case: print(4): f"{FIRST} returns nothing",
        lambda *case: "4": f"{FIRST}: the answer must",
        lambda n, k, s, p: n - k + 1 + 2 * p if s == 1 else None: "(7, 1, 2, 0) gives None",
        lambda *case: good_size(*case) if case[3] < 3 else 1 // 0: "(7, 1, 1, 3): it fails",
    },
    "my_convolution": {
        lambda i, k, *more: good_convolution(i, k.flip(0, 1), *more): "flipped",
        lambda i, k, *more: good_convolution(i, k.T, *more): "swapped",
        lambda *case: good_convolution(*case)[:-1, :-1]: "last row",
        lambda i, k, s, p: good_convolution(i, k, 1, p): "left out the stride",
        windows_of_one_step: "begins at row r × stride",
        lambda i, k, s, p: good_convolution(i, k, s): "left out the padding",
        lambda i, k, s, p: good_convolution(F.pad(i, (p, 0, p, 0)), k, s): "above and on the left",
        lambda i, k, s, p: good_convolution(F.pad(i, (0, p, 0, p)), k, s): "below and on the right",
        lambda *case: good_convolution(*case).tolist(): "return an ordinary tensor",
        lambda *case: good_convolution(*case)[None]: "gives tensor([[[",
        lambda *case: good_convolution(*case).mean(): "it should be tensor([[",
        lambda *case: good_convolution(*case) * math.nan: "nan",
        lambda *case: torch.zeros(2000): "gives tensor((2000,), torch.float32); it should",
    },
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_as_students_make_them(name, wrong):
    wrong(name, MISTAKES[name])


@pytest.mark.parametrize("mistake", size_mistakes(12, 4, 3, 3))
def test_mistakes_in_the_code_of_a_size(mistake, wrong):
    def my_output_size(n_in, kernel_size, stride, padding):
        right = good_size(n_in, kernel_size, stride, padding)
        return size_mistakes(n_in, kernel_size, stride, padding).get(mistake, right)

    wrong("my_output_size", {my_output_size: mistake})


RISING = [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]]


def stroke_kind(block):
    """What a block of 12x12 pixels shows, by where its ink is."""
    rows, columns = (block > 0).nonzero().T
    ways = {"rising": rows + columns, "falling": rows - columns}
    ways |= {"horizontal": rows, "vertical": columns}
    return next((kind for kind, way in ways.items() if len(way.unique()) == 1), "blot")


def marked_by_hand(kernel):
    picture, kernel = lh.stroke_picture(), torch.as_tensor(kernel).float()
    blocks = picture.unfold(0, 12, 12).unfold(1, 12, 12)
    feature_map = good_convolution(picture, kernel)
    marked = (feature_map > feature_map.max().clamp(min=0) / 2).nonzero() + len(kernel) // 2
    return Counter(stroke_kind(blocks[r // 12, c // 12]) for r, c in marked)


def test_kernels_that_mark_rising_strokes(said):
    explorer = lh.explore_kernels(lh.stroke_picture())
    assert "not answered" in said("rising_strokes", explorer)
    explorer.kernel = RISING
    larger = 5 * torch.eye(5).flip(0) - 1
    for answer in (RISING, torch.tensor(RISING), np.array(RISING) / 2, explorer, larger):
        assert marked_by_hand(getattr(answer, "kernel", answer)) == {"rising": 24}
        line = said("rising_strokes", answer)
        assert line.startswith("✓ rising_strokes") and " 24 " in line


OTHER_KERNELS = {
    torch.eye(3): "which way",
    torch.eye(3).flip(1): "added up",
    ((-1, 2, -1),) * 3: "straight",
    ((-1, 0, 1),) * 3: "straight",  # its marks on the blot are fewer
    ((-1, -1, -1), (-1, 1, -1), (1, -1, -1)): "one end",
    torch.zeros(3, 3): "marks nothing",
}


def test_kernels_that_mark_something_else(said, wrong):
    wrong("rising_strokes", OTHER_KERNELS)
    for kernel in OTHER_KERNELS:
        line, found = said("rising_strokes", kernel), marked_by_hand(kernel)
        right = found.pop("rising", 0)
        if found:
            counts = " / ".join(f"{kind} {n}" for kind, n in found.items())
            assert f"marks {right} places" in line and f"too: {counts}." in line, line


def test_a_right_answer_may_come_in_any_shape(said):
    tensors = torch.tensor(4), torch.tensor([[4.0]]), torch.tensor(4.0, requires_grad=True)
    for answer in (4, 4.0, np.int64(4), np.float32(4), np.array([4]), *tensors, 8 / 2):
        assert said("size_lesson", answer).startswith("✓")
    for answer in [[1, 2], (2, 3), torch.tensor([1, 2]), np.array([1.0, 2.0]), (3, 4)]:
        assert torch_size(6, 3, padding=int(answer[0]), stride=int(answer[1])) == 3
        assert said("padding_and_stride", answer).startswith("✓")


SLIPS = {  # exercise: answers of another form, and what is said of them
    "size_lesson": dict.fromkeys(
        ["4", True, math.nan, 4j, 10**400, "4\n" * 1000, torch.zeros(2000), len],
        "plain number",
    ),
    "padding_and_stride": {2: "two numbers", (1, 2, 3): "two numbers", "1, 2": "without quotes"}
    | {(1, None): "plain number", len: "two numbers"},
    "rising_strokes": {((1, 2),): "square table", 5: "kernel must be"}
    | {"RISING": "kernel must be", torch.eye(3) * 1j: "kernel must be"},
    "my_output_size": dict.fromkeys(
        [lambda: 4, lambda n_in: 4, 4, nn.Identity()], "without parentheses"
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_form_gets_a_sentence(name, wrong):
    wrong(name, SLIPS[name], "…")


def test_a_comma_in_a_number_is_told(said):
    line = said("c3_multiply_adds", 240, 000)
    assert line.startswith("… c3_multiply_adds: ") and "(1, 2)" in line and "240, 0" in line


def test_other_wrong_answers_get_a_general_hint(said):
    for name in NUMBERS:
        for answer in (77, -1, 0, 1e30, 10**30, 3.999, 2.5):
            if name != "padding_and_stride" and answer not in QUESTIONS[name].mistakes.values():
                assert said(name, answer).startswith(f"✗ {name}: "), name


def test_nothing_yet(said):
    for name in QUESTIONS:
        answers = [(), (None,), (...,)]
        answers += [((None, None),), ((..., ...),)] * (name == "padding_and_stride")
        answers += [(lambda *_: None,), (lambda *_: ...,)] * (name in {*CODE, "my_train_step"})
        for answer in answers:
            assert said(name, *answer) == f"… {name}: not answered yet."


def test_an_unknown_name_lists_the_nearest(said):
    for name, nearest in (("corner_pixl", "corner_pixel"), ("Size_Lesson", "size_lesson"), (4, "")):
        line = said(name, 4)
        assert line.startswith("✗") and nearest in line
        assert sum(known in line for known in QUESTIONS) >= 3


def test_other_right_code(said):
    for function in (
        lambda *case: good_convolution(*case) + 1e-5,  # as float32 rounds
        lambda *case: good_convolution(*case).double(),
        lambda image, *more: good_convolution(image.requires_grad_(), *more),
        lambda i, k, s, p: F.conv2d(i[None, None], k[None, None], stride=s, padding=p)[0, 0],
    ):
        assert said("my_convolution", function).startswith("✓")
    assert said("my_output_size", lambda *case: print(case) or good_size(*case)).startswith("✓")


def test_check_ends_at_its_limit(said, own, monkeypatch):
    """A loop ends, and is no try; right code is right after it."""

    def endless(*case):
        while True:
            print()

    monkeypatch.setattr(Sandbox, "SECONDS", 0.1)
    line = said("my_output_size", endless)
    assert line.startswith("… my_output_size: my_output_size(6, 3, 1, 0): "), line
    assert "0.1 s" in line and "a loop that never ends" in line and not own.exists()
    monkeypatch.undo()
    assert said("my_output_size", good_size).startswith("✓")


def test_what_takes_long_is_told_once(said, monkeypatch):
    monkeypatch.setattr(Sandbox, "PATIENCE", 0)
    slow = lambda *case: time.sleep(0.3 * (case == (6, 3, 1, 0))) or good_size(*case)  # noqa: E731
    lines = said("my_output_size", slow).splitlines()
    assert "still trying" in lines[0] and lines[1].startswith("✓ my_output_size: "), lines


def test_an_interrupt_ends_a_check(said, interruptible):
    """The square button: the next line runs."""

    def waits(*case):
        signal.raise_signal(signal.SIGINT)  # Python handles it in its main thread
        time.sleep(1)

    line = said("my_output_size", waits)
    assert line.startswith("… my_output_size: my_output_size(6, 3, 1, 0): you interrupted")
    assert said("my_output_size", good_size).startswith("✓")


def test_the_cases_are_many_and_none_is_changed_by_a_student():
    for name in CODE:
        right, cases = QUESTIONS[name].right, QUESTIONS[name].cases
        assert len(cases) >= 30 and len(inspect.signature(right).parameters) == len(cases[0])
        assert all(np.array_equal(GOOD[name](*case), right(*case)) for case in cases)
    cases = QUESTIONS["my_convolution"].cases
    before = copy.deepcopy(cases)
    lh.check("my_convolution", lambda image, *more: image.zero_())
    for old, new in zip(before, cases):
        assert all(map(torch.equal, old[:2], new[:2]))
