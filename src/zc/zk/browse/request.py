"""One request to the page's server: who may ask, what there is, and the events."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs

from zc.zk.boundedserver import BoundedThreads
from zc.zk.browse.diagram import Diagram, NothingDrawn
from zc.zk.browse.hostnames import HostNames
from zc.zk.browse.places import Place, Places
from zc.zk.browse.publishing import Publisher
from zc.zk.browse.token import CHALLENGE, Token
from zc.zk.browse.watchedtree import TOP
from zc.zk.graphvis import GraphvizError

logger = logging.getLogger("zc.zk")

NONE: Mapping[str, str] = {}

# An event is sent so often (seconds), which tells both sides whether the other one is there.
HEARTBEAT = 10.0
HEARTBEAT_EVENT = "event: heartbeat\ndata: {}\n\n"

# A reader that takes nothing for so long (seconds) is gone.
PATIENCE = 30.0

# The mark in index.html where the key belongs.
KEY_MARK = b"{key}"

SCRIPTS = (
    "canvas", "changes", "details", "diagram", "elements", "focus", "health", "healthview", "keys",
    "model", "order", "outline", "page", "providers", "rows", "search", "services", "stream",
    "table", "tabs", "treekeys", "viewport",
)  # fmt: skip

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


class Served(BoundedThreads, HTTPServer):
    """The server, as far as requests need it."""

    names: HostNames
    token: Token
    key: str
    places: Places
    publisher: Publisher
    diagram: Diagram


class Request(BaseHTTPRequestHandler):
    """One request. There is GET, and HEAD, and nothing else."""

    server: Served
    timeout = PATIENCE
    # Until they are read; nonsense has neither.
    command = ""
    path = ""

    def do_GET(self) -> None:
        self.server.note_asked(self.connection)
        path = self.path.partition("?")[0]
        if not self.server.names.know(self.headers.get("Host")):
            self.answer_text(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this is not the host you look for; zookeeper_browse --allow-host NAME lets it"
                " answer to another name",
            )
        elif not self.server.token.admits(self.headers.get("Authorization")):
            self.answer_text(
                HTTPStatus.UNAUTHORIZED,
                "this page asks for a token: it is the password, under any name",
                {"WWW-Authenticate": CHALLENGE},
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
            origin is None or self.server.names.know(origin.partition("://")[2])
        )

    def has_key(self) -> bool:
        """Return whether the request names the page's key, as the page does."""
        return secrets.compare_digest(self.named("key").encode(), self.server.key.encode())

    def named(self, name: str, default: str = "") -> str:
        """Return the value that the address gives to a name."""
        return parse_qs(self.path.partition("?")[2]).get(name, [default])[0]

    def answer_diagram(self, path: str) -> None:
        top = self.named("top", TOP)
        try:
            if path == "/diagram.svg":
                self.answer(HTTPStatus.OK, "image/svg+xml", self.server.diagram.svg(top))
            else:
                shapes = self.server.diagram.shown(top).encode()
                self.answer(HTTPStatus.OK, "application/json", shapes)
        except NothingDrawn as fault:
            self.answer_text(HTTPStatus.NOT_FOUND, str(fault))
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
            while not (publisher.is_closed or place.is_revoked or subscription.is_behind):
                events = subscription.next(HEARTBEAT)
                text = "".join(f"event: {name}\ndata: {data}\n\n" for name, data in events)
                self.wfile.write((text or HEARTBEAT_EVENT).encode())
        finally:
            subscription.close()

    def answer_text(self, status: HTTPStatus, text: str, headers: Mapping[str, str] = NONE) -> None:
        self.answer(status, "text/plain; charset=utf-8", f"{text}\n".encode(), headers)

    def answer(
        self, status: HTTPStatus, kind: str, content: bytes, headers: Mapping[str, str] = NONE
    ) -> None:
        self.start_answer(status, kind)
        for name, value in headers.items():
            self.send_header(name, value)
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

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request, in the same way as the others."""
        self.close_connection = True
        # That of nonsense would be one without status and headers, HTTP/0.9.
        self.request_version = self.protocol_version
        self.answer_text(HTTPStatus(code), f"this is no request: {HTTPStatus(code).phrase}")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        # Behind a question mark comes the page's key.
        told = f"{self.command or '-'} {self.path.partition('?')[0] or '-'}"
        logger.debug("%s: %s", told, int(code) if isinstance(code, int) else code)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)
