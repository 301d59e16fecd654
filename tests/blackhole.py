"""Addresses that swallow packets, as a machine that is switched off does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# More than the kernel queues for a listener that accepts none and asked for a queue of none.
_FILLING = 3


@contextmanager
def black_hole(host: str = "127.0.0.1") -> Iterator[str]:
    """Yield the address, host:port, of a listener whose queue is full.

    It answers no further SYN.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(_FILLING):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listener.getsockname())
        yield f"{host}:{listener.getsockname()[1]}"
