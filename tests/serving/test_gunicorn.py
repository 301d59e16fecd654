"""Hooks for gunicorn; tests/serving/test_rolling.py has them in gunicorn."""

from __future__ import annotations

import os
import signal
import socket

from tests.deadlines import wait_until
from zc.zk.serving.gunicorn import Registering


def test_workers_that_come_for_ever_are_not_held_up(zk) -> None:
    zk.create("/providers")
    former = signal.getsignal(signal.SIGTERM)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        service = Registering("/providers", zk=zk, port=port)
        service.when_ready(None)
        assert service._ready is not None
        try:
            assert zk.get_children("/providers") == []
            # More than a pipe holds.
            for _ in range(70_000):
                service.post_worker_init(None)
            wait_until(lambda: zk.get_children("/providers"), "it is registered")
            assert zk.get_children("/providers") == [f"127.0.0.1:{port}"]
        finally:
            service._withdrawal.remove()
            os.close(service._ready)
    assert signal.getsignal(signal.SIGTERM) is former


def test_a_worker_without_an_arbiter_that_registers_is_ready_all_the_same() -> None:
    Registering("/providers").post_worker_init(None)
