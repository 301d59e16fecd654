"""The page that hangs on a wall: what it shows by itself, and whom it survives."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from urllib.parse import quote

import pytest

import zc.zk
from tests.browse.chromium import Browser, needs_browser
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire
from zc.zk.browse import Site

pytestmark = needs_browser

NASTY = "<img src=x onerror=document.title=1>"


def rows(browser, column):
    """Return the cells of a column of the table of providers."""
    return browser.texts(f"#details .table tbody td:nth-child({column})")


def test_it_opens_down_to_the_first_services_and_no_further(driver, site, zk):
    services = "".join(f"    /s{number:02}\n      /providers\n" for number in range(80))
    zk.import_tree(f"/eu\n  /prod\n{services}/us\n  /prod\n{services}/empty\n  /below\n    /no\n")
    browser = Browser(driver, site.url)
    browser.open()
    browser.wait_for("#outline .row", "s79no providers")
    assert browser.texts("li[data-path='/us'] .name") == ["us"]
    assert browser.texts("li[data-path='/empty'] .name") == ["empty"]
    # Nothing opens or closes by itself under somebody's hands.
    browser.click("li[data-path='/eu/prod'] > .row > .toggle")
    zk.create("/eu/prod/s00/providers/h:1", "")
    zk.import_tree("/new\n  /s\n    /providers\n", trim=False)
    browser.wait_for("#outline .name", "new")
    assert browser.texts("li[data-path='/eu'] .name") == ["eu", "prod"]
    assert browser.texts("li[data-path='/new'] .name") == ["new"]
    driver.get("about:blank")


def test_providers_are_a_table_that_is_sorted_by_a_click(browser, zk):
    for number, version in (2, "1.10"), (10, "1.9"), (1, "1.9"):
        zk.register_server("/orders/mailer/providers", f"h{number}:25", version=version, pid=number)
    browser.open("/orders/mailer")
    browser.wait_for("#details .table caption", "Providers")
    wait_until(lambda: rows(browser, 1) == ["h1:25", "h2:25", "h10:25"], lambda: rows(browser, 1))
    assert browser.texts("#details .table th") == ["Provider▲", "pid", "version", "Since"]
    browser.click("#details .table th button", "version")
    assert rows(browser, 1) == ["h1:25", "h10:25", "h2:25"]
    assert browser.texts("#details .table td.odd") == ["'1.10'"]
    # The order and the focus stay when rows come and go.
    zk.register_server("/orders/mailer/providers", "h3:25", version="1.2", pid=3)
    wait_until(lambda: rows(browser, 1) == ["h3:25", "h1:25", "h10:25", "h2:25"], "the new one")
    assert browser.focused() == "version▲"
    browser.press("ENTER")
    assert rows(browser, 1) == ["h2:25", "h1:25", "h10:25", "h3:25"]
    (heading,) = browser.find("#details .table th[aria-sort]")
    assert heading.get_attribute("aria-sort") == "descending"
    browser.open("/orders/mailer/providers")
    wait_until(lambda: len(rows(browser, 1)) == 4, "the same table")
    assert browser.complaints() == []


def test_thousands_of_providers_are_shown_in_parts(browser, zk):
    zk.import_tree("/many\n  /providers\n" + "".join(f"    /h{n}:80\n" for n in range(2000)))
    browser.open("/many/providers")
    browser.wait_for("#details .table .more", "1,800 more rows")
    assert rows(browser, 1)[:2] == ["h0:80", "h1:80"]
    browser.click("#details .table .more")
    browser.wait_for("#details .table .more", "1,600 more rows")
    assert browser.focused() == "1,600 more rows"


def test_findings_are_counted_and_listed_and_go_when_all_is_well(browser, zk):
    browser.open()
    # The mailer has no providers, and a link leads nowhere.
    browser.wait_for("#findings", "2")
    browser.wait_for("#details .summary", "8 providers")
    browser.wait_for("#details .summary .bad", "1 service without providers")
    browser.click("#tab-health")
    browser.wait_for("#health-view .is-empty a", "/orders/mailer")
    browser.wait_for("#health-view .is-broken li", "archive -> /databases/archive")
    zk.register_server("/shop/providers", "10.0.1.9:80", version="1.5")
    browser.wait_for("#health-view .is-odd", "1 provider of '1.5'")
    browser.wait_for("#health-view .is-odd li li", "10.0.1.9:80'1.5'")
    browser.wait_for("#findings", "3")
    zk.delete("/shop/providers/10.0.1.9:80")
    zk.register_server("/orders/mailer/providers", "h:25")
    zk.create("/databases/archive", "")
    browser.wait_for("#health-view .summary .good", "Nothing wrong")
    assert browser.texts("#findings") == []
    browser.click("#tab-tree")
    browser.wait_for("#outline .selected", "/")
    assert browser.complaints() == []


def test_the_last_changes_are_told_with_their_time(browser, zk):
    browser.open()
    browser.wait_for("#details .latest", "Last changes")
    zk.register_server("/orders/mailer/providers", "h:25")
    browser.wait_for("#details .latest li", "added/orders/mailer/providers/h:25ephemeral")
    zk.properties("/shop").update(threads=12)
    browser.wait_for("#details .latest li", "changed/shopthreads = 12 (was 8)")
    browser.click("#tab-changes")
    zk.delete("/orders/mailer/providers/h:25")
    browser.wait_for("#changes-view li", "gone/orders/mailer/providers/h:25")
    first, second, *_ = browser.texts("#changes-view li")
    assert "gone" in first
    assert "changed" in second
    assert len(browser.texts("#changes-view time")) >= 3
    browser.driver.refresh()
    browser.wait_for("#changes-view li", "gone/orders/mailer/providers/h:25")
    browser.click("#changes-view a", "/shop")
    browser.wait_for("#details h2", "/shop")


def test_hostile_names_and_values_are_text_in_every_view(browser, zk):
    zk.import_tree(f"/{NASTY}\n  x -> {NASTY!r}\n  /providers\n", trim=False)
    for number in range(3):
        properties = {"version": "1" if number else "<b>", NASTY: f"\u202e{NASTY}"}
        zk.create(f"/{NASTY}/providers/{NASTY}{number}", json.dumps(properties))
    browser.open("/" + quote(NASTY))
    browser.wait_for("#details .table td", NASTY)
    browser.wait_for("#details .table th", NASTY)
    browser.wait_for("#details .table td.odd", "<b>")
    zk.set(f"/{NASTY}/providers/{NASTY}2", json.dumps(properties | {NASTY: "\u202e"}))
    browser.click("#tab-health")
    browser.wait_for("#health-view .is-odd", "1 provider of '<b>'")
    browser.wait_for("#health-view .broken", NASTY)
    browser.click("#tab-changes")
    browser.wait_for("#changes-view li", NASTY)
    browser.wait_for("#changes-view .remark", f"{NASTY} = '\\u202e'")
    assert "\u202e" not in "".join(browser.texts("main"))
    assert browser.driver.title.endswith("· ZooKeeper")
    assert browser.find("main img, main script, main li b:not(.summary b)") == []
    assert browser.complaints() == []


def test_an_expired_session_is_told_and_the_page_goes_on(driver, serve, zk, proxy, root):
    zk.import_tree("/a\n  x = 1\n")
    site = serve(proxy.connection_string + root)
    browser = Browser(driver, site.url)
    browser.open("/a")
    browser.wait_for("#details td", "1")
    expire(site.zk, proxy.connection_string)
    zk.set("/a", '{"x":2}')
    browser.wait_for("#details td", "2")
    browser.wait_for("#status.good", proxy.connection_string)
    driver.get("about:blank")


@contextmanager
def served(place, port):
    with zc.zk.ZooKeeper(place) as client, Site(client, port=port) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


def test_a_server_that_is_gone_is_told_and_another_one_is_found(driver, zk, place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    zk.import_tree("/a\n  x = 1\n")
    with served(place, port) as site:
        browser = Browser(driver, site.url)
        browser.open("/a")
        browser.wait_for("#details td", "1")
        driver.execute_script("window.isOld = true")
    browser.wait_for("#status.bad", "zookeeper_browse does not answer")
    assert browser.texts("#details td") == ["1"], "what was there last"
    zk.set("/a", '{"x":2}')
    with served(place, port):
        browser.wait_for("#details td", "2", scaled(20))
        # Its page may be another one, and its key is: so it has been loaded anew.
        assert not browser.evaluate("window.isOld")
        driver.get("about:blank")
    driver.get_log("browser")


def test_a_page_with_a_token_is_read_by_those_who_have_it(driver, serve, zk):
    token = "0123456789abcdef"
    zk.create("/a", "")
    site = serve(token=token)
    Browser(driver, site.url.replace("//", f"//wall:{token}@")).open()
    browser = Browser(driver, site.url)
    browser.wait_for("#outline .name", "a")
    assert token not in driver.execute_script("return document.documentElement.outerHTML")
    assert token not in driver.execute_script("return location.href")
    driver.get("about:blank")


@pytest.fixture(autouse=True)
def _nothing_listens(driver):
    yield
    driver.get("about:blank")
