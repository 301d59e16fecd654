"""Serve prices by HTTP, and register the service.

`GET /tea` answers with the price of tea. The prices are properties of the node /prices, so they can
be changed while servers are running. ZC_ZK_CONNECTION_STRING says where ZooKeeper is.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import zc.zk

# ZooKeeper waits so long, in milliseconds, for a server that does not answer any more. Then it
# counts as gone.
SESSION_TIMEOUT = 4000


class PriceServer(ThreadingHTTPServer):
    """Serves prices on a port that the operating system chooses."""

    def __init__(self, prices: Mapping[str, float]) -> None:
        super().__init__(("127.0.0.1", 0), PriceRequest)
        self.prices = prices


class PriceRequest(BaseHTTPRequestHandler):
    server: PriceServer

    def do_GET(self) -> None:
        price = self.server.prices.get(self.path.removeprefix("/"))
        if price is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        answer = f"{price:.2f}\n".encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the consumer tells enough."""


def main() -> None:
    # A signal ends the `with` block: the session ends, and the registration with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with zc.zk.ZooKeeper(session_timeout=SESSION_TIMEOUT) as zk:
        with PriceServer(prices=zk.properties("/prices")) as server:
            registration = zk.register("/prices/providers", server.server_address)
            print("registered as", *registration.paths)
            server.serve_forever()


if __name__ == "__main__":
    main()
