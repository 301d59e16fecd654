"""Serve prices as a WSGI application, with gunicorn's workers of gevent.

    gunicorn --worker-class gevent --workers 2 pages:application

A worker patches threads and then imports this module, so the client that it opens here knows that
they are greenlets, and lets others go on while it waits. (With `--preload` the module is imported
too early.) The end of a worker closes the client. ZC_ZK_CONNECTION_STRING says where ZooKeeper is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import zc.zk

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

zk = zc.zk.ZooKeeper()
prices = zk.properties("/prices")
zk.register("/prices/workers", f"worker:{os.getpid()}")


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    price = prices.get(environ["PATH_INFO"].removeprefix("/"))
    if price is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    answer = f"{price:.2f}\n".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
