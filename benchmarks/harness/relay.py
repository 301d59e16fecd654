"""The relay between a fleet and its server, which counts what passes (`benchmarks/c/relay.c`)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import NamedTuple

from .c_programs import BUILD, build


class Traffic(NamedTuple):
    """The traffic so far, or of a while: its connections, requests, and bytes each way.

    `peak` is how many connections were made in 10 milliseconds since it was counted last.
    """

    connections: int
    requests: int
    to_server: int
    to_clients: int
    peak: int

    def since(self, before: Traffic) -> Traffic:
        passed = Traffic(*(now - then for now, then in zip(self, before, strict=True)))
        return passed._replace(peak=self.peak)

    @classmethod
    def total(cls, parts: Iterable[Traffic]) -> Traffic:
        """Add those of several relays."""
        return cls(*map(sum, zip(*parts, strict=True)))


class Relay:
    """A running relay to a port of this machine; `hosts` is its own address."""

    def __init__(self, port: int) -> None:
        build()
        self._process = subprocess.Popen(
            [str(BUILD / "relay"), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.hosts = f"127.0.0.1:{self._line()}"

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def count(self) -> Traffic:
        return self._obey("count")

    def cut(self) -> None:
        """Break all connections."""
        self._obey("cut")

    def refuse(self) -> None:
        """Break all connections, and be no server any more."""
        self._obey("refuse")

    def allow(self) -> None:
        self._obey("allow")

    def _obey(self, word: str) -> Traffic:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return Traffic(*map(int, self._line().split()))

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
