"""The clients of a run: processes with a network each, and their options."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deadlines import scaled
from tests.faults.client_keys import ClientKeys
from tests.faults.injector import Network
from tests.faults.logins import Logins
from tests.faults.processes import ClientProcess
from tests.servers import Ensemble

# Everything has to be right so long (seconds) after the service can be reached again.
RECOVERY_SECONDS = 2.0

# A machine that is busy may let a call wait for so long beyond its limit.
SLACK_SECONDS = 2.0

ROOT_OF_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Options:
    """The options of a run. `environment` is added to that of the clients."""

    library: str = "zc.zk"
    clients: int = 4
    session_seconds: float = 2.0
    recovery_seconds: float = scaled(RECOVERY_SECONDS)
    environment: dict[str, str] = field(default_factory=dict)
    by_tls: bool = False
    logins: Logins | None = None

    @property
    def scaled_session_seconds(self) -> float:
        return scaled(self.session_seconds)


def _library(number: int, options: Options) -> str:
    """Return the library of a client: every second one of zc.zk's has an event loop."""
    has_loop = options.library == "zc.zk" and number % 2 == 1 and not options.environment
    return "zc.zk.aio" if has_loop else options.library


class Client:
    """A client process, its network, and the process that replaces a killed one."""

    def __init__(
        self, number: int, ensemble: Ensemble, root: str, seed: int, options: Options
    ) -> None:
        self.name = f"client {number}"
        self.network = Network(ensemble.servers)
        self._keys = ClientKeys(ensemble.keys, f"{self.name} of {seed}") if ensemble.keys else None
        self._options = options
        self._generations = itertools.count()
        self._settings: dict[str, Any] = {
            "library": _library(number, options),
            "loggers": [] if options.library == "kazoo" else ["zc.zk", "zookeeper"],
            "number": number,
            "hosts": self.network.hosts + root,
            "session_milliseconds": int(options.scaled_session_seconds * 1000),
            "slack_seconds": scaled(SLACK_SECONDS),
            "tls": self._keys.settings() if self._keys else None,
            "login": options.logins.credentials() if options.logins else None,
        }
        self._seed = f"{seed} {number}"
        self.process = self._start()

    def _start(self) -> ClientProcess:
        settings = {**self._settings, "seed": f"{self._seed} {next(self._generations)}"}
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(ROOT_OF_CHECKOUT), os.environ.get("PYTHONPATH")])
            ),
            **self._options.environment,
        }
        process = ClientProcess(self.name, settings, environment)
        process.send("prepare")
        return process

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def rotate_keys(self) -> bool:
        if self._keys is None:
            return False
        self._keys.rotate()
        return True

    def spoil_keys(self) -> bool:
        if self._keys is None:
            return False
        self._keys.spoil()
        return True

    def heal_keys(self) -> None:
        if self._keys is not None:
            self._keys.heal()

    def replace(self) -> None:
        self.process.kill()
        # A program does not start with a file that it cannot use.
        self.heal_keys()
        self.process = self._start()
        self.process.send("go")

    def ask_for_session(self) -> tuple[int, str]:
        number, password = self.process.ask("session", seconds=0.5)
        return number, password

    def close(self) -> None:
        self.process.kill()
        self.network.close()
