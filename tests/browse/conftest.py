"""The page's server, with a client of its own, in the test's own place."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

import zc.zk
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import scaled
from zc.zk.browse import Site


class Page:
    """A reader of the page's events: what a browser would know."""

    def __init__(self, site: Site) -> None:
        self.connection = http.client.HTTPConnection(
            site.host, site.server_port, timeout=scaled(20)
        )
        self.connection.request("GET", "/events")
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.views: dict[str, Any] = {}
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
            elif field == "data":
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


@pytest.fixture
def site(serve: Callable[..., Site]) -> Site:
    return serve()


@pytest.fixture
def read(site: Site) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens the events of a site, by default of `site`."""
    with ExitStack() as stack:
        yield lambda of=None: stack.enter_context(closing(Page(of or site)))
