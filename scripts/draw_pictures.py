"""Draw the pictures in docs/ of examples/bakery.txt and its servers.

One is a diagram, the other the page. The script needs Graphviz, Chromium with its
driver, and Selenium: `make pictures` installs them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browse.chromium import Browser, chromium

import zc.zk
from zc.zk import graphvis
from zc.zk.browse import Site
from zc.zk.testing import Server

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"

# The page shows this port in what it tells about its server.
PORT = 2181

SERVERS = {
    "/shop": ["10.0.1.1:8080", "10.0.1.2:8080", "10.0.1.3:8080"],
    "/orders": ["10.0.2.1:9000", "10.0.2.2:9000"],
    "/prices": ["10.0.3.1:9100"],
    "/databases/orders": ["10.0.9.1:5432"],
    "/databases/prices": ["10.0.9.2:6379"],
}


def main() -> None:
    with Server(PORT) as server, zc.zk.ZooKeeper(server.connection_string) as zk:
        zk.import_tree((PROJECT / "examples" / "bakery.txt").read_text())
        for path, addresses in SERVERS.items():
            for address in addresses:
                zk.register_server(f"{path}/providers", address)
        draw_system(zk)
        with page(server) as url, chromium() as driver:
            photograph(Browser(driver, url))


def draw_system(zk: zc.zk.ZooKeeper) -> None:
    system = graphvis.system(zc.zk.parse_tree(zk.export_tree(ephemeral=True)))
    for format in "svg", "png":
        picture = graphvis.picture(graphvis.dot(system, live=True), format)
        (DOCS / f"system.{format}").write_bytes(picture)


@contextmanager
def page(server: Server) -> Iterator[str]:
    with zc.zk.ZooKeeper(server.connection_string) as zk, Site(zk, port=0) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield site.url
        finally:
            site.shutdown()
            thread.join()


def photograph(browser: Browser) -> None:
    browser.resize(1100, 530)
    browser.open("/shop")
    browser.wait_for("#details h2", "shop")
    for path in "/orders", "/orders/databases", "/shop", "/shop/providers":
        browser.click(f"li[data-path='{path}'] > .row > .toggle")
    browser.wait_for("#outline .links .broken", "/databases/archive")
    browser.wait_for("#outline .row", "10.0.1.3:8080")
    browser.screenshot(str(DOCS / "browse.png"))
    browser.driver.get("about:blank")  # so that nobody listens when the page's server ends


if __name__ == "__main__":
    main()
