"""docs/promises.md names tests that keep each promise: they exist, and are not skipped by a mark."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [line for line in (ROOT / "docs/promises.md").read_text().splitlines() if re.match(r"\| .*#\d|\| R2R", line)]
KEEPERS = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def marks_in(module: str) -> dict[str, list[str]]:
    """Names of the module's tests, each with its decorators."""
    tree = ast.parse((ROOT / module).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: [ast.unparse(mark) for mark in node.decorator_list] for node in functions}


def test_there_are_promises_to_keep():
    assert len(ROWS) >= 16


@pytest.mark.parametrize("row", ROWS, ids=[row[2:40] for row in ROWS])
def test_each_promise_is_kept_by_tests_that_exist(row: str):
    keepers = KEEPERS.findall(row)
    assert keepers
    for module, name in keepers:
        assert name in marks_in(module), f"{module} has no {name}"
        assert not [mark for mark in marks_in(module)[name] if "pytest.mark.skip(" in mark]
