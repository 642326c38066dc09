"""Every rule of the house catches its violation, and lets good code pass."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "house_rules.py"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_rules", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RULES = loaded()


def broken(source: str, path: str = "strategy/good.py") -> list[tuple[int, str]]:
    """Line and rule of each violation."""
    found = [*RULES.python_violations(path, source), *RULES.text_violations(path, source)]
    return [(violation.line, violation.rule) for violation in found]


def function(n_lines: int, docstring: str = "") -> str:
    return "\n".join(["def f():", docstring, *["    x = 1"] * (n_lines - 2)]) + "\n"


def test_good_code_passes() -> None:
    source = '''"""Good."""


def total(prices: list[float], *, scale: float = 1.0) -> float:
    """Sum of the prices."""
    result = 0.0
    for price in prices:
        if price > 0:
            result += price
    return result * scale
'''
    assert broken(source) == []


@pytest.mark.parametrize(("n_lines", "expected"), [(400, []), (401, [(1, "module-size")])])
def test_a_module_has_at_most_400_lines(n_lines: int, expected: list[tuple[int, str]]) -> None:
    assert broken("x = 1\n" * n_lines) == expected


@pytest.mark.parametrize(("n_lines", "expected"), [(40, []), (41, [(1, "function-size")])])
def test_a_function_has_at_most_40_lines(n_lines: int, expected: list[tuple[int, str]]) -> None:
    assert broken(function(n_lines)) == expected


def test_the_docstring_of_a_function_does_not_count() -> None:
    docstring = '    """First.\n' + "    more\n" * 30 + '    """'
    assert broken(function(41, docstring)) == []
    assert broken(function(42, docstring)) == [(1, "function-size")]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_has_at_most_six_parameters(kind: str) -> None:
    assert broken(f"{kind} f(a, b, c, *, d, e, g):\n    pass\n") == []
    assert broken(f"{kind} f(a, b, c, *, d, e, g, h):\n    pass\n") == [(1, "parameters")]


def test_self_is_no_parameter() -> None:
    assert broken("class A:\n    def f(self, a, b, c, d, e, g):\n        pass\n") == []


def test_a_method_keeps_the_limit_whatever_its_kind() -> None:
    source = "class A:\n    @classmethod\n    def f(cls, a, b, c, d, e, g, h):\n        pass\n"
    assert broken(source) == [(3, "parameters")]


def test_parameters_that_a_framework_passes_are_not_counted() -> None:
    assert broken("@app.get('/')\ndef f(a, b, c, d, e, g, h):\n    pass\n") == []


def nested(depth: int) -> str:
    lines = ["def f(a):", *["    " * (level + 1) + "if a:" for level in range(depth)], "    " * (depth + 1) + "pass"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("depth", "expected"), [(3, []), (4, [(1, "nesting")])])
def test_blocks_are_at_most_three_deep(depth: int, expected: list[tuple[int, str]]) -> None:
    assert broken(nested(depth)) == expected


def test_an_elif_is_no_deeper_than_its_if() -> None:
    branches = "".join(f"    elif a == {number}:\n        pass\n" for number in range(9))
    assert broken(f"def f(a):\n    if a:\n        pass\n{branches}    else:\n        pass\n") == []


@pytest.mark.parametrize(
    "block",
    [
        "try:\n{0}pass\nexcept ValueError:\n{0}if a:\n{0}{0}if a:\n{0}{0}{0}for b in a:\n{0}{0}{0}{0}pass",
        "match a:\n{0}case 1:\n{0}{0}if a:\n{0}{0}{0}if a:\n{0}{0}{0}{0}while a:\n{0}{0}{0}{0}{0}pass",
        "if a:\n{0}pass\nelse:\n{0}with a:\n{0}{0}if a:\n{0}{0}{0}for b in a:\n{0}{0}{0}{0}pass",
    ],
)
def test_every_branch_of_a_block_is_looked_into(block: str) -> None:
    body = "\n".join("    " + line for line in block.format("    ").splitlines())
    assert broken(f"def f(a):\n{body}\n") == [(1, "nesting")]


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common.py", "manager.py"])
def test_a_module_is_named_for_its_concept(name: str) -> None:
    assert broken("x = 1\n", f"strategy/{name}") == [(1, "module-name")]


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "X" * 3])
def test_what_is_unfinished_is_found(word: str) -> None:
    assert broken(f"x = 1\ny = 2  # {word}: later\n") == [(2, "unfinished")]
    assert broken(f"{word} = 1\n") == []


@pytest.mark.parametrize("clause", ["except:", "except Exception:", "except Exception as error:"])
def test_an_error_is_not_swallowed(clause: str) -> None:
    assert broken(f"try:\n    f()\n{clause}\n    pass\n") == [(3, "silent-except")]


def test_an_error_that_is_named_or_handled_passes() -> None:
    assert broken("try:\n    f()\nexcept KeyError:\n    pass\n") == []
    assert broken("try:\n    f()\nexcept Exception:\n    g()\n") == []


@pytest.mark.parametrize("folder", ["home", "Users", "work"])
def test_a_path_of_one_machine_is_found_in_any_text(folder: str) -> None:
    assert broken(f"x = '/{folder}/somebody/data'\n") == [(1, "machine-path")]
    assert broken(f"x = 'api/{folder}/somebody'\ny = 'https://host/{folder}/page'\n") == []


def test_a_violation_reads_like_a_compilers() -> None:
    (violation,) = RULES.python_violations("strategy/utils.py", "x = 1\n")
    assert str(violation) == "strategy/utils.py:1: module-name: name the concept it holds"
