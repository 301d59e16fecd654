"""The page's server: HTTP on one port, for reading only."""

from __future__ import annotations

import ipaddress
import logging
import secrets
import socket
import sys
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import zookeeper
from zc.zk.boundedserver import BoundedThreads, affordable
from zc.zk.browse.diagram import Diagram
from zc.zk.browse.places import Place, Places
from zc.zk.browse.publishing import Publisher
from zc.zk.browse.watchedtree import WatchedTree
from zc.zk.graphvis import GraphvizError

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper

logger = logging.getLogger("zc.zk")

LOOPBACK = "127.0.0.1"
ANY_ADDRESS = ("", "0.0.0.0", "::")
DEFAULT_PORT = 2180
DEFAULT_LIMIT = 200_000

# A comment is sent so often (seconds), which tells both sides whether the other one is there.
HEARTBEAT = 10.0

# A reader that takes nothing for so long (seconds) is gone.
PATIENCE = 30.0

# Of these, so many may be without the page's key: programs, and sites elsewhere. And there are
# connections for short requests besides.
MAX_READERS = 100
MAX_READERS_WITHOUT_KEY = 20
MORE_CONNECTIONS = 28

# The mark in index.html where the key belongs.
KEY_MARK = b"{key}"

SCRIPTS = ("page", "model", "order", "outline", "details", "search", "diagram", "elements")

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript") for name in SCRIPTS},
}

HEADERS = {
    # Only what comes from here, and nothing that is written into the document, can run or style
    # anything. Frames, forms and other sites are of no use to the page.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Site(BoundedThreads, HTTPServer):
    """Serves the page about what `zk`, a client, sees, at `host` and `port`.

    Port 0 takes one that is free. The page shows `limit` nodes at most. It answers to its address,
    to `localhost`, to this machine's name where other machines can reach it, and to the names in
    `allowed_hosts`. Raises OSError when the address cannot be had, and NoNodeException when the
    root of the client is not there.
    """

    max_connections = MAX_READERS + MORE_CONNECTIONS

    def __init__(
        self,
        zk: ZooKeeper,
        host: str = LOOPBACK,
        port: int = DEFAULT_PORT,
        limit: int = DEFAULT_LIMIT,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self.zk = zk
        self.host = host
        self.publisher = Publisher()
        self.tree = WatchedTree(zk.watches, limit, self.publisher.note)
        self.diagram = Diagram(self.tree)
        connections = affordable(self.max_connections)
        most = max(1, connections * MAX_READERS // self.max_connections)
        self.places = Places(most, min(most, MAX_READERS_WITHOUT_KEY))
        self.key = secrets.token_urlsafe(16)
        self.names = {"localhost", host.lower(), *(name.lower() for name in allowed_hosts)}
        if not _is_loopback(host):
            self.names.add(socket.gethostname().lower())
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Request)
        try:
            self.tree.start()
        except BaseException:
            self.server_close()
            raise
        self.publisher.start(self.tree)
        zk.set_watcher(lambda *_: self.tell_status())
        self.tell_status()

    def server_bind(self) -> None:
        """Bind as HTTPServer does, without asking name servers for our own name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in ANY_ADDRESS:
            host = socket.gethostname()
        return f"http://{host}:{self.server_port}/"

    def tell_status(self) -> None:
        self.publisher.tell_status(
            {
                "connection": self.zk.connection_string,
                "connected": self.zk.state == zookeeper.CONNECTED_STATE,
                "limit": self.tree.limit,
            }
        )

    def is_known_as(self, host: str | None) -> bool:
        """Return whether a request to `host`, perhaps with a port, is meant for us.

        Somebody who has the name of a site of his lead to this machine could otherwise read the
        page by a script of that site. Numbers lead nowhere else than where they say.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore readers that hang up in the middle, as they do."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            logger.error("the page's server: %r", fault, exc_info=fault)

    def server_close(self) -> None:
        """End everything but the client."""
        self.publisher.close()
        self.tree.close()
        super().server_close()


class Request(BaseHTTPRequestHandler):
    """One request. There is GET, and HEAD, and nothing else."""

    server: Site
    timeout = PATIENCE

    def do_GET(self) -> None:
        self.server.note_asked(self.connection)
        path = self.path.partition("?")[0]
        if not self.server.is_known_as(self.headers.get("Host")):
            self.answer_text(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this is not the host you look for; zookeeper_browse --allow-host NAME lets it"
                " answer to another name",
            )
        elif path in FILES:
            name, kind = FILES[path]
            content = resources.files("zc.zk.browse").joinpath("page", name).read_bytes()
            content = content.replace(KEY_MARK, self.server.key.encode())
            self.answer(HTTPStatus.OK, f"{kind}; charset=utf-8", content)
        elif not self.is_of_this_site():
            self.answer_text(HTTPStatus.FORBIDDEN, "this is for the page, and for no other site")
        elif path == "/events":
            self.stream_events()
        elif path in ("/diagram.json", "/diagram.svg"):
            self.answer_diagram(path)
        else:
            self.answer_text(HTTPStatus.NOT_FOUND, "there is nothing of this name")

    do_HEAD = do_GET

    def is_of_this_site(self) -> bool:
        """Return whether no browser says that a page of another site asks."""
        fetched_by = self.headers.get("Sec-Fetch-Site", "none")
        origin = self.headers.get("Origin")
        return fetched_by in ("none", "same-origin") and (
            origin is None or self.server.is_known_as(origin.partition("://")[2])
        )

    def has_key(self) -> bool:
        """Return whether the request names the page's key, as the page does."""
        named = parse_qs(self.path.partition("?")[2]).get("key", [""])[0]
        return secrets.compare_digest(named.encode(), self.server.key.encode())

    def answer_diagram(self, path: str) -> None:
        try:
            if path == "/diagram.svg":
                self.answer(HTTPStatus.OK, "image/svg+xml", self.server.diagram.svg())
            else:
                shapes = self.server.diagram.shapes().encode()
                self.answer(HTTPStatus.OK, "application/json", shapes)
        except GraphvizError as fault:
            self.answer_text(HTTPStatus.SERVICE_UNAVAILABLE, str(fault))

    def stream_events(self) -> None:
        place = self.server.places.take(self.client_address[0], self.has_key())
        if place is None:
            self.answer_text(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open")
            return
        try:
            self.start_answer(HTTPStatus.OK, "text/event-stream")
            self.end_headers()
            if self.command == "GET":
                self.write_events(place)
        finally:
            self.server.places.leave(place)

    def write_events(self, place: Place) -> None:
        publisher = self.server.publisher
        subscription = publisher.subscribe()
        try:
            while not (publisher.is_closed or place.is_revoked):
                events = subscription.next(HEARTBEAT)
                text = "".join(f"event: {name}\ndata: {data}\n\n" for name, data in events)
                self.wfile.write((text or ":\n\n").encode())
        finally:
            subscription.close()

    def answer_text(self, status: HTTPStatus, text: str) -> None:
        self.answer(status, "text/plain; charset=utf-8", f"{text}\n".encode())

    def answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.start_answer(status, kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def start_answer(self, status: HTTPStatus, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in HEADERS.items():
            self.send_header(name, value)

    def version_string(self) -> str:
        return "zc.zk"

    def refuse(self) -> None:
        self.close_connection = True
        self.answer_text(HTTPStatus.METHOD_NOT_ALLOWED, "this page is for reading only")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = refuse

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
