"""A real haproxy and a real nginx in front of servers that register, configured by `zk render`.

`python -m tests.balancers 100` (`make rolling`) rolls the servers so often under load, and prints
how many requests there were, and how many failed.
"""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import zc.zk
from tests.daemons import Daemon
from tests.deadlines import scaled, wait_until
from tests.embedded import embedded
from tests.ports import LOOPBACK, free_ports

EXAMPLES = Path(__file__).parents[1] / "examples" / "render"

SERVICE = "/orders"

# Debian has them where only root looks.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def program(name: str) -> str | None:
    """Return the path of a balancer, None if it is not installed."""
    return shutil.which(name, path=PATH)


class Balancer(Daemon):
    """A balancer in a folder of its own, which reads a file there."""

    template: str
    count: int  # of its processes, besides the first
    reload_signal: signal.Signals

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "balancer.log")
        self.folder = folder
        (self.port,) = free_ports(1)
        self.file = folder / self.template.removesuffix(".j2")

    def command(self) -> list[str]:
        """Return the command line that it is started with."""
        raise NotImplementedError

    def check(self) -> str:
        """Return the command line that accepts a new file."""
        raise NotImplementedError

    def variables(self) -> dict[str, object]:
        """Return the variables of the template."""
        return {"service": SERVICE, "address": LOOPBACK, "port": self.port}

    def start(self) -> None:
        """Start it, and wait until it has read its file, as the command that is owed tells it."""
        self.spawn(self.command())
        wait_until(lambda: self.ask() == 200, self.log_tail, 20)
        # A signal that comes too early ends it. Until then the command fails, and is tried again.
        with reloaded(self):
            (self.folder / "pid").write_text(str(self.pid))

    def reload_command(self) -> str:
        """Return the command line that has it read its file, as `systemctl reload` does."""
        pid = shlex.quote(str(self.folder / "pid"))
        return f"kill -{self.reload_signal.name.removeprefix('SIG')} $(cat {pid})"

    def workers(self) -> set[int]:
        """Return the processes that serve."""
        assert self.pid is not None, self.log_tail()
        return set(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))

    def ask(self) -> int:
        """Return the status of an answer; 0 while there is none."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=scaled(10))
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


class Haproxy(Balancer):
    """haproxy with a master and workers, as Debian's unit has it."""

    template = "haproxy.cfg.j2"
    count = 1
    reload_signal = signal.SIGUSR2

    def command(self) -> list[str]:
        return [program("haproxy") or "haproxy", "-W", "-db", "-f", str(self.file)]

    def check(self) -> str:
        return f"{program('haproxy')} -c -q -f %s"


class Nginx(Balancer):
    """nginx, with all that it writes in its folder."""

    template = "nginx.conf.j2"
    count = 2
    reload_signal = signal.SIGHUP

    def command(self) -> list[str]:
        words = [program("nginx") or "nginx", "-p", str(self.folder), "-c", str(self.file)]
        return [*words, "-g", "daemon off;"]

    def check(self) -> str:
        folder = shlex.quote(str(self.folder))
        return f"{program('nginx')} -t -q -p {folder} -e {folder}/check.log -c %s"

    def variables(self) -> dict[str, object]:
        return {
            **super().variables(),
            "pid": self.folder / "nginx.pid",
            "log": self.folder / "error.log",
            "state": self.folder,
        }


class Service:
    """A server in this process, registered until it is withdrawn."""

    def __init__(self, zk: zc.zk.ZooKeeper) -> None:
        self._server = _Server((LOOPBACK, 0), _Handler)
        self.address = f"{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self._registration = zk.register(f"{SERVICE}/providers", self.address)

    def withdraw(self) -> None:
        """Have nobody told of it any more; it goes on serving."""
        self._registration.unregister()

    def close(self) -> None:
        """End when all requests are answered."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = b"tea"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Load:
    """Clients that send one request after the other, each by a connection of its own."""

    def __init__(self, balancer: Balancer, clients: int = 3) -> None:
        self._balancer = balancer
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.statuses: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._call) for _ in range(clients)]

    def _call(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection(
                LOOPBACK, self._balancer.port, timeout=scaled(30)
            )
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                text = answer.read()
                told = str(answer.status) if text == b"tea" else f"{answer.status} {text!r}"
            except (OSError, http.client.HTTPException) as fault:
                told = repr(fault)
            finally:
                connection.close()
            with self._lock:
                self.statuses[told] += 1

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def failures(self) -> dict[str, int]:
        return {told: count for told, count in self.statuses.items() if told != "200"}

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(scaled(60))


@contextmanager
def rendered(balancers: list[Balancer], connection: str, folder: Path) -> Iterator[Path]:
    """Run `zk render` for some balancers, each with its template; yield its log."""
    settings = folder / "render.toml"
    entries = []
    for balancer in balancers:
        variables = "".join(
            f"{name} = {value if isinstance(value, int) else repr(str(value))}\n"
            for name, value in balancer.variables().items()
        )
        entries.append(
            f"[[template]]\nsource = '{EXAMPLES / balancer.template}'\noutput = '{balancer.file}'\n"
            f"check = '''{balancer.check()}'''\nexec = '''{balancer.reload_command()}'''\n"
            f"debounce = '50ms'\ninterval = 0\n[template.variables]\n{variables}"
        )
    settings.write_text("\n".join(entries))
    log = folder / "render.log"
    words = [sys.executable, "-m", "zc.zk", "render", "--config", str(settings), connection]
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(scaled(40))


def is_quiet(balancer: Balancer) -> bool:
    """Say whether the command is owed for nothing."""
    return not (balancer.folder / f".{balancer.file.name}.zk-render-owed").exists()


def replace_one(zk: zc.zk.ZooKeeper, balancer: Balancer, services: list[Service]) -> None:
    """Start another server, and end the oldest one, as a deployment does."""
    with reloaded(balancer):
        another = Service(zk)
        services.append(another)
        wait_until(lambda: another.address in balancer.file.read_text(), "the new one is known", 30)
    with reloaded(balancer):
        former = services.pop(0)
        former.withdraw()
        wait_until(lambda: former.address not in balancer.file.read_text(), "it is forgotten", 30)
    former.close()


@contextmanager
def reloaded(balancer: Balancer) -> Iterator[None]:
    """Have a change of the file in the block, and wait until all processes know of it.

    The command only signals. Former processes have been told nothing, and send requests to servers
    of theirs, as long as they have any to send.
    """
    former = balancer.workers()
    yield
    wait_until(
        lambda: (
            is_quiet(balancer)
            and len(balancer.workers()) == balancer.count
            and balancer.workers().isdisjoint(former)
        ),
        lambda: f"all have been replaced: {balancer.workers()} {balancer.log_tail()}",
        30,
    )


def roll(kind: type[Balancer], connection: str, folder: Path, times: int) -> Load:
    """Roll servers behind a balancer under load; return what the clients saw."""
    with ExitStack() as started:
        zk = started.enter_context(zc.zk.ZooKeeper(connection))
        zk.import_tree(f"{SERVICE}\n  /providers\n")
        services = [Service(zk) for _ in range(3)]
        started.callback(lambda: [service.close() for service in services])
        balancer = kind(folder)
        log = started.enter_context(rendered([balancer], connection, folder))
        wait_until(balancer.file.exists, log.read_text, 30)
        started.callback(balancer.stop)
        balancer.start()
        with Load(balancer) as load:
            for _ in range(times):
                replace_one(zk, balancer, services)
        return load


def main(arguments: list[str]) -> int:
    """Roll so often with each balancer, and print a line about each."""
    times = int(arguments[0]) if arguments else 100
    failed = False
    with embedded() as server:
        for kind in (Haproxy, Nginx):
            with tempfile.TemporaryDirectory(prefix="zc.zk-rolling-") as folder:
                name = kind.__name__.lower()
                root = f"/{name}"
                with zc.zk.ZooKeeper(server.connection_string) as zk:
                    zk.create(root)
                began = time.monotonic()
                load = roll(kind, server.connection_string + root, Path(folder), times)
                print(
                    f"{name}: {times} rolling restarts in {time.monotonic() - began:.0f} s,"
                    f" {load.requests} requests, {sum(load.failures.values())} failed"
                    f" {load.failures or ''}",
                    flush=True,
                )
                failed = failed or bool(load.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
