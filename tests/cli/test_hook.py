"""Commands that are run for changes: how they are told of a file, and why they fail."""

from __future__ import annotations

import os
import shlex

import pytest

from zc.zk.cli import hook


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("check -f %s", "check -f '/a b'"),
        ("check %%s %s%%", "check %s '/a b'%"),
        ("date +%d", "date +%d"),
        (("check", "-f%s", "%%s"), ["check", "-f/a b", "%s"]),
    ],
)
def test_the_place_of_a_file_is_marked_in_a_command(command, told):
    assert hook.with_path(command, "/a b") == told


def test_a_command_is_shown_as_it_would_be_typed():
    assert hook.shown("a 'b'") == repr("a 'b'")
    assert hook.shown(("a", "b c")) == repr("a 'b c'")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("true", ""),
        ("exit 3", "its status is 3"),
        (("sh", "-c", "exit 3"), "its status is 3"),
        ("kill -KILL $$", "it was ended by signal 9"),
    ],
)
def test_the_reason_of_a_failure_is_told(command, reason):
    assert hook.run(command, {}) == reason


def test_a_command_that_cannot_be_started_has_failed():
    variables = {"ZC_ZK_PATHS": "x" * (1 << 20)}
    assert hook.run("true", variables) == "it cannot be started: Argument list too long"


def test_a_command_that_reads_nothing_is_no_reason_to_wait():
    assert hook.run("exec <&-; exit 0", {}, b"x" * (1 << 22)) == ""


def test_a_command_ends_when_it_is_no_longer_wanted():
    reason = hook.run("sleep 1000", {}, is_over=lambda: True)
    assert reason == "it is ended, as this process ends"


def test_a_command_is_told_by_variables_and_input(tmp_path):
    out = shlex.quote(str(tmp_path / "out"))
    variables: dict[str, str | bytes] = {
        "ZC_ZK_PATHS": "/ü\n/b".encode(),
        "ZC_ZK_CHANGES": "2",
    }
    assert (
        hook.run(f'{{ echo "$ZC_ZK_PATHS $ZC_ZK_CHANGES"; cat; }} > {out}', variables, b"in") == ""
    )
    assert (tmp_path / "out").read_bytes() == "/ü\n/b 2\nin".encode()


def test_a_command_has_none_of_our_descriptors(tmp_path):
    out = shlex.quote(str(tmp_path / "out"))
    with open(os.devnull) as held:
        os.set_inheritable(held.fileno(), False)
        assert hook.run(f"ls /proc/self/fd > {out}", {}) == ""
    assert len((tmp_path / "out").read_text().split()) <= 5
