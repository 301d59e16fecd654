"""Draw the pictures in docs/ of examples/bakery.txt and its servers.

One is a diagram, the others are the page. All views of the page, at the widths of a screen and of a
phone, by day and by night, are drawn into build/pictures, to be looked at. The script needs
Graphviz, Chromium with its driver, and Selenium: `make pictures` installs them.
"""

from __future__ import annotations

import shutil
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
ALL = PROJECT / "build" / "pictures"

# The page shows this port in what it tells about its server.
PORT = 2181

SERVERS = {
    "/shop": ["10.0.1.1:8080", "10.0.1.2:8080", "10.0.1.3:8080"],
    "/orders": ["10.0.2.1:9000", "10.0.2.2:9000"],
    "/prices": ["10.0.3.1:9100"],
    "/databases/orders": ["10.0.9.1:5432"],
    "/databases/prices": ["10.0.9.2:6379"],
}
VERSIONS = {"10.0.1.3:8080": "2.9"}

# By name of a view: the page's address, and what is waited for.
VIEWS = {
    "overview": ("", ("#details .latest", "/orders/mailer")),
    "service": ("#/shop", ("#details .table", "10.0.1.3:8080")),
    "health": ("#health", ("#health-view .is-odd", "10.0.1.3:8080")),
    "changes": ("#changes", ("#changes-view", "/orders/mailer")),
    "diagram": ("#diagram", ("#diagram-view g.node", "mailer")),
}
SIZES = {"1440": (1440, 760), "390": (390, 844)}
SCHEMES = ("light", "dark")

# The pictures of the guide.
CHOSEN = {
    "browse": "overview-1440-light",
    "browse-service": "service-1440-light",
    "browse-health": "health-1440-dark",
    "browse-diagram": "diagram-1440-dark",
    "browse-phone": "service-390-light",
}


def main() -> None:
    with Server(PORT) as server, zc.zk.ZooKeeper(server.connection_string) as zk:
        zk.import_tree((PROJECT / "examples" / "bakery.txt").read_text())
        for path, addresses in SERVERS.items():
            for address in addresses:
                version = VERSIONS.get(address, "2.10")
                zk.register_server(f"{path}/providers", address, version=version)
        draw_system(zk)
        with page(server) as url, chromium() as driver:
            photograph(Browser(driver, url), zk)
    for name, chosen in CHOSEN.items():
        shutil.copy(ALL / f"{chosen}.png", DOCS / f"{name}.png")


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


def photograph(browser: Browser, zk: zc.zk.ZooKeeper) -> None:
    ALL.mkdir(parents=True, exist_ok=True)
    browser.open()
    browser.wait_for("#outline .name", "mailer")
    happen(browser, zk)
    for size, (width, height) in SIZES.items():
        browser.resize(width, height)
        for scheme in SCHEMES:
            browser.prefer(scheme)
            for name, (address, (selector, text)) in VIEWS.items():
                browser.driver.get("about:blank")
                browser.driver.get(browser.url + address)
                browser.wait_for(selector, text)
                browser.wait_for("#findings", "3")
                browser.screenshot(str(ALL / f"{name}-{size}-{scheme}.png"))
    browser.driver.get("about:blank")  # so that nobody listens when the page's server ends


def happen(browser: Browser, zk: zc.zk.ZooKeeper) -> None:
    """Have some changes be told, as on any day."""
    zk.register_server("/orders/mailer/providers", "10.0.4.1:25", version="2.10")
    browser.wait_for("#details .latest", "10.0.4.1:25")
    zk.properties("/shop").update(threads=12)
    zk.delete("/orders/mailer/providers/10.0.4.1:25")
    zk.register_server("/prices/providers", "10.0.3.2:9100", version="2.10")


if __name__ == "__main__":
    main()
