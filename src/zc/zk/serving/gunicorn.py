"""gunicorn: its arbiter is registered when the first worker is ready, and withdrawn before it ends.

In the configuration file:

    from zc.zk.serving.gunicorn import Registering

    service = Registering('/prices/providers', weight=2)
    when_ready = service.when_ready
    post_worker_init = service.post_worker_init

Workers come and go, be it by a reload (SIGHUP), and the registration stays: the arbiter has the
socket.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from zc.zk.serving.service import Service
from zc.zk.serving.withdrawal import GRACE_SECONDS, Withdrawal

if TYPE_CHECKING:
    from zc.zk.registration.address import Address

logger = logging.getLogger("zc.zk")

RETRY_SECONDS = 1.0


class Registering:
    """Hooks for gunicorn's configuration. The arguments are those of `asgi.registered`."""

    def __init__(
        self,
        path: str,
        address: Address | None = None,
        *,
        grace: float = GRACE_SECONDS,
        **more: Any,
    ) -> None:
        self._service = Service(path, address, **more)
        self._withdrawal = Withdrawal(self._service.close, grace)
        self._ready: int | None = None

    def when_ready(self, server: object) -> None:
        """Register when a worker is ready. For the hook of this name, in the arbiter."""
        reading, self._ready = os.pipe()
        # After the first worker nobody reads, and a full pipe is not to stop a later one.
        os.set_blocking(self._ready, False)
        self._withdrawal.install()
        threading.Thread(target=self._register, args=[reading], daemon=True).start()

    def post_worker_init(self, worker: object) -> None:
        """Tell the arbiter that a worker is ready. For the hook of this name."""
        if self._ready is not None:
            with suppress(OSError):
                os.write(self._ready, b".")

    def _register(self, reading: int) -> None:
        os.read(reading, 1)
        os.close(reading)
        told = ""
        while True:
            try:
                if self._service.register_if_listening():
                    return
                fault = "the arbiter does not listen"
            except Exception as problem:
                fault = f"{type(problem).__name__}: {problem}"
            if fault != told:
                logger.error("not registered, will try again: %s", fault)
            told = fault
            time.sleep(RETRY_SECONDS)
