"""The page without a mouse, without eyes, with bad ones, and at 390 pixels."""

from __future__ import annotations

import shutil
from functools import partial

import pytest

from tests.browse.chromium import needs_browser
from tests.deadlines import wait_until
from zc.zk import graphvis

pytestmark = needs_browser

VIEWS = {
    "/": ("#details .latest", "Last changes"),
    "/shop": ("#details .table", "10.0.1.3:8080"),
    "/orders/databases": ("#details .broken", "/databases/archive"),
    "health": ("#health-view .findings", "10.0.1.9:80"),
    "changes": ("#changes-view .changes", "gone"),
    "diagram": ("#diagram-view", "13 services" if shutil.which("dot") else "graphviz"),
    "diagram/list": ("#diagram-view .table", "s000"),
}


@pytest.fixture
def shown(browser, zk, monkeypatch):
    """Yield a function that shows a view, of a tree with all that there is to be seen."""
    for choice in "is_drawable", "clustered":
        function = partial(getattr(graphvis, choice), most_units=12)
        monkeypatch.setattr(graphvis, choice, function)
    services = "".join(f"  /s{n:03} : x\n    /providers\n" for n in range(13))
    zk.import_tree(f"/list\n{services}", trim=False)
    zk.register_server("/shop/providers", "10.0.1.9:80", version="1.5")
    zk.create("/changing", "")
    browser.open()
    browser.wait_for("#outline .name", "changing")
    zk.set("/changing", "1")
    browser.wait_for("#details .latest", "changed/changing")
    zk.delete("/changing")

    def show(view):
        browser.driver.get("about:blank")
        browser.driver.get(f"{browser.url}#{view}")
        browser.wait_for(*VIEWS[view])
        browser.wait_for("#status", "127.0.0.1:")
        browser.wait_for("#findings", "1")

    yield show
    browser.resize(1280, 900)
    browser.prefer("")


# Colours are a matter of the scheme, and what is where of the width.
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("light", 390), ("dark", 1440)])
def test_axe_finds_nothing(browser, shown, scheme, width):
    browser.prefer(scheme)
    browser.resize(width, 900)
    found = {}
    for view in VIEWS:
        shown(view)
        found[view] = browser.findings()
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, view
    shown("/shop")
    browser.find("#search")[0].send_keys("shop")
    browser.wait_for("#results", "nodes found")
    found["search"] = browser.findings()
    assert {view: findings for view, findings in found.items() if findings} == {}


def test_axe_finds_what_is_wrong(browser, shown):
    shown("/shop")
    browser.driver.execute_script(
        "document.getElementById('search').removeAttribute('aria-label');"
        "document.getElementById('search').removeAttribute('placeholder');"
        "document.querySelector('#details h2').style.color = '#cccccc'"
    )
    found = " ".join(browser.findings())
    assert "label:" in found
    assert "color-contrast:" in found


def test_keys_of_the_tree(browser):
    browser.open()
    browser.wait_for("#outline .name", "mailer")
    browser.evaluate("document.querySelector('#outline [tabindex=\"0\"]').focus()")

    def is_at(path):
        wait_until(
            lambda: browser.evaluate("document.activeElement.dataset.path") == path,
            lambda: f"at {browser.evaluate('document.activeElement.dataset.path')}, not {path}",
        )
        assert len(browser.find("#outline [tabindex='0']")) == 1
        (chosen,) = browser.find("#outline [aria-selected=true]")
        assert chosen.get_attribute("data-path") == path

    browser.press("END")
    is_at("/shop")
    browser.press("HOME")
    is_at("/")
    browser.press("p")
    is_at("/databases/prices")
    browser.press("p")
    is_at("/orders/providers")
    wait_until(lambda: browser.evaluate("performance.now()") > 0, "the page has a clock")
    browser.press("END", "ARROW_RIGHT")
    browser.wait_for("li[data-path='/shop'] .name", "providers")
    browser.press("ARROW_RIGHT")
    is_at("/shop/providers")
    browser.press("ENTER")
    browser.wait_for("#outline .name", "10.0.1.3:8080")
    browser.press("ENTER")
    browser.wait_until_gone("#outline .name", "10.0.1.3:8080")
    browser.press("ARROW_LEFT")
    is_at("/shop")
    browser.press("*")
    browser.wait_for("#outline .name", "pools")
    browser.press("/")
    assert browser.evaluate("document.activeElement.id") == "search"
    assert browser.complaints() == []


def test_the_focus_stays_when_the_tree_changes(browser, zk):
    browser.open("/orders")
    browser.wait_for("#outline .selected", "orders")
    browser.evaluate("document.querySelector('#outline [tabindex=\"0\"]').focus()")
    zk.properties("/orders").update(threads=5)
    zk.register_server("/orders/providers", "10.0.2.3:9000")
    browser.wait_for("li[data-path='/orders'] > .row", "3 providers")
    browser.wait_for("#details td", "5")
    assert browser.evaluate("document.activeElement.dataset.path") == "/orders"


def test_the_rest_of_many_children_is_reached_by_keys(browser, zk):
    zk.import_tree("/many\n" + "".join(f"  /{n:04}\n" for n in range(700)), trim=False)
    browser.open("/many/0299")
    browser.wait_for("#outline .selected", "0299")
    browser.evaluate("document.querySelector('#outline [tabindex=\"0\"]').focus()")
    browser.press("ARROW_DOWN")
    assert browser.focused() == "400 more nodes"
    browser.press("ENTER")
    browser.wait_for("#outline .more", "100 more nodes")
    wait_until(
        lambda: browser.evaluate("document.activeElement.dataset.path") == "/many/0300",
        "the first of those that came",
    )
    (item,) = browser.find(".row[data-path='/many/0300']")
    assert (item.get_attribute("aria-posinset"), item.get_attribute("aria-setsize")) == (
        "301",
        "700",
    )


def test_keys_of_the_search(browser):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.press("/")
    browser.press("1", "0", ".", "0", ".", "9")
    browser.wait_for("#results [role=status]", "2 nodes found")
    browser.press("ARROW_DOWN")
    assert browser.focused() == "/databases/orders/providers/10.0.9.1:5432"
    browser.press("END")
    assert browser.focused() == "/databases/prices/providers/10.0.9.2:6379"
    browser.press("ARROW_UP", "ARROW_UP")
    assert browser.evaluate("document.activeElement.id") == "search"
    browser.press("ENTER")
    browser.wait_for("#details h2", "10.0.9.1:5432")
    browser.press("ESCAPE")
    browser.wait_for("#outline .selected", "10.0.9.1:5432")


def test_escape_leads_from_what_is_found_to_the_node_in_the_tree(browser):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.press("/")
    browser.press("1", "0", ".", "0", ".", "9")
    browser.wait_for("#results [role=status]", "2 nodes found")
    browser.press("ARROW_DOWN", "ENTER")
    browser.wait_for("#details h2", "10.0.9.1:5432")
    browser.press("ESCAPE")
    browser.wait_for("#outline .selected", "10.0.9.1:5432")
    path = browser.evaluate("document.activeElement.dataset.path")
    assert path == "/databases/orders/providers/10.0.9.1:5432"


def test_keys_of_the_tabs(browser):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.evaluate("document.getElementById('tab-tree').focus()")
    for key, view in [("ARROW_RIGHT", "health"), ("END", "diagram"), ("ARROW_LEFT", "changes"),
                      ("HOME", "tree")]:  # fmt: skip
        browser.press(key)
        wait_until(
            lambda view=view: browser.evaluate(
                "[...document.querySelectorAll('main > *')]"
                ".filter((each) => each.checkVisibility()).map((each) => each.id)"
            ) == [f"{view}-view"],
            view,
        )  # fmt: skip
        assert browser.evaluate("document.activeElement.id") == f"tab-{view}"
