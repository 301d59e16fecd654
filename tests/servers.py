"""Real ZooKeeper servers for tests and benchmarks: Debian's, on loopback.

    with standalone() as server:
        connect_to(server.connection_string)
        server.kill()
        server.start()

    with ensemble_of(3) as servers:
        servers.leader().pause()

Demonstrations use them, too. A server keeps its data and its ports from one start to the next, so
that clients live through a restart. A server that is started here ends with the `with` block; with
the interpreter, when there was no block to leave; and with the process, when that is killed.

Servers with `keys` have no port but a secure one (`tests/secured.py`); without, they are secured in
the target *tls*. `keys=None` is for servers that are plain even there.
"""

from __future__ import annotations

import atexit
import base64
import enum
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import secured
from tests.daemons import Daemon
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports
from tests.secured import Keys

# The scheme and credential of a user that no ACL keeps out.
SUPERUSER = ("digest", "super:secret")

JARS = [
    Path("/usr/share/java") / jar
    for jar in (
        "zookeeper.jar",
        "slf4j-simple.jar",
        "netty-codec.jar",
        "netty-resolver.jar",
        "netty-transport-native-unix-common.jar",
    )
]

# The jars that the admin server takes besides.
ADMIN_JARS = [
    Path("/usr/share/java") / f"{jar}.jar"
    for jar in (
        "jetty9-server", "jetty9-servlet", "jetty9-util", "jetty9-util-ajax", "jetty9-http",
        "jetty9-io", "jetty9-security", "servlet-api", "jackson-core", "jackson-databind",
        "jackson-annotations",
    )
]  # fmt: skip

# A test server lives for seconds: the second compiler and the parallel collectors only slow its
# start. Benchmarks want () instead.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")

TICK_MILLISECONDS = 100

SETTINGS: Mapping[str, object] = {
    "tickTime": TICK_MILLISECONDS,
    "initLimit": 150,
    "syncLimit": 50,
    "minSessionTimeout": 2 * TICK_MILLISECONDS,
    "maxSessionTimeout": 300_000,
    "maxClientCnxns": 0,
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "*",
    "extendedTypesEnabled": "true",
    "reconfigEnabled": "true",
    # Nothing here has to survive a power cut.
    "forceSync": "no",
    "snapCount": 10_000_000,
    "preAllocSize": 4096,
}

# The option can be set only by a system property.
CONTAINER_CHECK = "-Dznode.container.checkIntervalMs=200"

NOT_SERVING = b"not currently serving requests"

START_SECONDS = 30
PORT_ATTEMPTS = 5


class Default(enum.Enum):
    """Says of servers that they are secured where the target is."""

    TARGET = enum.auto()


class ServerFailed(Exception):
    """A server that could not be started; the message ends with its log."""


class PortTaken(ServerFailed):
    """A free port was taken between its choice and the server's start."""


class Server(Daemon):
    """One ZooKeeper server process. `standalone` and `ensemble_of` make them."""

    def __init__(
        self,
        folder: Path,
        port: int,
        settings: Mapping[str, object],
        java_options: Sequence[str] = QUICK_START,
        heap: str = "512m",
        keys: Keys | None = None,
        release: Sequence[Path] = (),
    ) -> None:
        super().__init__(folder / "server.log")
        self.folder = folder
        self.keys = keys
        self.port = port
        self.connection_string = f"{LOOPBACK}:{port}"
        self.java_options = [f"-Xmx{heap}", *java_options]
        folder.mkdir(parents=True, exist_ok=True)
        lines = {**SETTINGS, "dataDir": folder / "data", **settings}
        if keys:
            lines.update(keys.settings(port))
        self._jars = [*release, *JARS]
        if lines["admin.enableServer"] == "true":
            self._jars += ADMIN_JARS
        self._configuration = folder / "zoo.cfg"
        self._configuration.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))

    def __repr__(self) -> str:
        return f"<Server {self.connection_string} in {self.folder}>"

    def start(self) -> None:
        """Start the process and return at once: `wait_until_serving` comes next."""
        self.spawn(self._command())

    def restart(self) -> None:
        """Stop the server, start it again with its data and port, wait for it.

        It is ready when it serves.
        """
        self.stop()
        self.start()
        self.wait_until_serving()

    def ask(self, word: str) -> str:
        """Return the answer to a four letter word such as `srvr`, '' for none."""
        try:
            with ExitStack() as stack:
                address = LOOPBACK, self.port
                connection = stack.enter_context(socket.create_connection(address, scaled(1)))
                if self.keys:
                    connection = stack.enter_context(self.keys.as_client(connection))
                connection.sendall(word.encode())
                answer = b""
                # A server that is still starting says so and then forgets to hang up.
                while NOT_SERVING not in answer and (more := connection.recv(65536)):
                    answer += more
        except OSError:
            return ""
        return answer.decode()

    def mode(self) -> str | None:
        """Return 'standalone', 'leader' or 'follower'; None without service."""
        for line in self.ask("srvr").splitlines():
            if line.startswith("Mode: "):
                return line.removeprefix("Mode: ")
        return None

    def is_serving(self) -> bool:
        """Whether clients can open sessions here."""
        return self.mode() is not None

    def wait_until_serving(self, seconds: float = START_SECONDS) -> None:
        """Wait until sessions can be opened.

        Raises ServerFailed when the process ends instead.
        """
        wait_until(
            lambda: self.is_serving() or self._has_failed(),
            lambda: f"{self} serves.\n{self.log_tail()}",
            seconds,
        )

    def _command(self) -> list[str]:
        return [
            "java",
            "-Djava.net.preferIPv4Stack=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            CONTAINER_CHECK,
            *self.java_options,
            "-cp", ":".join(map(str, self._jars)),
            "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            str(self._configuration),
        ]  # fmt: skip

    def _has_failed(self) -> bool:
        """Return False while the server may start; raise the reason when not."""
        tail = self.log_tail()
        if "java.net.BindException" in tail:
            raise PortTaken(tail)
        if self.pid is None:
            raise ServerFailed(f"{self} ended:\n{tail}")
        return False


@dataclass(frozen=True)
class Ensemble:
    """Several servers that are one service."""

    servers: Sequence[Server]

    @property
    def connection_string(self) -> str:
        return ",".join(server.connection_string for server in self.servers)

    @property
    def keys(self) -> Keys | None:
        """The keys of its clients; None if they need none."""
        return self.servers[0].keys

    def start(self) -> None:
        """Start the servers that are down; `wait_until_serving` comes next."""
        for server in self.servers:
            if server.pid is None:
                server.start()

    def wait_until_serving(self, seconds: float = START_SECONDS) -> None:
        """Wait until every server takes part again, each within `seconds`."""
        for server in self.servers:
            server.wait_until_serving(seconds)

    def leader(self) -> Server:
        """Return the server that leads; wait for it during an election."""
        return wait_until(
            lambda: self._in_mode("leader"), "the ensemble has a leader", START_SECONDS
        )[0]

    def followers(self) -> list[Server]:
        """Return the servers that follow a leader."""
        return self._in_mode("follower")

    def _in_mode(self, mode: str) -> list[Server]:
        return [server for server in self.servers if server.pid and server.mode() == mode]


@contextmanager
def standalone(
    *,
    settings: Mapping[str, object] | None = None,
    java_options: Sequence[str] = QUICK_START,
    heap: str = "512m",
    keys: Keys | Default | None = Default.TARGET,
    release: Sequence[Path] = (),
) -> Iterator[Server]:
    """Run a server of its own, serving.

    `settings` are lines of zoo.cfg on top of `SETTINGS`. `release` are the jars of another release
    than Debian's, which come first.
    """
    own_keys = _keys(keys)

    def prepare(folder: Path) -> Ensemble:
        (port,) = free_ports(1)
        address = {} if own_keys else {"clientPort": port, "clientPortAddress": LOOPBACK}
        own = {**_superuser(), **(settings or {}), **address}
        return Ensemble([Server(folder, port, own, java_options, heap, own_keys, release)])

    with _running(prepare) as started:
        yield started.servers[0]


@contextmanager
def ensemble_of(
    size: int = 3,
    *,
    settings: Mapping[str, object] | None = None,
    java_options: Sequence[str] = QUICK_START,
    heap: str = "256m",
    keys: Keys | Default | None = Default.TARGET,
) -> Iterator[Ensemble]:
    """Run `size` servers that form an ensemble, all of them serving."""
    own_keys = _keys(keys)

    def prepare(folder: Path) -> Ensemble:
        ports = free_ports(3 * size)
        members = {number: (ports.pop(), ports.pop(), ports.pop()) for number in range(1, size + 1)}
        own = {
            **_superuser(),
            **(settings or {}),
            **{
                f"server.{number}": f"{LOOPBACK}:{quorum}:{election}"
                + ("" if own_keys else f";{LOOPBACK}:{client}")
                for number, (client, quorum, election) in members.items()
            },
        }
        servers = []
        for number, (client, _, _) in members.items():
            server = Server(folder / str(number), client, own, java_options, heap, own_keys)
            (server.folder / "data").mkdir()
            (server.folder / "data" / "myid").write_text(f"{number}\n")
            servers.append(server)
        return Ensemble(servers)

    with _running(prepare) as started:
        yield started


@contextmanager
def _running(prepare: Callable[[Path], Ensemble]) -> Iterator[Ensemble]:
    """Yield the servers that `prepare` makes in a new folder.

    Everything is gone afterwards.
    """
    missing = [str(jar) for jar in JARS if not jar.exists()]
    if missing or not shutil.which("java"):
        raise ServerFailed(
            f"ZooKeeper's server is not installed ({', '.join(missing) or 'no java'}): "
            "apt-get install zookeeper default-jre-headless"
        )
    for attempt in range(1, PORT_ATTEMPTS + 1):
        with ExitStack() as undo:
            folder = Path(tempfile.mkdtemp(prefix="zookeeper-"))
            undo.callback(_remove, folder, os.getpid())
            atexit.register(undo.close)
            undo.callback(atexit.unregister, undo.close)
            members = prepare(folder)
            for server in members.servers:
                undo.callback(server.kill)
                if server.keys:
                    server.keys.note(server.port)
                    undo.callback(server.keys.forget, server.port)
            try:
                members.start()
                members.wait_until_serving()
            except PortTaken:
                if attempt == PORT_ATTEMPTS:
                    raise
                continue
            yield members
            return


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder, but not in a forked child, whose parent still needs it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _keys(keys: Keys | Default | None) -> Keys | None:
    return secured.keys_by_default() if isinstance(keys, Default) else keys


def _superuser() -> dict[str, str]:
    credential = SUPERUSER[1]
    user, _, _ = credential.partition(":")
    digest = base64.b64encode(hashlib.sha1(credential.encode()).digest()).decode()
    return {"DigestAuthenticationProvider.superDigest": f"{user}:{digest}"}
