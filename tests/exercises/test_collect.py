"""A class's reports, pasted badly, collected: what is printed, and the table read back."""

import csv
import json
import os
import random
import re
import textwrap
from collections import Counter

import pytest

import lenet_helpers as lh
from notebooks.support.exercises.questions import HOMEWORK
from notebooks.support.words import texts

NAMES = "Ming,Li (3B),欧阳 小明,O'Neil,José,Zoë-Ann,陈,Ann B.,mei_mei,李 雷".split(",")
STUDENTS = [f"{name} {i}" if i > 9 else name for i, name in enumerate(3 * NAMES)]
CODE = "def my_output_size(n_in, kernel_size, stride, padding):\n\n    return n_in  # 2 * padding"


def in_signs_of_chinese(text):
    wide = {ord(c): ord(c) + 0xFEE0 for c in ":;,()0123456789"}
    return re.sub(r"[ ·:;,()\d]+(?!\w*_)", lambda m: m[0].translate(wide), text)


def in_markdown(text):
    first, rest = text.split("\n", 1)
    return f"# homework\n**{first}**\n```\n{rest}\n```\n".replace("_", "\\_")


WAYS = {
    "as it is": lambda text: text,
    "quoted": lambda text: textwrap.indent(text, "> > ", lambda line: True),
    "blank lines": lambda text: text.replace("\n", "\r\n\r\n"),
    "full width": in_signs_of_chinese,
    "with a sender": lambda text: "[19:30] Li Lei (phone): " + re.sub("(?m)^ +", "", text),
    "the first line": lambda text: f"“{text.splitlines()[0]}” sent from my phone",
    "markdown": in_markdown,
    "wrapped": lambda text: "\n".join(textwrap.fill(t, 58) for t in text.splitlines()),
    "other signs": lambda text: re.sub("[·✓✗ ]", lambda m: {" ": "\xa0"}.get(m[0], "•"), text),
    "as Windows saves it": lambda text: text.encode("utf-16"),
}


@pytest.fixture
def made(own, capsys):
    """Gives `made(student, language, {exercise: (answer, right)})` -> what `report` prints."""
    own.parent.mkdir()

    def make(student, language, given):
        texts.use(language)
        entries = {n: {"answer": a, "right": r, "tries": 2} for n, (a, r) in given.items()}
        own.write_text(json.dumps(entries), encoding="utf-8")
        capsys.readouterr()
        lh.report(student)
        return capsys.readouterr().out

    return make


def given_by(student):
    """Made-up answers: some right, some wrong, some not given."""
    dice = random.Random(student)
    given = {}
    for name in HOMEWORK:
        right = dice.random() < 0.6
        answer = CODE if name.startswith("my_") else dice.choice(["7", "2.5", "-4", "(2, 1)"])
        if dice.random() < 0.8:
            given[name] = answer, right
    return given


def read_back(folder):
    rows = csv.DictReader((folder / "collected.csv").read_text("utf-8-sig").splitlines())
    return {row[next(iter(row))]: row for row in rows}


def test_thirty_reports_pasted_in_ten_ways(tmp_path, made, capsys):
    given = {student: given_by(student) for student in STUDENTS}
    (tmp_path / "early.txt").write_text(made("MING", "en", {}), encoding="utf-8")
    os.utime(tmp_path / "early.txt", (1, 1))
    for i, (way, paste) in enumerate(WAYS.items()):
        three = STUDENTS[i::10]
        pasted = [paste(made(s, ("zh", "en")[k % 2], given[s])) for k, s in enumerate(three)]
        pasted = [text if isinstance(text, bytes) else text.encode() for text in pasted]
        if i % 2 == 0:  # all in one file
            pasted = [b"Hi, here it is!\n\n" + b"\n\nLi Lei 19:31\n".join(pasted)]
        for k, content in enumerate(pasted):
            (tmp_path / f"{way} {k}.txt").write_bytes(content)
    texts.use("en")
    for _ in range(2):
        capsys.readouterr()
        lh.collect(str(tmp_path))
        out = capsys.readouterr().out
        assert "collected.csv: no" not in out and "look yourself" not in out, out
    assert out.startswith("30 students, ") and "MING" not in out.split("handed in")[0]
    assert "Ming handed in 2 (early.txt, as it is 0.txt)" in out
    table = read_back(tmp_path)
    assert sorted(table) == sorted(STUDENTS)
    shown, wrong = " ".join(CODE.split()), Counter()
    for i, student in enumerate(STUDENTS):
        alone = list(WAYS)[i % 10] == "the first line"
        for name in HOMEWORK:
            answer, right = given[student].get(name, ("", False))
            answer = "" if alone else shown[:60] + "…" if answer == CODE else answer
            assert table[student][name] == ("✓" if right else f"✗ {answer}".strip()), student
            wrong[name, answer] += bool(answer) and not right
        assert int(table[student]["right"]) == sum(right for _, right in given[student].values())
    missed = Counter({n: sum(row[n] != "✓" for row in table.values()) for n in HOMEWORK})
    hardest = re.findall(r"^ +(\d+) / 30  (\w+)  (.*)$", out.split("The hardest")[1], re.M)
    assert [30 - int(n) for n, _, _ in hardest] == [n for _, n in missed.most_common(5)]
    for n, name, common in hardest:
        assert int(n) == 30 - missed[name]
        answer, k = re.match(r"(.*?) \((\d+)\)(?:, |$)", common).groups()
        assert wrong[name, answer] == int(k) == max(k for (n, _), k in wrong.items() if n == name)


def test_what_cannot_be_read_is_named(tmp_path, made, capsys):
    whole = made("Li", "zh", given_by("Li"))
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)))
    (tmp_path / "nobody.txt").write_text(made(..., "en", {}), encoding="utf-8")
    (tmp_path / "cut.txt").write_text(whole.splitlines()[0][:-30], encoding="utf-8")
    (tmp_path / "list.txt").write_text("=1+1" + whole.removeprefix("Li"), encoding="gb18030")
    (tmp_path / ".hidden").touch()
    texts.use("en")
    lh.collect(tmp_path)
    named = capsys.readouterr().out.split(texts.text("collect_unread") + "\n")[1].splitlines()[:-1]
    files = sorted(line.split(":")[0].strip() for line in named)
    assert files == ["cut.txt", "nobody.txt", "photo.jpg"]
    assert list(read_back(tmp_path)) == ["1+1", "Li"]
    with pytest.raises(OSError, match="nowhere.*cannot be read"):
        lh.collect(tmp_path / "nowhere")
