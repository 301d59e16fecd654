"""The page's server, with a client of its own, in the test's own place."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

import zc.zk
from tests.browse.chromium import Browser, chromium
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import scaled
from zc.zk.browse import Site

SYSTEM = Path(__file__).parents[2] / "examples" / "bakery.txt"
SERVERS = [
    ("/shop", "10.0.1.1:8080", "10.0.1.2:8080", "10.0.1.3:8080"),
    ("/orders", "10.0.2.1:9000", "10.0.2.2:9000"),
    ("/prices", "10.0.3.1:9100"),
    ("/databases/orders", "10.0.9.1:5432"),
    ("/databases/prices", "10.0.9.2:6379"),
]


class Page:
    """A reader of the page's events: what a browser would know."""

    def __init__(self, site: Site, **headers: str) -> None:
        self.connection = http.client.HTTPConnection(
            site.host, site.server_port, timeout=scaled(20)
        )
        self.connection.request("GET", "/events", headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.views: dict[str, Any] = {}
        self.changes: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {}

    def read_event(self) -> str:
        """Take in one event, and return its name."""
        name = ""
        while line := self.answer.readline().decode():
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data" and name == "status":
                self.status = json.loads(value)
            elif field == "data" and name == "changes":
                self.changes += json.loads(value)
            elif field == "data" and name == "nodes":
                for path, view in json.loads(value):
                    if view is None:
                        self.views.pop(path, None)
                    else:
                        self.views[path] = view
            elif not field:
                return name
        raise AssertionError("the events have ended")

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Read events until `condition` is true, as long as some come now and then."""
        while not condition():
            self.read_event()

    def close(self) -> None:
        self.connection.close()
        self.answer.close()


@pytest.fixture
def serve(place: str) -> Iterator[Callable[..., Site]]:
    """Yield a function that serves the page, by default of the test's place."""
    with ExitStack() as stack:

        def serve(hosts: str = place, **options: Any) -> Site:
            client = stack.enter_context(zc.zk.ZooKeeper(hosts, SESSION_TIMEOUT_MILLISECONDS))
            site = stack.enter_context(Site(client, port=0, **options))
            thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            stack.callback(site.shutdown)
            return site

        yield serve


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture
def browser(driver: Any, site: Site, zk: zc.zk.ZooKeeper) -> Iterator[Browser]:
    """Open the page of the test's place, with a tree and some servers.

    The tree is that of examples/bakery.txt.
    """
    zk.import_tree(SYSTEM.read_text())
    for path, *addresses in SERVERS:
        for address in addresses:
            zk.register_server(f"{path}/providers", address, version="1.4")
    driver.get_log("browser")
    browser = Browser(driver, site.url)
    yield browser
    driver.get("about:blank")  # so that nobody listens when the server ends


@pytest.fixture
def site(serve: Callable[..., Site]) -> Site:
    return serve()


@pytest.fixture
def read(site: Site) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens the events of a site, by default of `site`."""
    with ExitStack() as stack:
        yield lambda of=None: stack.enter_context(closing(Page(of or site)))
