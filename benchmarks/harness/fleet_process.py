"""Some clients of a fleet, in a process of their own that obeys commands.

    python -m harness.fleet_process SETTINGS

SETTINGS is JSON. Each line of standard input is a command, and is answered by a line of JSON:

    open                make the clients: each registers one server and follows its nodes
    restart SECONDS     each in turn withdraws its server and registers it again, with such a pause
    right FILE SECONDS  wait until all show what FILE has (JSON, values by path) and are registered;
                        the answer: the moment of the last, and how many were not in time
    forget              count outages from now on
    usage               seconds of the processor, megabytes, and the longest time without connection
    close               close the clients
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.library import Library, LiveObject, Registered

import zc.zk.event

POLL_SECONDS = 0.02
ADDRESS = "10.{}.{}.{}:8080"


class Member:
    """One client: a server of its service that follows other services, and settings."""

    def __init__(self, library: Library, kind: str, number: int, plan: dict[str, Any]) -> None:
        self.library = library
        self._number = number
        self._service = plan["services"][number % len(plan["services"])]
        self._registered: Registered | None = None
        self._register()
        step = max(1, len(plan["services"]) // plan["lists"])
        lists = [
            plan["services"][(number + step * each) % len(plan["services"])]
            for each in range(plan["lists"])
        ]
        if number < plan["audience"]:
            lists[-1] = plan["large"]
        settings = [
            plan["settings"][(number + each) % len(plan["settings"])]
            for each in range(plan["settings_each"])
        ]
        followed = [("children", path) for path in lists] + [(kind, path) for path in settings]
        # A program acts upon lists; settings are there to be looked at.
        self.live: dict[str, LiveObject] = {
            path: library.follow(kind, path, ignore if kind == "children" else None)
            for kind, path in followed
        }

    def _register(self) -> None:
        number = self._number
        name = ADDRESS.format(number >> 16, number >> 8 & 255, number & 255)
        self._registered = self.library.register(self._service, name, {"number": number})

    def restart(self) -> None:
        assert self._registered is not None
        self._registered.unregister()
        self._register()

    def is_right(self, truth: dict[str, Any]) -> bool:
        return all(live.value() == truth[path] for path, live in self.live.items())


def ignore(value: object) -> None:
    pass


class Outages:
    """The times without a connection, by client."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._since: dict[int, float] = {}

    def lost(self, client: int) -> None:
        self._since.setdefault(client, time.monotonic())

    def is_away(self, client: int) -> bool:
        return client in self._since

    def back(self, client: int) -> None:
        since = self._since.pop(client, None)
        if since is not None:
            self.longest = max(self.longest, time.monotonic() - since)


class Fleet:
    """The clients of this process."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._outages = Outages()
        self._members: list[Member] = []

    def answer(self, command: str, *arguments: str) -> Any:
        if command == "open":
            return self._open()
        if command == "restart":
            return self._restart(float(arguments[0]))
        if command == "right":
            return self._wait(json.loads(Path(arguments[0]).read_text()), float(arguments[1]))
        if command == "forget":
            self._outages.longest = 0.0
            return None
        if command == "usage":
            return self._usage()
        assert command == "close", command
        for member in self._members:
            member.library.close()
        return None

    def _open(self) -> None:
        make, kind = self._maker()
        for number in self._settings["numbers"]:
            library = make(self._settings["hosts"], self._settings["session_milliseconds"])
            self._members.append(Member(library, kind, number, self._settings["plan"]))

    def _maker(self) -> tuple[Callable[[str, int], Library], str]:
        outages = self._outages
        if self._settings["library"] == "kazoo":
            from kazoo.client import KazooState
            from tests.faults import with_kazoo

            def make(hosts: str, milliseconds: int) -> Library:
                library = with_kazoo.Library(hosts, milliseconds, None)

                def listen(state: str) -> None:
                    is_back = state == KazooState.CONNECTED
                    (outages.back if is_back else outages.lost)(id(library))

                library._client.add_listener(listen)
                return library

            return make, "data"
        from tests.faults import with_zc_zk

        def note(event: object) -> None:
            if isinstance(event, zc.zk.event.Disconnected):
                outages.lost(id(event.zk))
            elif isinstance(event, zc.zk.event.Connected):
                outages.back(id(event.zk))

        zc.zk.event.subscribers.append(note)
        limits = self._settings["limits"]
        return lambda hosts, milliseconds: with_zc_zk.Library(
            hosts, milliseconds, None, **limits
        ), "properties"

    def _restart(self, pause: float) -> None:
        for member in self._members:
            member.restart()
            time.sleep(pause)

    def _wait(self, truth: dict[str, Any], seconds: float) -> tuple[float, int]:
        deadline = time.monotonic() + seconds
        waiting, last = self._members, time.monotonic()
        while waiting and time.monotonic() < deadline:
            still = [member for member in waiting if not self._is_right(member, truth)]
            if len(still) < len(waiting):
                last = time.monotonic()
            waiting = still
            if waiting:
                time.sleep(POLL_SECONDS)
        return last, len(waiting)

    def _is_right(self, member: Member, truth: dict[str, Any]) -> bool:
        client = getattr(member.library, "zk", member.library)  # as events name it
        return not self._outages.is_away(id(client)) and member.is_right(truth)

    def _usage(self) -> dict[str, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "seconds": used.ru_utime + used.ru_stime,
            "megabytes": used.ru_maxrss / 1024,
            "outage": self._outages.longest,
        }


def main() -> None:
    logging.disable(logging.CRITICAL)  # connections break here on purpose
    threading.stack_size(256 * 1024)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    fleet = Fleet(json.loads(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(fleet.answer(*line.split())), flush=True)


if __name__ == "__main__":
    main()
