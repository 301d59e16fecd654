"""Docstrings become the reference: code, arguments and examples are marked as such."""

from __future__ import annotations

import inspect

import pytest
from scripts.docstrings import as_restructured_text, names_of

import zc.zk
import zookeeper

pytestmark = pytest.mark.quick


def converted(text: str, *names: str) -> str:
    return "\n".join(as_restructured_text(text.splitlines(), names)).strip("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain text.", "Plain text."),
        ("See `get`.", "See :py:obj:`get`."),
        ("See `zc.zk.get` and `a b`.", "See :py:obj:`zc.zk.get` and ``a b``."),
        ("Without ` =>`.", "Without ``=>``."),
        ("Already ``code``.", "Already ``code``."),
        ("It is '@4q', or `@4q`.", r"It is '\@4q', or ``@4q``."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
    ],
)
def test_code_in_text_is_marked(text: str, expected: str) -> None:
    assert converted(text) == expected


def test_arguments_are_a_list() -> None:
    text = "Read.\n\npath: where `it` is,\n    or was.\nother: more."
    assert converted(text, "path", "other") == (
        "Read.\n\n\n- ``path``: where :py:obj:`it` is,\n  or was.\n- ``other``: more."
    )


def test_words_with_a_colon_are_no_arguments() -> None:
    assert converted("Nothing: it is text.", "path") == "Nothing: it is text."


def test_indented_lines_are_an_example() -> None:
    text = "So this counts:\n\n    n = `1`\n\nMore."
    assert converted(text) == "So this counts:\n\n::\n\n    n = `1`\n\nMore."


def test_the_names_are_those_of_arguments_and_attributes() -> None:
    assert {"path", "trim", "skip"} <= names_of(zc.zk.ZooKeeper.import_tree)
    assert {"bufferlen", "timeout"} <= names_of(zookeeper.get)
    assert {"ca", "verify"} <= names_of(zc.zk.TLS)


def test_a_docstring_of_the_binding_is_converted() -> None:
    text = inspect.getdoc(zookeeper.get) or ""
    assert "- ``watcher``: called once" in converted(text, *names_of(zookeeper.get))
