"""Clients of programs that gevent has patched: calls wait, and other greenlets go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from tests.ports import free_ports
from tests.runtimes.programs import SECONDS, require, run

pytestmark = pytest.mark.not_emulated("other processes do not reach it")

EXAMPLES = Path(__file__).parents[2] / "examples"

BEFORE = "import gevent.monkey; gevent.monkey.patch_all()\nimport sys, zc.zk, zookeeper\n"
AFTER = "import sys, zc.zk, zookeeper\nimport gevent.monkey; gevent.monkey.patch_all()\n"

# All that a client does. The callback calls the client, and waits.
WORKS = """
import threading

zk = zc.zk.ZooKeeper(sys.argv[1])
zk.import_tree(sys.argv[2])
seen, told = threading.Event(), []

@zk.properties("/shop")
def changed(shop):
    told.append([shop["item"], zk.get("/shop")[0]])
    if shop["item"] == "bun":
        seen.set()

zk.properties("/shop").set(item="bun")
assert seen.wait(20)
print(told)

registration = zk.register("/shop/prices", "price:1")
print(registration.state, zk.get_children("/shop/prices"))

watched = threading.Event()
zk.get("/shop", lambda handle, kind, state, path: zk.exists(path) and watched.set())
completed = threading.Event()
zk.aget("/shop", None, lambda handle, code, data, stat: zk.exists("/shop") and completed.set())
zk.set("/shop", '{"item": "tea"}')
assert watched.wait(20)
assert completed.wait(20)

answers = gevent.joinall([gevent.spawn(zk.get, "/shop") for _ in range(500)], timeout=20)
print(len(answers), {answer.value[0] for answer in answers})

reports = []
zookeeper_answers = zk.get_many(["/shop"] * 100, progress=lambda *report: reports.append(report))
print(len(zookeeper_answers), sorted(zk.walk("/")))
try:
    zk.get("/missing")
except zookeeper.NoNodeException as fault:
    print(fault.path)
registration.unregister()
zk.delete_recursive("/shop")
print(zk.get_children("/"))
zk.close()
try:
    zk.get("/")
except zookeeper.ClosingException:
    print("closed")
"""

WORKED = """\
[['tea', '{"item":"tea"}'], ['bun', '{"item":"bun"}']]
registered ['price:1']
500 {'{"item": "tea"}'}
100 ['/', '/shop', '/shop/prices', '/shop/prices/price:1']
/missing
[]
closed
"""


@pytest.fixture(autouse=True)
def gevent_is_there() -> None:
    require("gevent")


@pytest.mark.parametrize("imports", [BEFORE, AFTER], ids=["before", "after"])
def test_a_client_does_everything_among_greenlets(imports, place) -> None:
    tree = "/shop\n  item = 'tea'\n  /prices\n"
    assert run(imports + "import gevent\n" + WORKS, place, tree) == WORKED


@pytest.mark.parametrize("imports", [BEFORE, AFTER], ids=["before", "after"])
def test_a_client_is_measured_among_greenlets(imports, place) -> None:
    program = """
import gevent, threading, zc.zk.metrics
from zc.zk.metrics.families import FAMILIES

zk = zc.zk.ZooKeeper(sys.argv[1])
measured = zc.zk.metrics.measure(zk, "shop")
seen, completed = threading.Event(), threading.Event()
children = zk.children("/")
children.callbacks.append(lambda _: seen.set())
gevent.joinall([gevent.spawn(zk.get, "/") for _ in range(300)], timeout=20)
zk.aget("/", None, lambda *answer: completed.set())
zk.get_many(["/"])
zk.create("/a")
assert seen.wait(20) and completed.wait(20)
told = {family.name: list(family.samples()) for family in FAMILIES}
print({sample.values[1:]: sample.value.counts[-1] for sample in told["call_duration"]
       if sample.values[1] in ("get", "get_many", "create")})
print(told["callback_delay"][0].value.counts[-1], told["connects"][0].value)
print(len(measured.calls._cells) < 20)
zk.close()
print(zc.zk.metrics.clients())
"""
    assert (
        run(imports + program, place)
        == """\
{('create', 'ok'): 1, ('get', 'ok'): 301, ('get_many', 'ok'): 1}
1 1
True
[]
"""
    )


def test_greenlets_go_on_while_a_client_waits_for_a_connection() -> None:
    said = run(
        BEFORE
        + """
import gevent
turns = 0

def turn():
    global turns
    while True:
        gevent.sleep(0.01)
        turns += 1

gevent.spawn(turn)
zc.zk.ZooKeeper.initial_connection_wait = 0.5
try:
    zc.zk.ZooKeeper("127.0.0.1:1")
except zc.zk.FailedConnect as fault:
    print(fault)
assert turns > 1
""",
    )
    assert "Connection refused" in said


def test_kerberos_among_greenlets_is_refused_with_what_helps(place) -> None:
    said = run(
        BEFORE
        + """
class Kerberos:
    name = "GSSAPI"

try:
    zc.zk.ZooKeeper(sys.argv[1], sasl=Kerberos())
except RuntimeError as fault:
    print(fault)
""",
        place,
    )
    assert "patch without them, gevent.monkey.patch_all(thread=False)" in said


@contextmanager
def running(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that is to be talked to."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-u", "-c", textwrap.dedent(program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


REGISTERS = """
import gevent
zk = zc.zk.ZooKeeper(sys.argv[1])
zk.register("/providers", "price:1")
print(zk.recv_timeout() and list(zk.client_id()))
"""


@pytest.fixture
def zk(place):
    """Return a client whose root has a place for servers."""
    with zc.zk.ZooKeeper(place) as zk:
        zk.create("/providers")
        yield zk


def try_to_end(place: str, session: list[object]) -> None:
    """Resume a session that another process has, and close it, if that does not take it back."""
    identity = int(str(session[0])), str(session[1])
    thief = zookeeper.init(place, None, 10_000, identity)
    undecided = (zookeeper.CONNECTING_STATE, zookeeper.ASSOCIATING_STATE)
    try:
        wait_until(lambda: zookeeper.state(thief) not in undecided, "it is resumed or refused", 30)
    finally:
        zookeeper.close(thief)


def test_a_lost_session_comes_back_among_greenlets(place, zk) -> None:
    program = BEFORE + REGISTERS.replace("print(", "import json; print(").replace(
        "list(", "json.dumps("
    )
    program += "gevent.sleep(1000)\n"
    with running(program, place) as process:
        session = json.loads(next_line(process))
        first = zk.exists("/providers/price:1")["czxid"]

        def is_back() -> bool:
            try_to_end(place, session)
            stat = zk.exists("/providers/price:1")
            return stat is not None and stat["czxid"] != first

        wait_until(is_back, "it is registered in a new session", 60)


def test_an_interrupt_ends_a_call_among_greenlets(place, zk) -> None:
    program = BEFORE + REGISTERS + "zk.properties('/providers')\nimport threading\n"
    with running(program + "threading.Event().wait()\n", place) as process:
        assert next_line(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(scaled(SECONDS)) in (-signal.SIGINT, 1)
    assert zk.get_children("/providers") == []


def test_a_registration_goes_at_once_with_a_program_that_ends(place, zk) -> None:
    assert run(BEFORE + REGISTERS, place)
    assert zk.get_children("/providers") == []


def test_a_greenlet_that_is_killed_gives_up_its_call(place, zk) -> None:
    said = run(
        BEFORE
        + """
import gevent
zk = zc.zk.ZooKeeper(sys.argv[1])
callers = [gevent.spawn(zk.get, "/providers") for _ in range(20)]
gevent.sleep(0)
gevent.killall(callers)
print(all(caller.dead for caller in callers), zk.get("/providers")[0])
try:
    with gevent.Timeout(1e-6):
        while True:
            zk.get("/providers")
except gevent.Timeout:
    print(zk.get_children("/providers"))
zk.close()
""",
        place,
    )
    assert said == "True \n[]\n"


def test_a_forked_process_goes_on_among_greenlets(place, zk) -> None:
    said = run(
        BEFORE
        + """
import os, threading
zk = zc.zk.ZooKeeper(sys.argv[1])
providers = zk.children("/providers")
zk.register("/providers", "price:1")
pid = os.fork()
if not pid:
    try:
        zk.reopen()
        come = threading.Event()
        providers(lambda names: "price:2" in names and come.set())
        zk.register("/providers", "price:2")
        assert come.wait(20)
        print(sorted(providers), flush=True)
        zk.close()
    finally:
        os._exit(0)
os.waitpid(pid, 0)
print(zk.get_children("/providers"))
""",
        place,
    )
    assert said == "['price:1', 'price:2']\n['price:1']\n"


def price_of_tea(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/tea", timeout=scaled(20)) as answer:
        return answer.read().decode()


def test_workers_of_gunicorn_answer_among_greenlets(place, tmp_path) -> None:
    """They are those of examples/pages.py."""
    require("gunicorn")
    [port] = free_ports(1)
    command = [sys.executable, "-W", "ignore", "-m", "gunicorn", "--worker-class", "gevent"]
    command += ["--workers", "2", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    with zc.zk.ZooKeeper(place) as zk, open(tmp_path / "log", "wb") as log:
        zk.import_tree("/prices\n  tea = 4.25\n  /workers\n")
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command, "pages:application"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=EXAMPLES,
            env={**os.environ, "ZC_ZK_CONNECTION_STRING": place},
        )
        try:
            wait_until(lambda: len(zk.get_children("/prices/workers")) == 2, "both work", SECONDS)
            assert {price_of_tea(port) for _ in range(20)} == {"4.25\n"}
            zk.properties("/prices").update(tea=4.5)
            wait_until(lambda: {price_of_tea(port) for _ in range(20)} == {"4.50\n"}, "all know")
        finally:
            server.terminate()
            server.wait(scaled(SECONDS))
        assert zk.get_children("/prices/workers") == [], (tmp_path / "log").read_text()
