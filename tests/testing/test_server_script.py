"""The command zookeeper_server, as a shell runs it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled
from zc.zk.testing import Server

Start = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts the command and returns its process and connection string."""
    with ExitStack() as opened:

        def start(*arguments: object) -> tuple[subprocess.Popen[str], str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "zc.zk.testing.server_script", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            opened.enter_context(process)
            opened.callback(process.kill)
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"listening on (127\.0\.0\.1:\d+)\n", line)
            return process, match[1] if match else line

        yield start


def test_it_says_where_it_listens_and_that_it_is_no_ensemble(start: Start) -> None:
    process, where = start("--port", 0)
    with zc.zk.ZooKeeper(where) as zk:
        assert zk.get_children("/") == ["zookeeper"]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=scaled(20))
    assert (process.returncode, output) == (0, "")
    assert "for development and tests" in errors


def test_it_holds_a_tree_and_keeps_what_is_changed_in_a_file(start: Start, tmp_path: Path) -> None:
    tree, data = tmp_path / "tree", tmp_path / "data"
    tree.write_text("/service\n  threads = 3\n  /providers\n")
    process, where = start("--port", 0, "--tree", tree, "--data", data)
    with zc.zk.ZooKeeper(where) as zk:
        zk.properties("/service").update(colour="red")
        assert zk.get_children("/service") == ["providers"]
    process.terminate()
    assert process.wait(scaled(20)) == 0
    _, again = start("--port", 0, "--data", data)
    with zc.zk.ZooKeeper(again) as zk:
        assert zk.get_properties("/service") == {"colour": "red", "threads": 3}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("this is no tree", "line 1|1"), ("/a\n  x = [\n", "2"), (None, "No such file")],
)
def test_a_tree_that_is_no_good_is_a_message_and_not_a_server(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    tree = tmp_path / "tree"
    if content is not None:
        tree.write_text(content)
    assert re.search(complaint, failure("--port", "0", "--tree", str(tree)))


def test_a_port_that_is_taken_is_a_message(own: Server) -> None:
    assert "in use" in failure("--port", str(own.port))


def test_a_file_that_is_damaged_is_a_message_and_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"precious")
    assert f"{data}: not a snapshot" in failure("--port", "0", "--data", str(data))
    assert data.read_bytes() == b"precious"


def failure(*arguments: str) -> str:
    """What is said by a command that fails."""
    process = subprocess.run(
        [sys.executable, "-m", "zc.zk.testing.server_script", *arguments],
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert "Traceback" not in process.stderr
    return process.stderr


def test_a_client_that_is_connected_does_not_hinder_the_end(start: Start) -> None:
    process, where = start("--port", 0)
    handle = zookeeper.init(where)
    try:
        process.terminate()
        assert process.wait(scaled(20)) == 0
    finally:
        zookeeper.close(handle)
