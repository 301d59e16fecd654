"""The scripts that CI and git call."""

from __future__ import annotations

import json

import pytest
from scripts import check_commit_message, flaky

pytestmark = pytest.mark.quick


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Return a function that replaces make, with a new folder for flaky tests.

    The function returns the calls of make.
    """
    calls: list[list[str]] = []
    monkeypatch.setattr(flaky, "FLAKY", tmp_path / "build" / "flaky")
    monkeypatch.setattr(flaky, "LAST_FAILED", tmp_path / "lastfailed")
    monkeypatch.setattr(flaky, "SANITIZED_FAULTS", tmp_path / "faults")

    def making(*failures: list[str] | None, faults: str = "") -> list[list[str]]:
        """Let each run of make fail with these tests; None is a success."""
        left = list(failures)

        def make(target, arguments):
            calls.append([target, *arguments])
            failed = left.pop(0)
            if failed:
                flaky.LAST_FAILED.write_text(json.dumps(dict.fromkeys(failed, True)))
                flaky.SANITIZED_FAULTS.write_text(faults)
            return failed is None

        monkeypatch.setattr(flaky, "make", make)
        return calls

    return making


def test_a_run_that_succeeds_is_not_repeated(listed, capsys):
    calls = listed(None)
    assert flaky.run("test", ["-q"]) == 0
    assert calls == [["test", "-q"]]
    assert flaky.summary() == 0
    assert capsys.readouterr().out == "No test needed a second try.\n"


def test_a_test_that_fails_once_is_listed_as_flaky(listed, capsys):
    calls = listed(["tests/test_a.py::test_b"], None)
    assert flaky.run("asan", []) == 0
    assert "--last-failed" in calls[1][-1]
    assert flaky.summary() == 0
    assert "make asan: tests/test_a.py::test_b" in capsys.readouterr().out


def test_a_test_that_fails_twice_has_failed(listed):
    listed(["a"], ["a"])
    assert flaky.run("test", []) == 1


def test_a_failure_that_is_no_test_is_not_repeated(listed):
    listed([])
    assert flaky.run("test", []) == 1


def test_a_fault_that_a_sanitizer_saw_is_not_tried_again(listed):
    calls = listed(["a"], faults="heap-use-after-free")
    assert flaky.run("asan", []) == 1
    assert len(calls) == 1


def test_a_third_flaky_test_fails_the_run(listed, capsys):
    listed(["a", "b"], None, ["c"], None)
    assert flaky.run("test", []) == 0
    assert flaky.summary() == 0
    assert flaky.run("asan", []) == 0
    assert flaky.summary() == 1
    assert "FLAKY: 3 tests needed a second try" in capsys.readouterr().out


@pytest.mark.parametrize(
    "message",
    ["x" * 72, "Subject\n\nBody that is as long as it likes " + "x" * 100, "fixup! " + "x" * 72],
)
def test_a_good_commit_message_passes(message):
    assert check_commit_message.fault(message) is None


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("x" * 73, "has 73 characters"),
        ("", "is blank"),
        ("# a comment\n", "is blank"),
        ("Subject\nand no blank line", "is not blank"),
    ],
)
def test_a_bad_commit_message_is_refused(message, fault):
    assert fault in str(check_commit_message.fault(message))
