"""The price service with several processes, forked as gunicorn does it.

The parent opens the client, follows the prices, registers the address that all share, and forks.
A session belongs to one process, so each worker calls `reopen` first; the prices that it has from
its parent are live again after that. The registration stays with the parent.

With gunicorn, `zc.zk.serving.gunicorn` registers, and one hook of the configuration file reopens:

    from zc.zk.serving.gunicorn import Registering

    preload_app = True
    service = Registering("/prices/providers", zk=application.zk)
    when_ready = service.when_ready
    post_worker_init = service.post_worker_init

    def post_fork(server, worker):
        application.zk.reopen()

ZC_ZK_CONNECTION_STRING says where ZooKeeper is.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from service import SESSION_TIMEOUT, PriceServer

import zc.zk

WORKERS = 2

# The pause in seconds until another worker takes the place of one that has ended.
PAUSE = 0.5


class SharedPriceServer(PriceServer):
    """A price server that ends when the process that forked it has ended."""

    parent = 0

    def server_activate(self) -> None:
        super().server_activate()
        # One of several workers gets a new connection, and the others must not wait.
        self.socket.setblocking(False)

    def service_actions(self) -> None:
        if self.parent and os.getppid() != self.parent:
            sys.exit()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with zc.zk.ZooKeeper(session_timeout=SESSION_TIMEOUT) as zk:
        with SharedPriceServer(prices=zk.properties("/prices")) as server:
            registration = zk.register("/prices/providers", ("127.0.0.1", server.server_port))
            print("registered as", *registration.paths, flush=True)
            supervise(zk, server)


def supervise(zk: zc.zk.ZooKeeper, server: SharedPriceServer) -> None:
    """Have WORKERS processes serve, until this one is asked to end."""
    parent = os.getpid()
    workers: set[int] = set()
    try:
        while True:
            while len(workers) < WORKERS:
                worker = os.fork()
                if not worker:
                    server.parent = parent
                    work(zk, server)
                workers.add(worker)
            worker, _ = os.wait()
            workers.remove(worker)
            time.sleep(PAUSE)
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        for worker in workers:
            os.waitpid(worker, 0)


def work(zk: zc.zk.ZooKeeper, server: SharedPriceServer) -> None:
    """Work until the end, without returning into the parent's code."""
    try:
        zk.reopen()
        # The write is one piece, as the workers write to the same stream.
        print(f"worker {os.getpid()}\n", end="", flush=True)
        server.serve_forever()
    finally:
        zk.close()
        os._exit(0)


if __name__ == "__main__":
    main()
