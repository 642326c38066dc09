"""The rules of the house that no linter knows: sizes, nesting, names, and what must not be in the tree.

Prints ``path:line: rule: message`` for each violation and exits 1 when there is any.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

MODULE_LINES = 400
FUNCTION_LINES = 40
PARAMETERS = 6
POSITIONAL = 3
NESTING = 3
FORBIDDEN_MODULES = {"utils.py", "helpers.py", "common.py", "manager.py"}
#: Spelled apart, so that this file does not break its own rule.
UNFINISHED = re.compile("#.*\\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + ")\\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|home|Users)/\w+")

_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that a line breaks."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def python_violations(path: str, source: str) -> Iterator[Violation]:
    """Violations of one Python module."""
    n_lines = source.count("\n")
    if n_lines > MODULE_LINES:
        yield Violation(path=path, line=1, rule="module-size", message=f"{n_lines} lines, at most {MODULE_LINES}")
    if Path(path).name in FORBIDDEN_MODULES:
        yield Violation(path=path, line=1, rule="module-name", message="name the concept it holds")
    for number, line in enumerate(source.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield Violation(path=path, line=number, rule="unfinished", message="finish it, or open an issue")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield from _function_violations(path, node)
        if isinstance(node, ast.ExceptHandler) and _is_silent(node):
            yield Violation(path=path, line=node.lineno, rule="silent-except", message="handle it, or let it fly")


def text_violations(path: str, text: str) -> Iterator[Violation]:
    """Violations that any tracked text can hold: a path of somebody's machine."""
    for number, line in enumerate(text.splitlines(), start=1):
        if MACHINE_PATH.search(line):
            yield Violation(path=path, line=number, rule="machine-path", message="a path of one machine")


def _function_violations(path: str, function: Function) -> Iterator[Violation]:
    def violation(rule: str, message: str) -> Violation:
        return Violation(path=path, line=function.lineno, rule=rule, message=f"{function.name}: {message}")

    length = _length(function)
    if length > FUNCTION_LINES:
        yield violation("function-size", f"{length} lines without its docstring, at most {FUNCTION_LINES}")
    depth = _depth(function.body)
    if depth > NESTING:
        yield violation("nesting", f"{depth} blocks deep, at most {NESTING}")
    if function.decorator_list and not _is_method_kind(function):
        return  # a framework passes the arguments, by name
    positional = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    positional = [name for name in positional if name not in {"self", "cls"}]
    total = len(positional) + len(function.args.kwonlyargs)
    if total > PARAMETERS:
        yield violation("parameters", f"{total} parameters, at most {PARAMETERS}")


def _is_method_kind(function: Function) -> bool:
    names = {decorator.id for decorator in function.decorator_list if isinstance(decorator, ast.Name)}
    return bool(names & {"classmethod", "staticmethod", "property"})


def _length(function: Function) -> int:
    end = function.end_lineno or function.lineno
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    skipped = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring is not None else 0
    return end - function.lineno + 1 - skipped


def _depth(body: Iterable[ast.stmt]) -> int:
    deepest = 0
    for statement in body:
        if not isinstance(statement, _BLOCKS):
            continue
        inner = [statement for _, field in ast.iter_fields(statement) if isinstance(field, list) for statement in field]
        inner += [part for handler in getattr(statement, "handlers", []) for part in handler.body]
        inner += [part for case in getattr(statement, "cases", []) for part in case.body]
        deepest = max(deepest, 1 + _depth(part for part in _same_level(statement, inner) if isinstance(part, ast.stmt)))
    return deepest


def _same_level(statement: ast.stmt, inner: list[ast.AST]) -> Iterator[ast.AST]:
    """The statements inside a block; an `elif` is no deeper than its `if`."""
    for part in inner:
        if isinstance(statement, ast.If) and isinstance(part, ast.If) and part in statement.orelse:
            yield from part.body
            yield from _same_level(part, list(part.orelse))
        else:
            yield part


def _is_silent(handler: ast.ExceptHandler) -> bool:
    is_broad = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "Exception")
    return is_broad and all(isinstance(statement, ast.Pass) for statement in handler.body)


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607  git of the PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def main() -> int:
    """Check every tracked file."""
    violations: list[Violation] = []
    for name in _tracked():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a Parquet file
        violations += text_violations(name, text)
        if name.endswith(".py"):
            violations += python_violations(name, text)
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
