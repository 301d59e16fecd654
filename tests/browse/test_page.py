"""The page in a browser: `make test-page` installs Chromium and runs this.

Without Chromium, its driver or Selenium these tests are skipped, unless ZK_TEST_PAGE is 1.
"""

from __future__ import annotations

import shutil
import time

import pytest

from tests.browse.chromium import Browser, needs_browser
from tests.deadlines import scaled, wait_until

NASTY = '<script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'


pytestmark = needs_browser


def test_the_tree_opens_and_closes(browser):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.wait_for("#status", "127.0.0.1:")
    # It is open down to the first services.
    assert browser.texts("#outline .name") == [
        "/", "balancer", "databases", "orders", "prices", "orders", "databases", "mailer",
        "providers", "prices", "shop",
    ]  # fmt: skip
    browser.click("li[data-path='/shop'] > .row > .toggle")
    assert browser.texts("li[data-path='/shop'] .name") == ["shop", "orders", "prices", "providers"]
    browser.click("li[data-path='/shop'] > .row > .toggle")
    assert browser.texts("li[data-path='/shop'] .name") == ["shop"]
    assert browser.complaints() == []


def test_a_node_s_properties_and_links(browser):
    browser.open("/shop")
    browser.wait_for("#details th", "threads")
    rows = dict(
        zip(
            browser.texts("#details th[scope=row]"),
            browser.texts("#details > table td"),
            strict=True,
        )
    )
    assert rows == {
        "currency": "'EUR'",
        "orders": "→ /orders/providers",
        "prices": "→ /prices/providers",
        "threads": "8",
        "vat": "⇒ /prices vat0.07",
    }
    browser.click("#details td a", "/orders/providers")
    browser.wait_for("#details h2", "/orders/providers")
    browser.wait_for("#outline .selected", "providers")
    browser.click("#details .table a", "10.0.2.1:9000")
    browser.wait_for("#details .card", "It lasts as long as session 0x")
    assert browser.driver.current_url.endswith("#/orders/providers/10.0.2.1%3A9000")
    browser.driver.back()
    browser.wait_for("#details .table", "10.0.2.2:9000")
    assert browser.complaints() == []


def test_a_broken_link_is_marked_and_leads_nowhere(browser):
    browser.open("/orders/databases")
    browser.wait_for("#details .broken", "/databases/archive")
    browser.wait_for("#details .fault", "no node: /orders/databases/archive")
    assert browser.texts("#details td a") == ["/databases/orders"]


def test_a_new_provider_appears_within_two_seconds_marked_with_age_and_owner(browser, zk):
    browser.open("/shop/providers")
    browser.wait_for("#outline .selected", "providers")
    browser.click("li[data-path='/shop/providers'] > .row > .toggle")
    browser.wait_for("#outline .row", "10.0.1.3:8080")
    started = time.monotonic()
    zk.register_server("/shop/providers", "10.0.1.4:8080")
    browser.wait_for("#outline .row", "10.0.1.4:8080ephemeral, 0 second", seconds=2)
    browser.wait_for("li[data-path='/shop'] > .row", "4 providers", seconds=2)
    browser.wait_for("#details .table", "10.0.1.4:8080", seconds=2)
    assert time.monotonic() - started < scaled(6)
    (pill,) = browser.find("li[data-path='/shop/providers/10.0.1.4:8080'] .ephemeral")
    assert pill.get_attribute("title") == f"session {hex(zk.client_id()[0] & 2**64 - 1)}"
    zk.delete("/shop/providers/10.0.1.4:8080")
    browser.wait_until_gone("#outline .row", "10.0.1.4:8080")
    browser.wait_for("li[data-path='/shop'] > .row", "3 providers")
    assert browser.complaints() == []


def test_a_closed_row_counts_the_providers_that_come_and_go(browser, zk):
    browser.open("/orders")
    browser.wait_for("#outline .selected", "orders")
    assert browser.texts("li[data-path='/orders/providers']") == []
    registration = zk.register("/orders/providers", "10.0.2.3:9000")
    browser.wait_for("li[data-path='/orders'] > .row", "3 providers")
    registration.unregister()
    browser.wait_for("li[data-path='/orders'] > .row", "2 providers")


def test_properties_change_before_one_s_eyes(browser, zk):
    browser.open("/shop")
    browser.wait_for("#details td", "8")
    zk.properties("/shop").update({"threads": 9, "vat =>": "/prices cake"})
    browser.wait_for("#details td", "9")
    browser.wait_for("#details td", "/prices cake18.5")
    zk.properties("/prices").update(cake=20)
    browser.wait_for("#details td", "/prices cake20")
    zk.delete_recursive("/shop", force=True)
    browser.wait_for("#details", "There is no node /shop, or not any more.")
    browser.wait_until_gone("#outline .name", "shop")


def test_nothing_in_a_node_runs_or_becomes_markup(browser, zk):
    name = NASTY.replace("/", "∕")
    zk.create("/nasty", NASTY)
    zk.import_tree(f"/nasty2\n  'type' = {NASTY!r}\n  {NASTY!r} = {NASTY!r}\n  l -> {NASTY!r}\n")
    zk.create(f"/nasty/{name}", NASTY)
    zk.ln("/nasty", f"/{name}") if zk.exists(f"/{name}") else zk.create(f"/{name}", "")
    browser.open("/nasty")
    browser.wait_for("#details code", NASTY.replace("'", "\\'"))
    browser.wait_for("#details .children a", name)
    browser.open("/nasty2")
    browser.wait_for("#details th", NASTY)
    browser.wait_for("#details .type", NASTY)
    browser.click("li[data-path='/nasty2'] > .row > .toggle")
    browser.wait_for("#outline .links", NASTY)
    (search,) = browser.find("#search")
    search.send_keys("<img")
    browser.wait_for("#results", NASTY)
    search.clear()
    browser.open("/nasty/" + name)
    browser.wait_for("#details h2", name)
    browser.click("#tab-diagram")
    browser.wait_for("#diagram-view", "nasty2")
    assert browser.driver.title.endswith("· ZooKeeper")
    assert browser.find("body script, img, iframe, object, embed, [onerror], [style*=url]") == []
    assert browser.complaints() == []


def test_a_character_that_cannot_be_seen_is_shown(browser, zk):
    zk.create("/\u202egnp.exe", '{"\u200bhidden":1,"to ->":"/a\u2066b"}')
    browser.open("/\u202egnp.exe")
    browser.wait_for("#details h2", "/\\u{202e}gnp.exe")
    browser.wait_for("#outline .selected", "\\u{202e}gnp.exe")
    assert browser.texts("#details th") == ["to", "\\u{200b}hidden"]
    assert browser.texts("#details td .broken") == ["/a\\u{2066}b"]
    (search,) = browser.find("#search")
    search.send_keys("gnp")
    browser.wait_for("#results a", "/\\u{202e}gnp.exe")


def test_results_of_a_search_begin_at_the_top(browser, zk):
    zk.import_tree("/many\n" + "".join(f"  /{number:04}\n" for number in range(300)))
    browser.open("/many/0250")
    browser.wait_for("#outline .selected", "0250")

    def scrolled():
        return browser.driver.execute_script("return document.getElementById('left').scrollTop")

    wait_until(lambda: scrolled() > 1000, "the node is in sight")
    (search,) = browser.find("#search")
    search.send_keys("many")
    browser.wait_for("#results", "301 nodes found")
    wait_until(lambda: scrolled() == 0, "the first result is in sight")
    search.send_keys("\ue00c")  # the escape key
    wait_until(lambda: scrolled() > 1000, "the node is in sight again")


def test_search_finds_names_and_properties(browser):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    (search,) = browser.find("#search")
    search.send_keys("10.0.9")
    browser.wait_for("#results", "2 nodes found")
    assert browser.texts("#results a") == [
        "/databases/orders/providers/10.0.9.1:5432",
        "/databases/prices/providers/10.0.9.2:6379",
    ]
    search.clear()
    search.send_keys("THREADS = 8")
    browser.wait_for("#results code", "threads = 8")
    assert browser.texts("#results mark") == ["threads = 8"]
    browser.click("#results a", "/shop")
    browser.wait_for("#details h2", "/shop")
    search.send_keys("\ue00c")  # the escape key
    browser.wait_for("#outline .selected", "shop")


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_the_diagram_follows_and_can_be_clicked(browser, zk):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.click("#tab-diagram")
    browser.wait_for("#diagram-view g.node", "mailer")
    browser.wait_for("#diagram-view g.node", "no providers")
    zk.register_server("/orders/mailer/providers", "10.0.4.1:25")
    browser.wait_until_gone("#diagram-view g.node", "no providers")
    browser.click("#diagram-view a", "mailer")
    browser.wait_for("#details h2", "/orders/mailer")
    assert browser.complaints() == []


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_labels_stay_in_their_boxes_whatever_the_font(browser, zk):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.driver.execute_script(
        "document.getElementById('diagram-view').style.letterSpacing = '5px'"
    )
    browser.click("#tab-diagram")
    browser.wait_for("#diagram-view g.node", "mailer")

    def overflowing():
        return browser.driver.execute_script(
            "return [...document.querySelectorAll('g.node, g.cluster')].flatMap((group) => {"
            "  const box = group.querySelector('path, polygon, ellipse').getBBox();"
            "  return [...group.querySelectorAll('text')].filter("
            "    (text) => text.getBBox().width > box.width).map((text) => text.textContent);"
            "})"
        )

    wait_until(lambda: overflowing() == [], lambda: f"in their boxes: {overflowing()}")
    narrowed = browser.find("#diagram-view text[textLength]")
    assert narrowed, "the font that the test asks for is too wide"


def test_keys_walk_through_the_tree(browser):
    browser.open("/orders")
    browser.wait_for("#outline .selected", "orders")
    (name,) = browser.find("li[data-path='/orders'] > .row > .name")
    browser.driver.execute_script("arguments[0].focus()", name)
    keys = {"right": "\ue014", "down": "\ue015", "left": "\ue012", "up": "\ue013"}

    def press(key):
        browser.driver.switch_to.active_element.send_keys(keys[key])

    press("right")  # opens
    browser.wait_for("#outline .name", "mailer")
    press("right")
    browser.wait_for("#details h2", "/orders/databases")
    press("down")
    browser.wait_for("#details h2", "/orders/mailer")
    press("up")
    press("left")
    browser.wait_for("#details h2 b", "orders")
    press("left")
    browser.wait_until_gone("#outline .name", "mailer")


def test_many_children_are_shown_in_parts(browser, zk):
    zk.import_tree("/many\n" + "".join(f"  /{number:04}\n" for number in range(1000)))
    browser.open("/many/0900")
    browser.wait_for("#outline .selected", "0900")
    browser.open("/many")
    browser.wait_for("#outline .name", "many")
    browser.click("li[data-path='/many'] > .row > .toggle")
    browser.wait_for("#outline .more", "700 more nodes")
    assert len(browser.texts("li[data-path='/many'] li .name")) == 300
    browser.click("#outline .more")
    browser.wait_for("#outline .more", "400 more nodes")
    zk.delete("/many/0000")
    browser.wait_for("#outline .more", "399 more nodes")


def test_a_tree_that_is_too_large_says_so(driver, serve, zk):
    zk.import_tree("/many\n" + "".join(f"  /{number:04}\n" for number in range(100)))
    browser = Browser(driver, serve(limit=50).url)
    browser.open()
    browser.wait_for("#notice", "The tree is larger than what is shown, 50 nodes")
    browser.wait_for("#outline .pill", "52 nodes not shown")
    driver.get("about:blank")


def test_lost_connections_are_told(driver, serve, zk, proxy, root):
    zk.import_tree("/a\n  x = 1\n")
    browser = Browser(driver, serve(proxy.connection_string + root).url)
    browser.open("/a")
    browser.wait_for("#details td", "1")
    proxy.refuse()
    proxy.cut()
    browser.wait_for("#status.bad", "does not answer")
    zk.set("/a", '{"x":2}')
    proxy.allow()
    browser.wait_for("#status.good", proxy.connection_string)
    browser.wait_for("#details td", "2")
    driver.get("about:blank")


def test_at_night_it_is_dark(browser):
    browser.prefer("dark")
    try:
        browser.open("/shop")
        browser.wait_for("#details th", "threads")
        colour = browser.driver.execute_script(
            "return getComputedStyle(document.body).backgroundColor"
        )
        assert colour == "rgb(15, 23, 42)"
    finally:
        browser.prefer("")
