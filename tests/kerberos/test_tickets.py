"""Tickets of a keytab: renewed in time, whatever becomes of the KDC meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deadlines import scaled, wait_until
from tests.kdc import REALM, Kdc
from tests.kerberos.acceptor import Acceptor, log_in
from tests.kerberos.conftest import SERVICE
from zookeeper import SASL, SASLError, kerberos, kerberos_turns


def tickets_issued(realm: Kdc, principal: str) -> int:
    return len(re.findall(rf"AS_REQ .* ISSUE: .*{principal}@", realm.log.read_text()))


def askers(*names: str) -> list[threading.Thread]:
    """Return the threads that ask the KDC, or those of certain names.

    A `zookeeper-kdc` may be there for a moment after it has told what it was to find out.
    """
    wanted = names or ("zookeeper-ticket", "zookeeper-kdc")
    return [thread for thread in threading.enumerate() if thread.name in wanted]


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the caches into which tickets are fetched by a keytab.

    A KDC's log does not tell: after a pause it answers what the library has sent twice, too.
    """
    caches: list[str] = []
    really = kerberos._acquire

    def acquire(principal: str | None, store: dict[str, str] | None) -> object:
        if store and store["client_keytab"] != kerberos.EMPTY_KEYTAB:
            caches.append(store["ccache"])
        return really(principal, store)

    monkeypatch.setattr(kerberos, "_acquire", acquire)
    return caches


def wait_for_askers() -> None:
    wait_until(lambda: not askers(), "nobody waits for the KDC", 60)


def test_a_ticket_that_cannot_be_opened_is_not_replaced_by_the_users(realm, monkeypatch) -> None:
    """Without credentials the library would take those of `kinit`, and log in as somebody else."""
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.kinit('other')}")
    mechanism = SASL.gssapi(keytab=realm.keytab("app"))
    monkeypatch.setattr(kerberos, "_opened", lambda cache: (None, 0))
    with pytest.raises(SASLError, match=r"a new ticket by .* cannot be used"):
        mechanism.begin("localhost")
    wait_for_askers()


def test_a_ticket_is_renewed_again_and_again(own_realm) -> None:
    """It lasts for four seconds; the service's ticket ends with it."""
    own_realm.add("short", maxlife="4s")
    mechanism = SASL.gssapi(keytab=own_realm.keytab("short"))
    keytab = own_realm.keytab(SERVICE)

    def renewed() -> bool:
        acceptor = Acceptor(keytab)
        log_in(mechanism, acceptor)
        assert acceptor.client == f"short@{REALM}"
        return tickets_issued(own_realm, "short") >= 4

    wait_until(renewed, "it is renewed three times", 60)
    wait_for_askers()


def test_a_renewal_in_time_makes_nobody_wait(own_realm, monkeypatch) -> None:
    """The KDC is silent, and the former ticket serves on."""
    monkeypatch.setattr(kerberos, "RENEWED_BELOW", 0.95)
    own_realm.add("short", maxlife="60s")
    mechanism = SASL.gssapi(keytab=own_realm.keytab("short"))
    keytab = own_realm.keytab(SERVICE)
    log_in(mechanism, Acceptor(keytab))
    own_realm.pause()

    def is_being_renewed() -> bool:
        log_in(mechanism, Acceptor(keytab))
        return len(askers("zookeeper-ticket")) == 1

    wait_until(is_being_renewed, "the ticket is due to be renewed", 40)
    assert is_being_renewed()
    own_realm.resume()
    wait_for_askers()


def test_a_kdc_that_is_away_is_missed_only_when_the_ticket_ends(own_realm, caplog) -> None:
    own_realm.add("short", maxlife="6s")
    path = own_realm.keytab("short")
    mechanism = SASL.gssapi(keytab=path)
    keytab = own_realm.keytab(SERVICE)
    log_in(mechanism, Acceptor(keytab))
    own_realm.stop()
    log_in(mechanism, Acceptor(keytab))

    def message() -> str:
        try:
            log_in(mechanism, Acceptor(keytab))
        except SASLError as fault:
            return str(fault)
        return ""

    told = wait_until(message, "the ticket expires", 30)
    assert told.startswith(f"no ticket by {path}: no KDC answers (")
    message()
    own_realm.start()
    log_in(mechanism, Acceptor(keytab))
    wait_for_askers()
    # Once each, however often it was tried.
    assert [line.startswith(f"no ticket by {path}: ") for line in caplog.messages] == [True]


def test_many_threads_wait_for_one_answer(own_realm, fetched) -> None:
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    own_realm.pause()
    with ThreadPoolExecutor(30) as pool:
        begun = [pool.submit(mechanism.begin, "localhost") for _ in range(30)]
        wait_until(lambda: len(pool._threads) == 30 and askers(), "all have asked")
        assert len(askers()) == 1
        own_realm.resume()
        assert all(future.result(scaled(60)) for future in begun)
    wait_for_askers()
    assert len(fetched) == 1


def test_a_kdc_that_is_silent_is_waited_for_with_a_deadline(
    own_realm, fetched, monkeypatch
) -> None:
    """Others wait anew, for the same answer; it is there for them when it comes."""
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    own_realm.pause()
    monkeypatch.setattr(kerberos_turns, "MAX_SECONDS", 0.05)
    for _ in range(5):
        with pytest.raises(SASLError, match=r"no KDC has answered within 0\.05 seconds"):
            mechanism.begin("localhost")
    assert len(askers()) == 1
    own_realm.resume()
    wait_for_askers()
    acceptor = Acceptor(own_realm.keytab(SERVICE))
    log_in(mechanism, acceptor)
    assert len(fetched) == 1


def test_steps_at_a_silent_kdc_are_given_up_and_their_threads_few(own_realm, monkeypatch) -> None:
    """The ticket of another service is there, and is used meanwhile."""
    own_realm.add("zookeeper/zk1.example.com")
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    log_in(mechanism, Acceptor(own_realm.keytab(SERVICE)))
    own_realm.pause()
    with monkeypatch.context() as patch:
        patch.setattr(kerberos_turns, "MAX_SECONDS", 0.05)
        for _ in range(5):
            with pytest.raises(SASLError, match="no KDC has answered"):
                mechanism.begin("zk1.example.com").step(b"")
        assert len(askers()) == 1
    log_in(mechanism, Acceptor(own_realm.keytab(SERVICE)))
    wait_until(lambda: len(askers()) == 1, "one asks for the other service")
    own_realm.resume()
    wait_for_askers()
    log_in(mechanism, Acceptor(own_realm.keytab("zookeeper/zk1.example.com")), "zk1.example.com")


def test_a_kdc_that_stays_silent_is_given_up(own_realm) -> None:
    """The library's own patience ends the thread."""
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    own_realm.pause()
    with pytest.raises(SASLError, match=r"no KDC (answers|has answered)"):
        mechanism.begin("localhost")
    wait_for_askers()
    own_realm.resume()


def test_a_process_out_of_threads_says_so_and_goes_on_with_its_ticket(
    own_realm, monkeypatch
) -> None:
    own_realm.add("short", maxlife="10s")
    mechanism = SASL.gssapi(keytab=own_realm.keytab("short"))

    def start(thread: threading.Thread) -> None:
        refused.append(thread)
        raise RuntimeError("can't start new thread")

    refused: list[threading.Thread] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(SASLError, match="no thread can be started to ask the KDC"):
            mechanism.begin("localhost")
    keytab = own_realm.keytab(SERVICE)
    log_in(mechanism, Acceptor(keytab))
    del refused[:]

    def is_due() -> bool:
        log_in(mechanism, Acceptor(keytab))
        return bool(refused)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        wait_until(is_due, "the ticket is due to be renewed", 9)


def test_a_service_that_is_not_known_costs_the_ticket_nothing(own_realm) -> None:
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    with pytest.raises(SASLError, match="does not know"):
        mechanism.begin("zk9.example.com").step(b"")
    log_in(mechanism, Acceptor(own_realm.keytab(SERVICE)))
    assert tickets_issued(own_realm, "app") == 1


def test_renewals_use_caches_again(own_realm, fetched) -> None:
    """A cache in memory lasts as long as the process: tickets of minutes do with two."""
    own_realm.add("short", maxlife="4s")
    mechanism = SASL.gssapi(keytab=own_realm.keytab("short"))

    def renewed() -> bool:
        assert mechanism.begin("localhost")
        return len(fetched) >= 5

    wait_until(renewed, "it is renewed four times", 60)
    wait_for_askers()
    assert len(set(fetched)) < len(fetched)


PROGRAM = """
import os, sys, threading
from tests.kerberos.acceptor import Acceptor, log_in
from zookeeper import SASL

keytab, service = sys.argv[1:]
mechanism = SASL.gssapi(keytab=keytab)
log_in(mechanism, Acceptor(service))
# A lock that another thread holds at the fork stays locked in the child.
lock = mechanism._tickets._of_process.get()._lock
lock.acquire()
child = os.fork()
if not child:
    acceptor = Acceptor(service)
    log_in(mechanism, acceptor)
    print(acceptor.client, flush=True)
    os._exit(0)
lock.release()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
acceptor = Acceptor(service)
log_in(mechanism, acceptor)
print(acceptor.client)
"""


def test_a_forked_child_gets_tickets_of_its_own(own_realm) -> None:
    keytabs = own_realm.keytab("app"), own_realm.keytab(SERVICE)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, keytabs)],
        capture_output=True,
        text=True,
        timeout=scaled(60),
        env=os.environ,
        check=False,
    )
    assert (run.stdout, run.stderr) == (f"app@{REALM}\n" * 2, "")
    assert tickets_issued(own_realm, "app") == 2


EXIT = """
import sys, threading
from zookeeper import SASL

mechanism = SASL.gssapi(keytab=sys.argv[1])
threading.Thread(target=mechanism.begin, args=["localhost"], daemon=True).start()
while not any(thread.name == "zookeeper-ticket" for thread in threading.enumerate()):
    pass
print("ends")
"""


def test_a_program_ends_while_the_kdc_is_silent(own_realm) -> None:
    keytab = own_realm.keytab("app")
    own_realm.pause()
    run = subprocess.run(
        [sys.executable, "-c", EXIT, str(keytab)],
        capture_output=True,
        text=True,
        timeout=scaled(10),
        env=os.environ,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "ends\n", "")
