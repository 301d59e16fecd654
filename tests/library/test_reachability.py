"""The library says so when servers give no session."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.blackhole import black_hole
from tests.certificates import Authority, server_settings
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports
from tests.servers import standalone
from zc.zk.session import diagnosis


@pytest.fixture
def refusing() -> str:
    (port,) = free_ports(1)
    return f"{LOOPBACK}:{port}"


@pytest.fixture
def silent() -> Iterator[str]:
    """Return a server that accepts connections and says nothing."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield f"{LOOPBACK}:{listener.getsockname()[1]}"


def test_a_refused_connection(refusing) -> None:
    assert diagnosis.describe(f"{refusing}/root") == "Connection refused"


def test_a_server_that_opens_no_session(silent) -> None:
    assert diagnosis.describe(silent) == diagnosis.ACCEPTED


def test_servers_are_told_apart_where_they_differ(refusing, silent) -> None:
    assert diagnosis.describe(f"{refusing},{silent}") == (
        f"{refusing}: Connection refused, {silent}: {diagnosis.ACCEPTED}"
    )
    assert diagnosis.describe(f"{refusing},{refusing}") == "Connection refused"


@pytest.mark.not_over_tls("its client knows nothing of TLS")
def test_a_real_server_that_speaks_tls_is_told(own_servers_only, tmp_path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("server", LOOPBACK)
    (port,) = free_ports(1)
    settings = {**server_settings(authority, issued, port), "secureClientPortAddress": LOOPBACK}
    with standalone(settings=settings) as server:
        plain, secured = server.connection_string, f"{LOOPBACK}:{port}"
        wait_until(
            lambda: diagnosis.describe(secured, scaled(1)) == diagnosis.SECURED, "it is told"
        )
        assert diagnosis.describe(secured, is_secured=True) == diagnosis.ACCEPTED
        assert diagnosis.describe(plain) == diagnosis.ACCEPTED


def test_a_server_that_is_spoken_to_by_tls_is_asked_nothing_in_plain_words() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        address = f"{LOOPBACK}:{listener.getsockname()[1]}"
        assert diagnosis.describe(address, is_secured=True) == diagnosis.ACCEPTED
        listener.settimeout(scaled(10))
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(scaled(10))
            assert connection.recv(80) == b""


def test_a_name_that_is_not_known(monkeypatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert diagnosis.describe("nowhere:2181") == "Name or service not known"


def test_nobody_waits_for_a_name_service_that_hangs(monkeypatch) -> None:
    answered = threading.Event()
    began = threading.Semaphore(0)

    def hang(*_: object, **__: object) -> None:
        began.release()
        answered.wait(scaled(60))
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    for _ in range(3):
        assert diagnosis.describe("a:1,b:2", seconds=0.05) == diagnosis.NO_NAME
    answered.set()
    assert began.acquire(timeout=scaled(10))
    assert began.acquire(timeout=scaled(10))
    assert not began.acquire(timeout=0.1), "there is one lookup of each at a time"


def test_nobody_waits_for_a_network_that_swallows_packets() -> None:
    with black_hole() as address:
        assert diagnosis.describe(address, seconds=0.2) == "no answer"


def test_a_string_that_names_no_server() -> None:
    assert (
        diagnosis.describe("/x") == "it names no server before the root '/x'; HOST:PORT is needed"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            b"SSH-2.0-OpenSSH\r\n",
            "it answers b'SSH-2.0-OpenSSH\\r\\n', as no ZooKeeper",
        ),
        (b"HTTP/1.1 400 Bad Request\r\n", "it answers b'HTTP/1.1 400 Bad Request\\r\\n', as no "),
        (b"imok", diagnosis.ACCEPTED),
        (b"ruok is not executed because it is not in the whitelist.", diagnosis.ACCEPTED),
        (b"", diagnosis.ACCEPTED),
    ],
)
def test_a_server_of_something_else_is_told(monkeypatch, answer, told) -> None:
    monkeypatch.setattr(diagnosis, "ANSWER_SECONDS", scaled(5))
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        address = f"{LOOPBACK}:{listener.getsockname()[1]}"
        assert diagnosis.describe(address, scaled(5)).startswith(told)
        server.join()
