"""Examples that are run fail when they should, and wait for late output."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.docs import examples

LATE_OUTPUT = """
    >>> import threading
    >>> late = threading.Timer(0.05, print, ["late"])
    >>> late.start()
    late
    >>> late.join()
"""


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(examples, "PATIENCE_SECONDS", 0.2)
    return {}


def test_output_from_another_thread_is_waited_for(
    variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "PATIENCE_SECONDS", 10)
    assert examples.run(LATE_OUTPUT, "late", variables) == ""


def test_output_that_never_comes_is_a_failure(variables: dict[str, Any]) -> None:
    report = examples.run(">>> print('here')\nhere\nthere\n", "missing", variables)
    assert "there" in report


def test_output_that_nobody_expects_is_a_failure(variables: dict[str, Any]) -> None:
    report = examples.run(">>> print('here')\n", "unexpected", variables)
    assert "Expected nothing" in report


def test_output_is_expected_of_the_example_that_causes_it(variables: dict[str, Any]) -> None:
    shown = threading.Event()
    variables["shown"] = shown
    text = """
        >>> import threading
        >>> def show():
        ...     print('shown')
        ...     shown.set()
        >>> thread = threading.Thread(target=show)
        >>> thread.start()
        >>> shown.wait(), thread.join()
        (True, None)
    """
    assert "shown" in examples.run(text, "elsewhere", variables)


def test_nothing_is_run_after_a_failure(variables: dict[str, Any]) -> None:
    examples.run(">>> print('here')\nthere\n>>> went_on = True\n", "failure", variables)
    assert "went_on" not in variables


def test_a_literal_block_with_a_name_is_a_variable(variables: dict[str, Any]) -> None:
    text = """\
Text. ::

    /a

      /b

.. -> tree

    >>> tree
    '/a\\n\\n  /b\\n'
"""
    assert examples.run(text, "block", variables) == ""


def test_a_literal_block_without_a_name_is_passed_over(variables: dict[str, Any]) -> None:
    text = "::\n\n    one\n\nText.\n\n::\n\n    two\n\n.. -> name\n\n>>> name\n'two\\n'\n"
    assert examples.run(text, "block", variables) == ""


def test_a_literal_block_with_a_name_is_not_run(variables: dict[str, Any]) -> None:
    text = "::\n\n    >>> 1 / 0\n    2\n\n.. -> name\n\n>>> name\n'>>> 1 / 0\\n2\\n'\n"
    assert examples.run(text, "block", variables) == ""
