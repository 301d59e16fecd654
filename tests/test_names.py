"""Names of tests say subject, situation and expectation.

They fit on a line of a summary.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

TESTS = Path(__file__).parent

MAX_NAME = 72

# Clauses that begin like this have no subject that a reader could look for.
CLAUSES = re.compile(r"test_(who|what|which|whose|whom|that)(ever)?_")

NAMES = [
    (path.relative_to(TESTS), node.name)
    for path in sorted(TESTS.rglob("test_*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
]


def test_a_name_has_72_characters_at_most() -> None:
    assert len(NAMES) > 1000
    assert [name for name in NAMES if len(name[1]) > MAX_NAME] == []


def test_a_name_begins_with_its_subject() -> None:
    assert CLAUSES.match("test_whoever_comes_late")
    assert [name for name in NAMES if CLAUSES.match(name[1])] == []
