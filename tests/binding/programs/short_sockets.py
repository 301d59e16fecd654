"""Uses a session whose sockets take and give little, or nothing (sockets.c, which is preloaded).

Arguments: hosts, the library, a scenario. Prints its outcome as JSON.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN, session, wait_until_connected

Outcome = dict[str, Any]


class Sockets:
    """The settings of the library, and what it counts."""

    def __init__(self, library: str) -> None:
        self._library = ctypes.CDLL(library)

    def set(self, **settings: int) -> None:
        for name, value in settings.items():
            ctypes.c_int.in_dll(self._library, f"sockets_{name}").value = value

    def count(self, name: str) -> int:
        return ctypes.c_long.in_dll(self._library, f"sockets_{name}").value

    def wait_until_refused(self) -> None:
        """Wait until the thread that sends has come round, some times."""
        enough = self.count("refusals") + 50
        wait_until(lambda: self.count("refusals") > enough, "sending is refused, again and again")

    def sender(self) -> int:
        """Return the thread that has sent last."""
        return ctypes.c_int.in_dll(self._library, "sockets_thread").value

    def cut(self) -> None:
        """End the last connection, as a network does."""
        fd = ctypes.c_int.in_dll(self._library, "sockets_last").value
        with socket.socket(fileno=os.dup(fd)) as last:
            last.shutdown(socket.SHUT_RDWR)


def work(handle: int, largest: int) -> Outcome:
    """Write, read, watch: many requests under way, small ones and large ones."""
    sizes = [0, 1, 100, largest]
    created, read, fired = Calls(), Calls(), Calls()
    paths = [f"/n{number}" for number in range(60)]
    data = {path: "d" * sizes[number % len(sizes)] for number, path in enumerate(paths)}
    for path in paths:
        zookeeper.acreate(handle, path, data[path], OPEN, 0, created)
    outcomes = created.wait(len(paths), 60)
    for path in paths:
        zookeeper.aget(handle, path, fired, read)
    answers = read.wait(len(paths), 60)
    zookeeper.write_many(handle, [("set", path, "changed", 0) for path in paths])
    events = fired.wait(len(paths), 60)
    return {
        "created": [call[1:] for call in outcomes] == [(0, path) for path in paths],
        "read": [call[2] for call in answers] == list(data.values()),
        "fired": sorted(call[3] for call in events) == sorted(paths),
        "many": all(
            isinstance(answer, tuple) and answer[0] == "changed"
            for answer in zookeeper.get_many(handle, paths)
        ),
        "children": sorted(zookeeper.get_children(handle, "/"))
        == sorted(path[1:] for path in paths),
    }


def little(hosts: str, sockets: Sockets, **settings: int) -> Outcome:
    """Do work by calls that send and receive so much."""
    sockets.set(**settings)
    with session(zookeeper, hosts) as handle:
        return work(handle, 300_000 if max(settings.values()) > 1 else 2_000)


def counted(hosts: str, sockets: Sockets) -> Outcome:
    """Count calls of the system: for gets one after the other, and for many together."""
    with session(zookeeper, hosts) as handle:
        zookeeper.create(handle, "/c", "data", OPEN)
        before = sockets.count("sends")
        for _ in range(100):
            zookeeper.get(handle, "/c")
        single = sockets.count("sends") - before
        answered = Calls()
        sockets.set(refuse_all=1)
        for _ in range(100):
            zookeeper.aget(handle, "/c", None, answered)
        sockets.wait_until_refused()  # they are together by now
        before = sockets.count("sends")
        sockets.set(refuse_all=0)
        answered.wait(100, 30)
        return {"single": single, "together": sockets.count("sends") - before}


def own_thread(hosts: str, sockets: Sockets) -> Outcome:
    """Send where all other threads sleep, one request and then many."""
    main = threading.get_native_id()
    with session(zookeeper, hosts) as handle:
        answered = Calls()
        wait_until(others_sleep, "all other threads sleep")
        zookeeper.get(handle, "/")
        waiting = sockets.sender() == main
        wait_until(others_sleep, "all other threads sleep")
        zookeeper.aget(handle, "/", None, answered)
        answered.wait(1, 30)
        alone = sockets.sender() == main
        for _ in range(100):
            zookeeper.aget(handle, "/", None, answered)
        answered.wait(101, 30)
        return {"waiting": waiting, "alone": alone}


def others_sleep() -> bool:
    """Whether this is the only thread that runs."""
    own = threading.get_native_id()
    states = []
    for thread in os.listdir("/proc/self/task"):
        if int(thread) != own:
            status = Path(f"/proc/self/task/{thread}/stat").read_text()
            states.append(status.rpartition(")")[2].split()[0])
    return set(states) == {"S"}


def held(handle: int, sockets: Sockets, name: str, done: Calls) -> None:
    """Send the creation of a node into a socket that takes nothing."""
    sockets.set(refuse_all=1)
    zookeeper.acreate(handle, name, "", OPEN, 0, done)
    sockets.wait_until_refused()


def cut(hosts: str, sockets: Sockets) -> Outcome:
    """Lose a connection with a request in hand."""
    with session(zookeeper, hosts) as handle:
        done = Calls()
        held(handle, sockets, "/held", done)
        sockets.cut()
        (call,) = done.wait(1, 30)
        sockets.set(refuse_all=0)
        wait_until_connected(zookeeper, handle)
        zookeeper.create(handle, "/after", "", OPEN)
        return {
            "lost": call[1] == zookeeper.CONNECTIONLOSS,
            "held": zookeeper.exists(handle, "/held"),
            "after": zookeeper.exists(handle, "/after") is not None,
        }


def fork(hosts: str, sockets: Sockets) -> Outcome:
    """Fork with a request in hand: it is the parent's to send."""
    with session(zookeeper, hosts) as handle:
        done = Calls()
        held(handle, sockets, "/held", done)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            sockets.set(refuse_all=0)
            before = sockets.count("sends")
            try:
                zookeeper.get(handle, "/")
            except zookeeper.ForkedException:
                pass
            os.write(writing, str(sockets.count("sends") - before).encode())
            atexit._run_exitfuncs()
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as output:
            sent_by_child = output.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sockets.set(refuse_all=0)
        (call,) = done.wait(1, 30)
        return {"child": sent_by_child, "status": status, "code": call[1], "path": call[2]}


def close(hosts: str, sockets: Sockets) -> Outcome:
    """Close with a request in hand: it is sent first, and the session ends."""
    handle = zookeeper.init(hosts, None, int(scaled(10_000)))
    wait_until_connected(zookeeper, handle)
    zookeeper.create(handle, "/ephemeral", "", OPEN, zookeeper.EPHEMERAL)
    held(handle, sockets, "/held", Calls())
    closer = threading.Thread(target=zookeeper.close, args=(handle,))
    closer.start()
    sockets.wait_until_refused()
    sockets.set(refuse_all=0)
    closer.join()
    with session(zookeeper, hosts) as other:
        return {"nodes": sorted(zookeeper.get_children(other, "/"))}


def credentials(hosts: str, sockets: Sockets, sends: int) -> Outcome:
    """Add a credential while a request is sent in part: its length, or more of it by `sends`."""
    data = "\xff" * 200_000
    with session(zookeeper, hosts) as handle:
        zookeeper.create(handle, "/c", "", OPEN)
        sockets.set(send_at_most=1000, refuse_behind=sockets.count("sends") + sends)
        written, added = Calls(), Calls()
        zookeeper.aset(handle, "/c", data, -1, written)
        sockets.wait_until_refused()
        zookeeper.add_auth(handle, "digest", "alice:secret", added)
        zookeeper.aset(handle, "/c", data, 1, written)
        sockets.wait_until_refused()
        sockets.set(send_at_most=0, refuse_behind=0)
        codes = [call[1] for call in written.wait(2, 30)]
        return {
            "written": codes == [zookeeper.OK, zookeeper.OK],
            "added": added.wait_one()[1] == zookeeper.OK,
            "data": zookeeper.get(handle, "/c")[0] == data,
            "known": ("digest", "alice") in zookeeper.whoami(handle),
        }


SCENARIOS = {
    "one byte out": lambda hosts, sockets: little(hosts, sockets, send_at_most=1),
    "refused before each byte": lambda hosts, sockets: little(
        hosts, sockets, send_at_most=1, refuse_each=1
    ),
    "one byte in": lambda hosts, sockets: little(hosts, sockets, receive_at_most=1),
    "some bytes": lambda hosts, sockets: little(
        hosts, sockets, send_at_most=1021, receive_at_most=1019, refuse_each=1
    ),
    "counted": counted,
    "own thread": own_thread,
    "cut": cut,
    "fork": fork,
    "close": close,
    "credential behind a length": lambda hosts, sockets: credentials(hosts, sockets, 0),
    "credential within a request": lambda hosts, sockets: credentials(hosts, sockets, 50),
}


if __name__ == "__main__":
    print(json.dumps(SCENARIOS[sys.argv[3]](sys.argv[1], Sockets(sys.argv[2]))))
