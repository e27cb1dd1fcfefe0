"""check(): answers proved with torch and by hand, mistakes as students make them, and whatever else they do."""

import copy
import inspect
import itertools
import math
import signal
import time
from functools import partial

import numpy as np
import pytest
import torch
from material import fresh

import lenet_helpers as lh
from notebooks.support.exercises.function import FunctionQuestion
from notebooks.support.exercises.number import NumberQuestion
from notebooks.support.exercises.questions import QUESTIONS
from notebooks.support.exercises.sandbox import Sandbox
from notebooks.support.words import texts

NUMBERS = [name for name, each in QUESTIONS.items() if isinstance(each, NumberQuestion)]
CODE = [name for name, each in QUESTIONS.items() if isinstance(each, FunctionQuestion)]


def torch_size(n, k, **options):
    return torch.nn.Conv2d(1, 1, k, **options)(torch.zeros(1, 1, n, n)).shape[-1]


def parameters(*args):
    return sum(p.numel() for p in torch.nn.Conv2d(*args).parameters())


def outputs_of_a_corner(**options):
    """How many outputs have a gradient in the corner."""
    x = torch.zeros(1, 1, 28, 28, requires_grad=True)
    y = torch.nn.functional.conv2d(x, torch.ones(1, 1, 5, 5), **options)
    return int(torch.autograd.grad(y.sum(), x)[0][0, 0, 0, 0])


def reach(layers, n, cell):
    """How many rows of any of many pictures have a gradient of one cell of what the layers make."""
    x = torch.rand(300, 1, n, n, requires_grad=True)
    made = layers(x)[:, 0, cell, cell].sum()
    return int((torch.autograd.grad(made, x)[0] != 0).any(0)[0].any(1).sum())


def reach_of_two():
    return reach(torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 3) for _ in range(2))), 9, 2)


def lenet5_layers():
    model = lh.LeNet5()
    return torch.nn.Sequential(model.c1, model.s2, model.c3, model.s4)


def reach_of_c3():
    return reach(lenet5_layers()[:3], 28, 4)


def diagnosis(letter):
    """The section of notebook 05 whose mistake a training has, from what its network gives."""
    data = lh.sklearn_digits().train
    case = lh.mystery_trainings(fresh, data)[letter]
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


def frozen_in_notebook_06():
    """As its section 3 freezes them."""
    model = lh.LeNet5()
    for layer in (model.c1, model.c3):
        layer.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if not p.requires_grad)


def first_settings_that_give_three():
    settings = itertools.product(range(3), range(1, 5))
    return next((p, s) for p, s in settings if torch_size(6, 3, padding=p, stride=s) == 3)


ANSWERS = {  # name: (by hand, by torch)
    "window_pixels": (9, lambda: torch.nn.Conv2d(1, 1, 3).weight.numel()),
    "c1_cell_pixels": (5 * 5, lambda: lh.LeNet5().c1.weight[0].numel()),
    "c3_cell_products": (6 * 5 * 5, lambda: lh.LeNet5().c3.weight[0].numel()),
    "frozen_parameters": (6 * 25 + 6 + 16 * 150 + 16, frozen_in_notebook_06),
    "corner_pixel": (1, outputs_of_a_corner),
    "corner_pixel_padding": (9, lambda: outputs_of_a_corner(padding=2)),
    "four_layers": (
        ((28 + 2 * 2 - 5 + 1) // 2 - 5 + 1) // 2,
        lambda: lenet5_layers()(torch.zeros(1, 1, 28, 28)).shape[-1],
    ),
    "same_padding": (2, lambda: [p for p in range(9) if torch_size(28, 5, padding=p) == 28][0]),
    "two_3x3_weights": (18, lambda: 2 * torch.nn.Conv2d(1, 1, 3, bias=False).weight.numel()),
    "two_3x3_reach": (5, reach_of_two),
    "size_lesson": (4, lambda: torch_size(6, 3)),
    "size_padding": (9, lambda: torch_size(7, 5, padding=3)),
    "size_remainder": (2, lambda: torch_size(11, 5, stride=4)),
    "size_dilation": (6, lambda: torch_size(12, 3, dilation=3)),
    "which_stride": (3, lambda: [s for s in range(1, 8) if torch_size(12, 5, stride=s) == 3][0]),
    "padding_and_stride": ((1, 2), first_settings_that_give_three),
    "c1_parameters": (156, lambda: parameters(1, 6, 5)),
    "c3_parameters": (2416, lambda: parameters(6, 16, 5)),
    "c3_multiply_adds": (240_000, lambda: 16 * 10 * 10 * lh.LeNet5().c3.weight[0].numel()),
    "c3_reach": (5 * 2 + 4, reach_of_c3),
    "fc1_inputs": (400, lambda: lenet5_layers()(torch.zeros(1, 1, 28, 28)).numel()),
    "batches_per_epoch": (469, lambda: len(torch.utils.data.DataLoader(range(60_000), 128))),
    "untrained_loss": (2.3, lambda: math.log(10)),
    **{
        f"mystery_{x.lower()}": (n, partial(diagnosis, x)) for x, n in zip("ABCDE", (3, 6, 2, 5, 4))
    },
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


def formulas(n, k, s=1, p=0, d=1):
    """What each mistake with the output's size leads to, written out."""
    span = d * (k - 1) + 1
    return {
        "hint_no_floor": (n + 2 * p - span) / s + 1,
        "hint_ceil": math.ceil((n + 2 * p - span) / s) + 1,
        "hint_no_plus_one": (n + 2 * p - span) // s,
        "hint_no_minus_one": (n + 2 * p - span + 1) // s + 1,
        "hint_unchanged": n,
        "hint_stride_ignored": n + 2 * p - span + 1,
        "hint_padding_once": (n + p - span) // s + 1,
        "hint_padding_ignored": (n - span) // s + 1,
        "hint_dilation_ignored": (n + 2 * p - k) // s + 1,
        "hint_dilation_span": (n + 2 * p - k * d) // s + 1,
        "hint_area": ((n + 2 * p - span) // s + 1) ** 2,
    }


@pytest.mark.parametrize("name, sizes", [("size_lesson", (6, 3)), ("size_padding", (7, 5, 1, 3)),
    ("size_remainder", (11, 5, 4)), ("size_dilation", (12, 3, 1, 0, 3))])  # fmt: skip
def test_mistakes_with_sizes_are_what_the_mistake_gives(name, sizes):
    """All that lead elsewhere than the right answer, and no others."""
    exercise = QUESTIONS[name]
    expected = {key: n for key, n in formulas(*sizes).items() if n != exercise.right}
    assert exercise.mistakes == expected
    assert exercise.values["g"] == lh.ConvGeometry(*sizes)


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
    c1, c3 = (lh.LeNet5().get_parameter(f"{name}.weight") for name in ("c1", "c3"))
    values = {name: QUESTIONS[name].values for name in NUMBERS}
    for name, weight in (("c1_parameters", c1), ("c3_parameters", c3)):
        assert values[name] == {"shape": tuple(weight.shape), "bias": len(weight)}
    steps = [28, *(row.geometry.n_out for row in lh.layer_table(lh.LeNet5())[:4])]
    sizes = {"c1": parameters(1, 6, 5), "c3": parameters(6, 16, 5), "all": 61_706}
    assert sum(p.numel() for p in lh.LeNet5().parameters()) == sizes["all"]
    for name, expected in {
        "c3_multiply_adds": {"outputs": 16 * 10 * 10, "each": c3[0].numel()},
        "four_layers": {"sizes": " → ".join(map(str, steps))},
        "c3_reach": {"s2": c3.shape[-1], "c1": c3.shape[-1] * 2},
        "batches_per_epoch": {"whole": 60_000 // 128},
        "two_3x3_weights": {"small": 3 * 3, "large": 5 * 5},
        "frozen_parameters": {**sizes, "learning": 61_706 - sizes["c1"] - sizes["c3"]},
        "padding_and_stride": {"half": torch_size(6, 3, stride=2)},
    }.items():
        assert values[name] == expected
    assert math.prod(values["fc1_inputs"]["shape"]) == lh.LeNet5().fc1.in_features
    for name in ("corner_pixel", "corner_pixel_padding", "c1_cell_pixels", "c3_cell_products"):
        power = 1 if len(values[name]) > 1 else 2
        assert math.prod(values[name].values()) ** power == ANSWERS[name][0]


def torch_convolution(image, kernel, **options):
    return torch.nn.functional.conv2d(image[None, None], kernel[None, None], **options)[0, 0]


def border(image, left, right):
    return torch.nn.functional.pad(image, (left, right, left, right))


def windows_of_one_step(image, kernel, stride, padding):
    """The right number of outputs, but `r` where it should be `r * stride`."""
    image, k = border(image, padding, padding), len(kernel)
    n = (len(image) - k) // stride + 1
    rows = [[(image[r : r + k, c : c + k] * kernel).sum() for c in range(n)] for r in range(n)]
    return torch.tensor(rows)


def half_of_the_windows(image, kernel, stride, padding):
    """Padding on both sides, counted once."""
    n = (len(image) + padding - len(kernel)) // stride + 1
    return good_convolution(image, kernel, stride, padding)[:n, :n]


CONVOLUTIONS = [
    (lambda i, k, *more: good_convolution(i, k.flip(0).flip(1), *more), "flipped"),
    (lambda i, k, *more: good_convolution(i, k.T, *more), "swapped"),
    (lambda *case: good_convolution(*case)[:-1, :-1], "last row"),
    (lambda i, k, s, p: torch_convolution(border(i, p, p), k), "left out the stride"),
    (windows_of_one_step, "begins at row r × stride"),
    (lambda i, k, s, p: torch_convolution(i, k, stride=s), "left out the padding"),
    (half_of_the_windows, "grows by 2 × padding"),
    (lambda i, k, s, p: torch_convolution(border(i, p, 0), k, stride=s), "above and on the left"),
    (lambda i, k, s, p: torch_convolution(border(i, 0, p), k, stride=s), "below and on the right"),
]


@pytest.mark.parametrize(
    "name, answer, words",
    [
        ("four_layers", ((28 - 5 + 1) // 2 - 5 + 1) // 2, "no padding"),
        ("four_layers", (28 // 2 + 2 * 2 - 5 + 1) // 2, "second convolution has padding"),
        ("four_layers", 28 // 2 - 5 + 1, "before the last pooling"),
        ("batches_per_epoch", 60_000 / 128, "round up"),
        ("batches_per_epoch", 60_000, "number of pictures"),
        ("c3_reach", 5 + 2, "multiply by 2"),
        ("c3_reach", 5 + 5 - 1, "no pooling between"),
        ("c3_reach", 2 * (5 + 5 - 1), "doubled all"),
        ("c3_reach", 5 * 2 + 5, "one too many"),
        ("untrained_loss", 10, "number of digits"),
        ("untrained_loss", 3.32, "log2"),
        ("fc1_inputs", 16 * 5, "one row"),
        ("c3_parameters", 16 * 25, "has a bias"),
        ("c3_parameters", 6 * 25, "one kernel"),
        ("four_layers", 28 - 2 + 1 - 5 + 1 - 2 + 1, "one cell at a time"),
        ("c3_reach", 5, "of S2"),
        ("c3_reach", 5 * 2, "of C1"),
        ("c3_reach", 5 + 2 + 5, "overlap"),
        ("c3_parameters", 16 * 6 * 25, "bias"),
        ("c3_parameters", 16 * 25 + 16, "input channels"),
        ("fc1_inputs", 16 * 4 * 4, "no padding"),
        ("untrained_loss", 1, "log10"),
        ("untrained_loss", -2.3, "sign"),
        ("untrained_loss", 0.1, "chance"),
        ("same_padding", 4, "both sides"),
        ("padding_and_stride", (2, 1), "order"),
        ("my_output_size", lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1, "rounded up"),
        ("my_output_size", lambda n, k, s, p: (n + 2 * p - k) / s + 1, "round down"),
        ("my_output_size", lambda n, k, s, p: (n + p - k) // s + 1, "once"),
        ("my_output_size", lambda n, k, s, p: (n + 2 * p - k) // s, "+ 1"),
        ("my_output_size", lambda n, k, s, p: ((n + 2 * p - k) // s + 1) ** 2, "16 is side"),
        ("c1_cell_pixels", 28 * 28, "whole picture"),
        ("c3_cell_products", 6 * 5 * 5 + 1, "bias is added"),
        ("c3_cell_products", 5 * 5, "one map only"),
        ("frozen_parameters", 6 * 25 + 16 * 150, "biases"),
        ("frozen_parameters", 61_706 - 2572, "still learns"),
        *(("my_convolution", *mistake) for mistake in CONVOLUTIONS),
    ],
)
def test_mistakes_as_students_make_them(name, answer, words, said):
    line = said(name, answer)
    assert line.startswith("✗") and words in line, line


RISING = [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]]


def stroke_kind(block):
    """What a block of 12x12 pixels shows, by where its ink is."""
    rows, columns = (block > 0).nonzero().T
    ways = {"rising": rows + columns, "falling": rows - columns}
    ways |= {"horizontal": rows, "vertical": columns}
    return next((kind for kind, way in ways.items() if len(way.unique()) == 1), "blot")


def marked_by_hand(kernel):
    picture, kernel = lh.stroke_picture(), torch.as_tensor(kernel).float()
    feature_map, k, found = good_convolution(picture, kernel), len(kernel), {}
    for r, c in np.ndindex(*feature_map.shape):
        if feature_map[r, c] > max(feature_map.max().item(), 0) / 2:
            top, left = (r + k // 2) // 12 * 12, (c + k // 2) // 12 * 12
            kind = stroke_kind(picture[top : top + 12, left : left + 12])
            found[kind] = found.get(kind, 0) + 1
    return found


def test_kernels_that_mark_rising_strokes(said):
    explorer = lh.explore_kernels(lh.stroke_picture())
    assert "not answered" in said("rising_strokes", explorer)
    explorer.kernel = RISING
    larger = 5 * torch.eye(5).flip(0) - 1
    for answer in (RISING, torch.tensor(RISING), np.array(RISING) / 2, explorer, larger):
        assert marked_by_hand(getattr(answer, "kernel", answer)) == {"rising": 24}
        line = said("rising_strokes", answer)
        assert line.startswith("✓ rising_strokes") and " 24 " in line


@pytest.mark.parametrize(
    "kernel, words",
    [
        (np.eye(3), "which way"),
        (np.eye(3)[::-1], "added up"),
        ([[-1, 0, 1], [0, 1, 0], [1, 0, -1]], "added up"),
        ([[-1, 2, -1]] * 3, "straight"),
        ([[-1, 0, 1]] * 3, "straight"),  # its marks on the blot are fewer
        ([[-1] * 3, [-1, 1, -1], [1, -1, -1]], "one end"),
        (torch.zeros(3, 3), "marks nothing"),
    ],
)
def test_kernels_that_mark_something_else(said, kernel, words):
    line = said("rising_strokes", kernel)
    assert line.startswith("✗ rising_strokes: ") and words in line, line
    if "too: " in line:
        found = marked_by_hand(np.copy(kernel))
        right = found.pop("rising", 0)
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
        ["4", True, math.nan, 4j, 10**400, "4\n" * 1000, torch.tensor([4, 4]), len],
        "plain number",
    ),
    "padding_and_stride": {2: "two numbers", (1, 2, 3): "two numbers", "1, 2": "without quotes"}
    | {(1, None): "plain number", len: "two numbers"},
    "rising_strokes": {((1, 2),): "square table", 5: "kernel must be"}
    | {"RISING": "kernel must be", torch.eye(3) * 1j: "kernel must be"},
    "my_output_size": dict.fromkeys(
        [lambda: 4, lambda n_in: 4, 4, torch.nn.Identity()], "without parentheses"
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_form_gets_a_sentence(name, said):
    for answer, words in SLIPS[name].items():
        line = said(name, answer)
        assert line.startswith(f"… {name}: ") and words in line and len(line) < 200, line


def test_answers_of_no_kind_raise_nothing(said):
    class Odd:
        def __getattr__(self, name):
            raise RuntimeError(name)

    for answer in (Odd(), np.array([{}]), itertools.count(), torch.zeros(2000)):
        for name in ("size_lesson", "padding_and_stride", "my_output_size"):
            line = said(name, answer)
            assert line[0] in "✗…" and "not answered" not in line, line
        for name in CODE:
            line = said(name, lambda *case, answer=answer: answer)
            assert line.startswith(f"✗ {name}: ") and len(line) < 300, line
    line = said("c3_multiply_adds", 240, 000)
    assert line.startswith("… c3_multiply_adds: ") and "(1, 2)" in line and "240, 0" in line
    wrong = {(1, 1): "6×6", (1, 0): "stride = 0", (-1, 1): "padding = -1", (1.5, 1): "1.5"}
    for answer, words in wrong.items():
        assert words in said("padding_and_stride", answer)


def test_other_wrong_answers_get_a_general_hint(said):
    for name in NUMBERS:
        for answer in (77, -1, 0, 1e30, 10**30, 3.999, 2.5):
            if name != "padding_and_stride" and answer not in QUESTIONS[name].mistakes.values():
                assert said(name, answer).startswith(f"✗ {name}: "), name


def test_nothing_yet(said):
    def dots(*arguments):
        """As the notebook leaves it."""
        ...

    for name in QUESTIONS:
        answers = [(), (None,), (...,)]
        answers += [((None, None),), ((..., ...),)] * (name == "padding_and_stride")
        answers += [(dots,), (lambda *arguments: ...,)] * (name in {*CODE, "my_train_step"})
        for answer in answers:
            assert said(name, *answer) == f"… {name}: not answered yet."


def test_an_unknown_name_lists_the_nearest(said):
    for name, nearest in {
        "corner_pixl": "corner_pixel",
        "Size_Lesson": "size_lesson",
        4: "",
    }.items():
        line = said(name, 4)
        assert line.startswith("✗") and nearest in line
        assert sum(known in line for known in QUESTIONS) >= 3


def half_done(n_in, kernel_size, stride, padding):
    if stride == 1:
        return n_in + 2 * padding - kernel_size + 1


def last_case_fails(n_in, kernel_size, stride, padding):
    if padding == 3:
        raise ZeroDivisionError("division by zero")
    return good_size(n_in, kernel_size, stride, padding)


def test_code_that_goes_wrong_names_the_case(said):
    def fails(error):
        raise error

    first = "my_output_size(6, 3, 1, 0)"
    for function, words in [
        (lambda *case: fails(KeyError("no\nsuch thing")), f"{first}: it fails (KeyError"),
        (lambda *case: fails(SystemExit()), "SystemExit"),
        (lambda *case: print(4), f"{first} returns nothing"),
        (lambda *case: "4", f"{first}: the answer must"),
        (lambda *case: torch.zeros(2), f"{first}: the answer must"),
        (lambda *case: 4, "it should be"),
        (half_done, "my_output_size(7, 1, 2, 0) gives None; it should be 4"),
        (last_case_fails, "(7, 1, 1, 3): it fails (ZeroDivisionError division by zero)"),
    ]:
        line = said("my_output_size", function)
        assert line.startswith("✗ my_output_size: ") and words in line, line


def in_place(image, *more):
    result = good_convolution(image, *more)
    image.zero_()
    return result


def test_convolutions_that_go_wrong(said):
    for function, words in [
        (lambda *case: good_convolution(*case).tolist(), "return an ordinary tensor"),
        (lambda *case: good_convolution(*case)[None], "gives tensor([[["),
        (lambda *case: good_convolution(*case).mean(), "it should be tensor([["),
        (lambda image, kernel, *more: image, "it should be"),
        (lambda image, kernel, *more: torch.zeros(0), "gives tensor([])"),
        (lambda image, kernel, *more: image @ kernel[9], "IndexError"),
        (lambda *case: good_convolution(*case) * math.nan, "nan"),
    ]:
        line = said("my_convolution", function)
        assert line.startswith("✗ my_convolution: ") and words in line, line
        assert len(line) < 400


def test_other_right_code(said):
    for function in (
        lambda *case: good_convolution(*case) + 1e-5,  # as float32 rounds
        lambda *case: good_convolution(*case).double(),
        lambda image, *more: good_convolution(image.requires_grad_(), *more),
        lambda i, k, s, p: torch_convolution(i, k, stride=s, padding=p),
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
    lines = said("my_output_size", lambda *case: time.sleep(0.01) or good_size(*case)).splitlines()
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
    lh.check("my_convolution", in_place)
    for old, new in zip(before, cases):
        assert all(map(torch.equal, old[:2], new[:2]))
