"""Asking all servers at the same time, so that none holds the others up.

Threads look up names, which cannot be given up, and ask; the answers that are there in time count.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from zc.zk.ensemble.words import Address, Unanswered
from zc.zk.session.diagnosis import NO_ANSWER, NO_NAME
from zookeeper.hosts import server_name

T = TypeVar("T")

# A name that means more addresses than this is a mistake, or a trick.
MAX_ADDRESSES = 64

# A question to a server: the name to call it by, its addresses, the deadline on the steady clock.
# It is asked in a thread of its own, and returns the answer or raises Unanswered.
Question = Callable[[str, Address, float], T]


class Asked(Generic[T]):
    """A server, as the connection string has it, and its answer or the reason why there is none.

    A name may mean several servers: then there is one for each, with the address in its name.
    """

    __slots__ = ("answer", "fault", "server")

    def __init__(self, server: str, answer: T | None, fault: str | None = None) -> None:
        self.server = server
        self.answer = answer
        self.fault = fault


def ask_each(
    servers: Sequence[tuple[str, int]], question: Question[T], seconds: float
) -> list[Asked[T]]:
    """Return what each server answers within that time, in order."""
    return _Round(servers, question, time.monotonic() + seconds).results()


class _Round(Generic[T]):
    """One question to all servers."""

    def __init__(
        self, servers: Sequence[tuple[str, int]], question: Question[T], deadline: float
    ) -> None:
        self._question = question
        self._deadline = deadline
        self._servers = servers
        # By the number of the server and of its address; what is missing has no answer yet.
        self._asked: dict[tuple[int, int], Asked[T]] = {
            (number, 0): Asked(server_name(*server), None, NO_NAME)
            for number, server in enumerate(servers)
        }
        self._under_way = 0
        self._news: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def results(self) -> list[Asked[T]]:
        for number, server in enumerate(self._servers):
            self._start(partial(self._look_up, number, *server))
        while self._under_way:
            try:
                note = self._news.get(timeout=max(0.0, self._deadline - time.monotonic()))
            except Empty:
                break
            note()
        return [self._asked[place] for place in sorted(self._asked)]

    def _start(self, work: Callable[[], Callable[[], None]]) -> None:
        """Do something in a thread, and what it returns in this one."""
        self._under_way += 1

        def run() -> None:
            self._news.put(work())

        try:
            threading.Thread(target=run, name="zc.zk question", daemon=True).start()
        except RuntimeError:  # no more threads: do it here
            run()

    def _look_up(self, number: int, host: str, port: int) -> Callable[[], None]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [Address(host, family, where) for family, _, _, _, where in found]
            fault = None
        except (OSError, UnicodeError) as trouble:
            addresses, fault = [], getattr(trouble, "strerror", None) or str(trouble)

        def note() -> None:
            self._under_way -= 1
            self._begin(number, host, port, addresses, fault)

        return note

    def _begin(
        self, number: int, host: str, port: int, addresses: list[Address], fault: str | None
    ) -> None:
        name = server_name(host, port)
        if fault is not None:
            self._asked[number, 0] = Asked(name, None, fault)
            return
        several = by_server(addresses)
        for part, ways in enumerate(several):
            own_name = name if len(several) == 1 else f"{name} ({ways[0].sockaddr[0]})"
            self._ask(number, part, own_name, ways)

    def _ask(self, number: int, part: int, name: str, addresses: list[Address]) -> None:
        place = number, part
        self._asked[place] = Asked(name, None, NO_ANSWER)

        def ask() -> Callable[[], None]:
            asked = self._first_answer(name, addresses)

            def note() -> None:
                self._under_way -= 1
                self._asked[place] = asked

            return note

        self._start(ask)

    def _first_answer(self, name: str, addresses: list[Address]) -> Asked[T]:
        fault = NO_ANSWER
        for count, address in enumerate(addresses):
            # One that does not answer leaves the others their share of the time.
            now = time.monotonic()
            deadline = now + (self._deadline - now) / (len(addresses) - count)
            try:
                return Asked(name, self._question(name, address, deadline))
            except Unanswered as trouble:
                fault = str(trouble)
            except Exception as trouble:
                # The other servers are asked all the same.
                fault = f"{type(trouble).__name__}: {trouble}"
        return Asked(name, None, fault)


def by_server(addresses: Sequence[Address]) -> list[list[Address]]:
    """Return the addresses of each server that a name means, in the order to try them.

    Of localhost, and of a name with one address of each kind, IPv4 and IPv6, that is one server. A
    name with more of a kind means as many, as behind a headless service.
    """
    known = list(dict.fromkeys(addresses))[:MAX_ADDRESSES]
    families: dict[int, list[Address]] = {}
    for address in known:
        families.setdefault(address.family, []).append(address)
    most = max(families.values(), key=len, default=[])
    if len(most) <= 1 or all(_is_loopback(each) for each in known):
        return [known]
    return [[address] for address in most]


def _is_loopback(address: Address) -> bool:
    return ip_address(address.sockaddr[0].partition("%")[0]).is_loopback
