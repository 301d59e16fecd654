"""The demonstration shows what it should, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from tests.deadlines import scaled, wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"

CONNECTION_VARIABLE = "ZC_ZK_CONNECTION_STRING"
MARK_VARIABLE = "ZC_ZK_TEST_MARK"

# The promise is a minute.
LONGEST_SECONDS = 60


class Demonstration:
    """A demonstration that is running, with its processes marked as its own."""

    def __init__(
        self, connection_string: str | None, script: Path, arguments: Sequence[str], path: str
    ) -> None:
        self.mark = uuid.uuid4().hex
        marked = {MARK_VARIABLE: self.mark, "PYTHONUNBUFFERED": "1", "PATH": path}
        environment = {**os.environ, **marked}
        environment.pop(CONNECTION_VARIABLE, None)
        if connection_string is not None:
            environment[CONNECTION_VARIABLE] = connection_string
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self.output = ""

    def read_until(self, text: str) -> None:
        """Read its output up to a line with `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return
        raise AssertionError(f"{text!r} was not printed:\n{self.output}")

    def finish(self) -> int:
        """Read the rest, and return the exit status."""
        rest, _ = self.process.communicate(timeout=scaled(LONGEST_SECONDS))
        self.output += rest
        return self.process.returncode

    def processes(self) -> dict[int, str]:
        """Return its processes that run, itself included: number and command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(folder.name)] = command.decode(errors="replace")
            except OSError:
                continue  # it has ended, or is none of ours
        return found

    def end(self) -> None:
        for number in self.processes():
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.communicate()


Run = Callable[..., Demonstration]


@pytest.fixture
def path_without_java(tmp_path: Path) -> str:
    """Return the path for programs on a machine that has no Java."""
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    (tmp_path / "setpriv").symlink_to(setpriv)
    return str(tmp_path)


@pytest.fixture
def run(path_without_java: str) -> Iterator[Run]:
    """Yield a function that starts the demonstration.

    The environment names a server, or none.
    """
    started = []

    def run(
        connection_string: str | None = None,
        script: Path = EXAMPLES / "demo.py",
        *,
        arguments: Sequence[str] = (),
        path: str = path_without_java,
    ) -> Demonstration:
        started.append(Demonstration(connection_string, script, arguments, path))
        return started[-1]

    yield run
    for demonstration in started:
        demonstration.end()


@pytest.fixture
def place(connection_string: str, root: str) -> str:
    """Return the connection string of a place with nothing in it."""
    return connection_string + root


@pytest.mark.parametrize("server", ["embedded", "real", "asyncio"])
def test_it_starts_a_server_and_tells_the_story(
    run: Run, server: str, request: pytest.FixtureRequest
) -> None:
    if server == "asyncio":
        demonstration = run(arguments=["--asyncio"])
    elif server == "real":
        request.getfixturevalue("own_servers_only")
        demonstration = run(arguments=["--real"], path=os.environ["PATH"])
    else:
        demonstration = run()
    assert demonstration.finish() == 0, demonstration.output
    assert not demonstration.processes()
    told = demonstration.output
    addresses = dict(re.findall(r"service (\d) \| registered as \S+/(\S+)", told))
    crashed, stopped, last = (addresses[number] for number in "123")
    callbacks = re.findall(r"consumer  \| (?:callback|news): (.*)", told)
    servers = [set(re.findall(r"[\d.]+:\d+", line)) for line in callbacks if "servers" in line]
    assert servers == [{crashed, stopped, last}, {stopped, last}, {last}]
    assert [line for line in callbacks if "item" in line] == [
        "the item is tea",
        "the item is coffee",
    ]
    assert f"{crashed} says tea: 4.20" in told
    assert f"{stopped} says tea: 4.20" in told
    assert " says coffee: 3.80" in told
    exported = told.rpartition("The tree is exported")[2]
    assert "item = 'coffee'" in exported
    assert f"/{last}" in exported
    assert crashed not in exported


def test_it_uses_a_server_that_is_named_and_leaves_it_as_it_was(
    run: Run, place: str, zookeeper: ModuleType, handle: int
) -> None:
    demonstration = run(place)
    assert demonstration.finish() == 0, demonstration.output
    assert f"the one at {place}" in demonstration.output
    assert not demonstration.processes()
    assert zookeeper.get_children(handle, "/") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_stops_everything(
    run: Run, place: str, number: signal.Signals, zookeeper: ModuleType, handle: int
) -> None:
    demonstration = run(place)
    demonstration.read_until("callback: the servers are")
    demonstration.process.send_signal(number)
    assert demonstration.finish() == 130, demonstration.output
    assert "Traceback" not in demonstration.output
    assert not demonstration.processes()
    assert zookeeper.get_children(handle, "/") == []


def test_killed_it_takes_its_programs_with_it(run: Run) -> None:
    demonstration = run()
    demonstration.read_until("callback: the servers are")
    assert len(demonstration.processes()) == 5, "itself, three services, the consumer"
    demonstration.process.kill()
    wait_until(
        lambda: not demonstration.processes(),
        lambda: f"all processes have ended: {demonstration.processes()}",
    )


def test_a_step_that_fails_says_what_was_expected(
    run: Run, place: str, zookeeper: ModuleType, handle: int, tmp_path: Path
) -> None:
    folder = shutil.copytree(EXAMPLES, tmp_path / "examples")
    (folder / "service.py").write_text("raise SystemExit('no service today')\n")
    demonstration = run(place, folder / "demo.py")
    assert demonstration.finish() == 1
    assert "no service today" in demonstration.output
    assert "expected 'registered as /prices/providers/' from service 1" in demonstration.output
    assert not demonstration.processes()
    assert zookeeper.get_children(handle, "/") == []


def test_without_java_there_is_no_real_server(run: Run) -> None:
    demonstration = run(arguments=["--real"])
    assert demonstration.finish() == 1
    assert "The demonstration failed: no ZooKeeper server: " in demonstration.output
    assert "Traceback" not in demonstration.output


def test_a_connection_string_that_is_no_good_ends_it_with_one_line(run: Run) -> None:
    demonstration = run("127.0.0.1:nonsense")
    assert demonstration.finish() == 1
    assert "The demonstration failed: " in demonstration.output
    assert "Traceback" not in demonstration.output
