"""Shell sessions that are run fail when they should, and wait for output."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.deadlines import wait_until
from tests.docs import transcripts


@pytest.fixture
def run(tmp_path, monkeypatch):
    def run(document, patience=0.5, names=None):
        monkeypatch.setattr(transcripts, "PATIENCE_SECONDS", patience)
        return transcripts.run(document, tmp_path, {"PATH": os.environ["PATH"]}, names or {})

    return run


GOOD = """
Text with a $ sign::

    $ echo one; echo two >&2
    one
    two
    $ cat > file <<END
    >   indented
    >
    > more
    > END
    $ cat file
      indented

    more

    $ x=kept

More text::

    $ echo $x and more
    kept and ...
    $ printf 'no end'
    no end
    $ (sleep 0.2; echo late) &
    late

The end.
"""


def test_an_output_as_written_passes(run):
    assert run(GOOD, patience=20) == ""


def test_commands_and_what_they_show():
    assert list(transcripts.commands("\n    $ a\n    > b\n    c\n\n    d\n\nText\n    $ e\n")) == [
        (2, "a\nb", "c\n\nd\n"),
        (9, "e", ""),
    ]


def test_names_stand_for_others(run):
    names = {"example.com": "127.0.0.1"}
    assert run("    $ echo at example.com\n    at example.com\n", 20, names) == ""


@pytest.mark.parametrize(
    "document",
    [
        "    $ echo one\n    two\n",
        "    $ echo one\n",
        "    $ true\n    one\n",
        "    $ sleep 60\n",
        "    $ exit\n",
        "    $ no-such-command\n",
        "    $ cat\n",
    ],
)
def test_an_output_that_is_not_as_written_is_a_failure(run, document):
    assert "line 1" in run(document)


def test_an_output_after_the_end_is_a_failure(run):
    assert "late" in run("    $ (sleep 0.3; echo late) &\n", patience=1)


def test_a_command_in_the_background_ends(run, tmp_path):
    assert "still there" in run("    $ sleep 1000 & echo $! > pid\n")
    pid = Path(tmp_path, "pid").read_text().strip()
    # The process may be gone before anybody has asked for its status.
    wait_until(lambda: state_of(pid) in ("", "Z"), "it is gone")


def state_of(pid: str) -> str:
    """Return the letter that the kernel has for it, '' for no such process."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
