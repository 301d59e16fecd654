"""The price service as a WSGI application, with gunicorn's workers.

    gunicorn --config gunicorn_conf.py gunicorn_service:application

Each worker has a client, for the prices; it opens it at the first request, as a client belongs to
the process that opened it, so `--preload` does no harm. The registration is the arbiter's: see
gunicorn_conf.py. ZC_ZK_CONNECTION_STRING says where ZooKeeper is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import zc.zk

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


@functools.cache
def prices() -> zc.zk.Properties:
    """Return the prices, followed by a client of this process."""
    # The live object keeps its client.
    return zc.zk.ZooKeeper().properties("/prices")


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    price = prices().get(environ["PATH_INFO"].removeprefix("/"))
    if not isinstance(price, float | int):
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    answer = f"{price:.2f}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
