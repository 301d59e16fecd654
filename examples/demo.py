"""Show zc.zk in a few seconds: services register, a consumer follows.

One of the services crashes.

    python examples/demo.py

The programs are service.py and consumer.py beside this file, or with --asyncio their siblings for
event loops, the tree is shop.txt. ZooKeeper is the
server for development and tests that zc.zk brings along, or with --real one of Debian's packages,
which takes Java. If ZC_ZK_CONNECTION_STRING is set it is the service that this names, where
everything happens below a node of its own that is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import zc.zk
import zookeeper
from zc.zk.testing import Server

HERE = Path(__file__).parent
CONNECTION_VARIABLE = "ZC_ZK_CONNECTION_STRING"

# A step has to be done in so many seconds. They decide when the demonstration gives up, not how
# long it takes.
PATIENCE = 25


class StepFailed(Exception):
    """Something did not happen; the message names what was expected."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", action="store_true", help="start a server of Debian's packages")
    parser.add_argument(
        "--asyncio", action="store_true", help="with programs of an event loop (zc.zk.aio)"
    )
    options = parser.parse_args()
    # These signals act as Ctrl-C does: everything that was started is stopped on the way out.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stage:
            show(stage, options.real, "asyncio_" if options.asyncio else "")
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.", file=sys.stderr)
        return 130
    except (StepFailed, zc.zk.FailedConnect, zookeeper.ZooKeeperException) as fault:
        print(f"\nThe demonstration failed: {fault}", file=sys.stderr)
        return 1
    return 0


def show(stage: ExitStack, on_a_real_server: bool, kind: str) -> None:
    """Show the demonstration; `stage` stops and removes everything at the end.

    The names of the programs begin with `kind`.
    """
    service, follower = f"{kind}service.py", f"{kind}consumer.py"
    print("A price service has several servers, and a shop uses them. ZooKeeper tells the shop")
    print("which servers there are, and what it is to ask for.")

    connection_string = stage.enter_context(place_in_zookeeper(on_a_real_server))
    zk = stage.enter_context(zc.zk.ZooKeeper(connection_string))
    programs = stage.enter_context(running_programs(connection_string))

    step("A tree is imported. This is examples/shop.txt:")
    text = (HERE / "shop.txt").read_text()
    print(textwrap.indent(text, "    "), end="")
    zk.import_tree(text)

    step(f"Three servers are started, each a process of its own: python examples/{service}")
    servers = [programs.start(f"service {n}", service) for n in (1, 2, 3)]
    addresses = [
        programs.show_until(server, "registered as /prices/providers/").rpartition("/")[2]
        for server in servers
    ]
    print("\n    Nobody else has been told of them. In ZooKeeper there is now:\n")
    print(textwrap.indent(zk.export_tree("/prices", ephemeral=True), "    "), end="")

    step(f"The consumer is started: python examples/{follower}")
    means = "loops" if kind else "callbacks"
    print(f"    It has two {means}, for the list of servers and for a property, and asks the")
    print("    servers in turn.\n")
    consumer = programs.start("consumer", follower)
    programs.show_until(consumer, "the servers are", every(addresses))
    show_prices(programs, consumer, addresses)

    step("Service 1 is killed (SIGKILL). It cannot say goodbye.")
    print("    The consumer gets no answer from it, and passes over it for a second, then for two.")
    print("    ZooKeeper gives the session up after the 4 seconds that the service asks for; then")
    print("    the consumer is told.\n")
    killed_at = time.monotonic()
    servers[0].kill()
    crashed, *others = addresses
    programs.show_until(consumer, "the servers are", every(others), without(crashed))
    print(f"\n    {time.monotonic() - killed_at:.1f} seconds after the kill.\n")
    show_prices(programs, consumer, others)

    step("The property `item` of /shop is changed to 'coffee'.")
    zk.properties("/shop").update(item="coffee")
    programs.show_until(consumer, "the item is coffee")
    programs.show_until(consumer, "says coffee: 3.80")

    step("Service 2 is asked to end (SIGTERM). It ends its session, so that it is gone at once.")
    stopped_at = time.monotonic()
    servers[1].terminate()
    programs.show_until(consumer, "the servers are", without(others[0]))
    print(f"\n    {time.monotonic() - stopped_at:.1f} seconds after the signal.")

    step("The tree is exported, registered servers included:")
    print(textwrap.indent(zk.export_tree(ephemeral=True), "    "), end="")

    step("Everything is stopped. That was it: docs/tutorial.txt has the details.")


_numbers = iter(range(1, 100))


def step(text: str) -> None:
    print(f"\n{next(_numbers)}. {text}\n")


def every(addresses: list[str]) -> Callable[[str], bool]:
    return lambda line: all(address in line for address in addresses)


def one_of(addresses: list[str]) -> Callable[[str], bool]:
    return lambda line: any(address in line for address in addresses)


def without(address: str) -> Callable[[str], bool]:
    return lambda line: address not in line


# ZooKeeper


@contextmanager
def place_in_zookeeper(on_a_real_server: bool) -> Iterator[str]:
    """Yield the connection string of an empty place, and leave nothing there."""
    if on_a_real_server:
        step("ZooKeeper: a real server is started, for this demonstration only.")
        with started_real_server() as address:
            print(f"    It listens at {address}.")
            yield address
    elif named := os.environ.get(CONNECTION_VARIABLE):
        step(f"ZooKeeper: the one at {named}, as {CONNECTION_VARIABLE} says.")
        with zc.zk.ZooKeeper(named) as zk:
            root = f"/zc.zk-demo-{uuid.uuid4().hex[:8]}"
            zk.create_recursive(root)
            print(f"    What follows happens below {root}, which is removed at the end.")
            try:
                yield named.rstrip("/") + root
            finally:
                zk.delete_recursive(root, force=True)
    else:
        step("ZooKeeper: zc.zk.testing.Server, which is for development and tests, is started.")
        with Server() as server:
            print(f"    It listens at {server.connection_string}.")
            yield server.connection_string


@contextmanager
def started_real_server() -> Iterator[str]:
    """Run a real server for the `with` block, and yield its connection string."""
    sys.path.insert(0, str(HERE.parent))
    from tests.servers import ServerFailed, standalone

    try:
        with standalone() as server:
            yield server.connection_string
    except ServerFailed as fault:
        raise StepFailed(f"no ZooKeeper server: {fault}") from fault


# Programs


class Programs:
    """Programs that are running, and the lines that they print.

    All is shown by `show_until`, in the main thread, so that nothing comes between the lines of
    the narration.
    """

    def __init__(self, connection_string: str) -> None:
        self.environment = {
            **os.environ,
            CONNECTION_VARIABLE: connection_string,
            "PYTHONUNBUFFERED": "1",
        }
        self.lines: queue.Queue[tuple[subprocess.Popen[str], str | None]] = queue.Queue()
        self.names: dict[subprocess.Popen[str], str] = {}
        # Lines that were shown during a wait for another program.
        self.shown: dict[subprocess.Popen[str], deque[str | None]] = {}
        self.readers: list[threading.Thread] = []

    def start(self, name: str, script: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            # The kernel ends it should the demonstration be killed.
            ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, str(HERE / script)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            # Ctrl-C is for the demonstration, which then stops its programs itself.
            start_new_session=True,
        )
        self.names[program] = name
        self.shown[program] = deque()
        reader = threading.Thread(target=self._read, args=(program,))
        self.readers.append(reader)
        reader.start()
        return program

    def show_until(
        self, program: subprocess.Popen[str], text: str, *conditions: Callable[[str], bool]
    ) -> str:
        """Show output until `program` prints a line with `text`.

        The line has to meet `conditions`, and is returned. Raises StepFailed when it
        has not come in time, or the program ends.
        """
        expected = f"{text!r} from {self.names[program]}"
        deadline = time.monotonic() + PATIENCE
        while True:
            while not self.shown[program]:
                try:
                    self._show_next(max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    raise StepFailed(f"expected {expected} within {PATIENCE} seconds") from None
            line = self.shown[program].popleft()
            if line is None:
                raise StepFailed(f"expected {expected}, but it ended: status {program.wait()}")
            if text in line and all(met(line) for met in conditions):
                return line

    def _show_next(self, seconds: float) -> None:
        program, line = self.lines.get(timeout=seconds)
        if line is not None:
            print(f"    {self.names[program]:9} | {line}")
        self.shown[program].append(line)

    def stop(self) -> None:
        """End all programs, by their process ids, and wait until they have ended."""
        for program in self.names:
            program.terminate()
        for program in self.names:
            try:
                program.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        for reader in self.readers:
            reader.join()

    def _read(self, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None
        with program.stdout as output:
            for line in output:
                self.lines.put((program, line.rstrip("\n")))
        self.lines.put((program, None))


def show_prices(programs: Programs, consumer: subprocess.Popen[str], addresses: list[str]) -> None:
    """Show output until each of the servers has told the price of tea, in any order."""
    missing = addresses
    while missing:
        line = programs.show_until(consumer, "says tea: 4.20", one_of(missing))
        missing = [address for address in missing if address not in line]


@contextmanager
def running_programs(connection_string: str) -> Iterator[Programs]:
    """Run programs; stop them when the `with` block ends, however it ends."""
    programs = Programs(connection_string)
    try:
        yield programs
    finally:
        programs.stop()


if __name__ == "__main__":
    sys.exit(main())
