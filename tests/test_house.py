"""The house: what imports what, how large a file may be, what a docstring says, every sentence twice."""

import ast
import graphlib
import inspect
import re
import subprocess

import nbformat
from lab import PROJECT

import lenet_helpers as lh
from notebooks.support.words import texts

SUPPORT = PROJECT / "notebooks" / "support"
PAGES = PROJECT / "notebooks" / "pages"
MODULES = [PROJECT / "lenet_helpers.py", *SUPPORT.rglob("*.py"), *PAGES.glob("*.py")]
FLOORS = (  # from the ground up: what may import what stands below it; support: checks, files, sizes
    *({"words"}, {"support"}, {"data"}, {"network"}, {"figures"}, {"widgets"}),
    *({"training", "exercises"}, {"lenet_helpers"}, {"pages"}),
)


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def needs(path):
    """The project's own files that a file imports."""
    found = set()
    for node in ast.walk(parse(path)):
        if not isinstance(node, ast.ImportFrom):
            continue
        name = (node.module or "").split(".")
        if node.level or name[0] in ("notebooks", "lenet_helpers"):
            start = path.parents[node.level - 1] if node.level else PROJECT
            target = start.joinpath(*name)
            found.add(target / "__init__.py" if target.is_dir() else target.with_suffix(".py"))
    return found


def wing(path):
    """The wing that a file belongs to; of what stands alone, its folder's name."""
    if path.parent == PROJECT:
        return path.stem
    parts = path.relative_to(PROJECT / "notebooks").parts
    return parts[1] if len(parts) > 2 else parts[0]


def test_arrows_go_down_and_in_no_circle():
    floor = {name: i for i, names in enumerate(FLOORS) for name in names}
    arrows = {path: needs(path) for path in MODULES}
    for path, others in arrows.items():
        for other in others:
            assert other in arrows, f"{path} imports {other}"
            here, there = wing(path), wing(other)
            assert here == there or floor[here] > floor[there], f"{path} imports {other}"
    graphlib.TopologicalSorter(arrows).prepare()  # raises for a circle


def test_every_folder_is_small_and_lists_its_rooms():
    for folder in {path.parent for path in MODULES} - {PROJECT}:
        files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert len(files) <= 9, folder
        wings = {path.parent.name for path in folder.glob("*/__init__.py")}
        said = ast.get_docstring(parse(folder / "__init__.py"))
        listed = re.findall(r"^(\w+(?:, \w+)*)  +\S", said, re.M)
        assert {name for names in listed for name in names.split(", ")} == files | wings, folder


def test_files_and_functions_are_small():
    for path in MODULES:
        tree, lines = parse(path), path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= (400 if path.stem == "lenet_helpers" else 250), path
        assert max(map(len, lines), default=0) <= 100, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 40, node.name


def javascript_functions(lines):
    """(first line, number of lines) of each function: to the bracket at its own indentation."""
    for i, line in enumerate(lines):
        indent, start = re.match(r"( *)(.*)", line).groups()
        is_block = re.match(r"(if|for|while|switch|else|class)\b|}", start)
        if start.endswith("{") and ("(" in start or "=>" in start) and not is_block:
            rest = enumerate(lines[i:], 1)
            yield start, next(n for n, end in rest if end.startswith(indent + "}"))


def test_javascript_is_small():
    for path in [*SUPPORT.rglob("*.js"), *PAGES.glob("*.js")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 450 and max(map(len, lines)) <= 100, path
        functions = dict(javascript_functions(lines))
        assert functions and max(functions.values()) <= 80, (path, functions)


def vocabulary_of(path):
    """The names of the helper module that a notebook uses."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return set(re.findall(r"\blh\.(\w+)", code))


def notebooks_that_a_docstring_names(text):
    """{4, 5, 6} of "Notebooks 04 to 06.", {0, 3} of "Notebooks 00 and 03."."""
    named = set()
    for numbers in re.findall(r"\b[Nn]otebooks? (\d\d(?:(?:, | and | to )\d\d)*)", text):
        for first, last in re.findall(r"(\d\d)(?: to (\d\d))?", numbers):
            named |= set(range(int(first), int(last or first) + 1))
    return named


def test_the_vocabulary_is_what_notebooks_use_and_docstrings_name_them():
    paths = PROJECT.glob("notebooks/*/*.ipynb")
    uses = {int(path.name[:2]): vocabulary_of(path) for path in paths}
    assert set().union(*uses.values()) <= set(lh.__all__)
    for name in lh.__all__:
        thing = getattr(lh, name)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            said = notebooks_that_a_docstring_names(" ".join((thing.__doc__ or "").split()))
            assert said == {n for n, names in uses.items() if name in names}, name


def test_every_text_is_there_in_both_languages_and_used():
    chinese = re.compile("[\u4e00-\u9fff]")
    assert len(texts.TEXTS) == sum(map(len, texts.TABLES.values()))  # no key stands in two tables
    for key, pair in texts.TEXTS.items():
        zh, en = pair["zh"], pair["en"]
        fields = [set(re.findall(r"{(\w+)", sentence)) for sentence in (zh, en)]
        assert zh.strip() and en.strip() and fields[0] == fields[1], key
        assert not chinese.search(en), key
    files = [*MODULES, *SUPPORT.glob("*/*/*.toml")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    used = {quoted or name for quoted, name in re.findall(r'"(\w+)"|^(\w+) = ', source, re.M)}
    families = tuple(re.findall(r'"([a-z]+_)["{]', source))  # text(f"kind_{kind}"), ("pad_",)
    assert [key for key in texts.TEXTS.keys() - used if not key.startswith(families)] == []


def test_what_the_documents_name_is_there():
    guides = PROJECT.glob("notebooks/*/*.md")
    for document in PROJECT / "README.md", PROJECT / ".github" / "CONTRIBUTING.md", *guides:
        content = document.read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", content):
            target, _, anchor = link.partition("#")
            path = document.parent / target if target else document
            assert path.exists(), (document, link)
            if anchor:
                headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8").lower(), re.M)
                anchors = [re.sub(r"[^\w -]", "", each).replace(" ", "-") for each in headings]
                assert anchor in anchors, (document, link)
        for path in re.findall(r"(?:notebooks|tests)/[\w/]+\.(?:ipynb|py|txt)", content):
            assert (PROJECT / path).exists(), (document, path)
    assert len((PROJECT / "README.md").read_text(encoding="utf-8")) <= 11_000


def test_top_level_is_as_agreed():
    paths = subprocess.check_output(["git", "ls-files"], cwd=PROJECT, text=True).split()
    top = {path.split("/")[0] for path in paths if not path.startswith(".")}
    files = {"lenet_helpers.py", "requirements.txt", "README.md", "pyproject.toml"}
    assert top <= {"notebooks", "img", "tests"} | files
    assert not [path for path in paths if "ubyte" in path]  # MNIST stays out
