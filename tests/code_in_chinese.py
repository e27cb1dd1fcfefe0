"""The Chinese edition's code, made of the English: its comments and what it prints, by one table.

A key of code_in_chinese.toml is a whole comment or a whole string literal as the English code has
it. What must be there: every comment, and every string that is printed (that `print` is given, an
f-string, a docstring), if it has an English word. Other strings are translated if they are there;
what a call of `lh` is given (a label, an exercise, a layer, a file) stays.
"""

import ast
import io
import itertools
import re
import tokenize
import tomllib
from pathlib import Path

TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
WORD = re.compile(r"\b[A-Z]?[a-z]{2,}\b(?!=)")  # not a name: C1, ReLU, fc1, padding=2


def is_literal(node):
    is_string = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_string or isinstance(node, ast.JoinedStr)


def literals(node, printed=False):
    """Each outermost string literal, but those given to `lh`; and whether it is printed."""
    if is_literal(node):
        yield node, printed or isinstance(node, ast.JoinedStr)
    elif isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        yield from literals(node.func, printed)
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not (name.startswith("lh.") and is_literal(value)):
                yield from literals(value, name == "print")
    else:
        printed = isinstance(node, ast.Expr) or printed and not isinstance(node, ast.Subscript)
        for child in ast.iter_child_nodes(node):
            yield from literals(child, printed)


def words(literal):
    parts = literal.values if isinstance(literal, ast.JoinedStr) else [literal]
    return " ".join(part.value for part in parts if isinstance(part, ast.Constant))


def phrases(source):
    """(start, end, key, words) of each comment and string literal: its place in bytes, its source
    and its words for a reader. From last to first, so that each can be replaced where it stands."""
    lines = source.split("\n")
    starts = list(itertools.accumulate((len(line.encode()) + 1 for line in lines), initial=0))
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            start = starts[row - 1] + len(lines[row - 1][:column].encode())
            end = start + len(token.string.encode())
            found.append((start, end, token.string, token.string))
    for node, printed in literals(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        key = ast.get_source_segment(source, node)
        found.append((start, end, key, words(node) if printed else ""))
    return sorted(found, reverse=True)


def in_chinese(source, table=TABLE):
    """A cell's code with Chinese comments and words. Raises LookupError: what the table lacks."""
    code, missing = source.encode(), []
    for start, end, key, said in phrases(source):
        if key in table:
            code = code[:start] + table[key].encode() + code[end:]
        elif WORD.search(said):
            missing.insert(0, key)
    if missing:
        raise LookupError("\n".join(missing))
    return code.decode().replace('lh.start("en")', 'lh.start("zh")')
