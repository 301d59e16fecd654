"""The page's server tells the right readers, and refuses the rest."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import socket
import threading
import time
from contextlib import closing
from importlib import resources
from types import SimpleNamespace
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.browse.conftest import Page
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire
from zc.zk.browse import Site, diagram, pending, publishing
from zc.zk.browse.publishing import Publisher
from zc.zk.browse.request import FILES
from zc.zk.browse.views import view as usual_view
from zc.zk.browse.watchedtree import WatchedTree

TREE = """\
/shop : web
  threads = 8
  prices -> /prices/providers
  tea => /prices tea
  broken -> /nowhere
  vat => /prices vat
  /providers
/prices
  tea = 4.2
  /providers
"""


def request(site, path="/", method="GET", **headers):
    with closing(http.client.HTTPConnection(site.host, site.server_port, timeout=20)) as connection:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def properties(view):
    return {each["name"]: each for each in view["properties"]}


class TestEvents:
    def test_everything_there_is_at_first(self, zk, serve, read):
        zk.import_tree(TREE)
        page = read(serve())
        page.wait_until(lambda: len(page.views) == 5 and page.status)
        assert sorted(page.views) == [
            "/", "/prices", "/prices/providers", "/shop", "/shop/providers",
        ]  # fmt: skip
        assert page.status["connected"] is True
        shop = page.views["/shop"]
        assert (shop["type"], shop["children"], shop["hidden"]) == ("web", 1, 0)
        assert (shop["owner"], shop["fault"], shop["version"]) == (None, None, 0)
        found = properties(shop)
        assert found["threads"] == {"name": "threads", "value": "8"}
        assert found["prices"] == {
            "name": "prices", "value": "/prices/providers", "link": "->",
            "target": "/prices/providers",
        }  # fmt: skip
        assert found["tea"] == {
            "name": "tea", "value": "/prices tea", "link": "=>", "target": "/prices",
            "means": "4.2",
        }  # fmt: skip
        assert found["broken"]["fault"] == "no node: /shop/broken"
        assert found["vat"]["fault"] == "/prices has no property 'vat'"

    def test_a_change_is_told(self, zk, read):
        page = read()
        page.wait_until(lambda: "/" in page.views)
        zk.import_tree(TREE)
        page.wait_until(lambda: len(page.views) == 5)
        zk.properties("/shop").update(threads=9)
        page.wait_until(lambda: properties(page.views["/shop"])["threads"]["value"] == "9")
        zk.register_server("/shop/providers", "1.2.3.4:80")
        page.wait_until(lambda: "/shop/providers/1.2.3.4:80" in page.views)
        server = page.views["/shop/providers/1.2.3.4:80"]
        assert server["owner"] == hex(zk.client_id()[0] & 2**64 - 1)
        assert abs(server["created"] / 1000 - time.time()) < 3600
        zk.delete_recursive("/shop", force=True)
        page.wait_until(lambda: sorted(page.views) == ["/", "/prices", "/prices/providers"])

    def test_nodes_that_the_client_knows_already_are_told(self, zk, place):
        zk.import_tree(TREE)
        with zc.zk.ZooKeeper(place) as client:
            known = client.properties("/shop"), client.children("/shop")
            tree = WatchedTree(client.watches, 100, lambda *_: None)
            tree.start()
            found = wait_until(lambda: tree.find("/shop"), lambda: f"{list(tree.nodes())}")
            assert found is not None
            assert found.children == list(known[1])
            wait_until(lambda: tree.find("/shop/providers"), lambda: f"{list(tree.nodes())}")
            tree.close()

    def test_links_are_followed_again_when_what_they_lead_to_changes(self, zk, read):
        zk.import_tree(TREE)
        page = read()
        page.wait_until(lambda: len(page.views) == 5)
        zk.create("/nowhere", "")
        page.wait_until(
            lambda: properties(page.views["/shop"])["broken"].get("target") == "/nowhere"
        )
        zk.properties("/prices").update(tea=5)
        page.wait_until(lambda: properties(page.views["/shop"])["tea"]["means"] == "5")
        zk.delete("/prices/providers")
        page.wait_until(lambda: "fault" in properties(page.views["/shop"])["prices"])

    def test_data_of_every_kind(self, zk, read):
        zk.create("/text", "<script>alert(1)</script>")
        zk.create("/null", None)
        zk.create("/bytes", b"\xff\xfe")
        zk.create("/object", '{"type": 5, "a": [1, {"b": null}]}')
        zk.create("/long", "x" * 100_000)
        page = read()
        page.wait_until(lambda: len(page.views) == 6)

        def data(path):
            (only,) = page.views[path]["properties"]
            assert (only["name"], only["is_data"]) == ("data", True)
            return only["value"]

        assert data("/text") == "'<script>alert(1)</script>'"
        assert data("/null") == "None"
        assert data("/bytes") == "'\\udcff\\udcfe'"
        assert data("/long").endswith("xxx... (100,002 characters)")
        assert len(data("/long")) < 3000
        assert properties(page.views["/object"])["a"]["value"] == "[1, {'b': None}]"
        assert page.views["/object"]["type"] is None

    def test_a_node_that_may_not_be_read_is_told_as_such(self, zk, serve, read):
        zk.import_tree("/open\n  /secret\n    /below\n")
        zk.add_auth("digest", "alice:secret")
        zk.set_acl("/open/secret", -1, [{"scheme": "auth", "id": "", "perms": 31}])
        page = read(serve())
        page.wait_until(lambda: "/open/secret" in page.views)
        assert page.views["/open/secret"]["fault"] == "not authenticated"
        assert page.views["/open/secret"]["properties"] == []
        zk.set_acl("/open/secret", -1, zc.zk.OPEN_ACL_UNSAFE)
        page.wait_until(lambda: "/open/secret/below" in page.views)
        assert page.views["/open/secret"]["fault"] is None

    def test_one_s_own_node_of_that_name_is_not(self, serve, read, zk, place):
        zk.create("/zookeeper", "")
        page = read(serve(place))
        page.wait_until(lambda: "/zookeeper" in page.views)

    def test_zookeeper_s_own_node_is_left_out(self, serve, read, connection_string):
        page = read(serve(connection_string))
        page.wait_until(lambda: len(page.views) > 1)
        assert "/zookeeper" not in page.views

    def test_more_nodes_than_the_limit_are_counted_and_not_shown(self, zk, serve, read):
        zk.import_tree("/many\n" + "".join(f"  /{number:03}\n" for number in range(300)))
        site = serve(limit=100)
        page = read(site)
        page.wait_until(lambda: len(page.views) == 100)
        assert page.views["/many"]["hidden"] == 202
        assert page.status["limit"] == 100
        assert "/many/097" in page.views
        assert "/many/098" not in page.views
        zk.delete("/many/000")
        page.wait_until(lambda: "/many/000" not in page.views)
        page.wait_until(lambda: "/many/098" in page.views)
        assert len(site.tree) == 100

    def test_links_beyond_the_limit_are_not_called_broken(self, zk, serve, read):
        zk.import_tree("/a\n  link -> /many/199/below\n")
        zk.import_tree("/many\n" + "".join(f"  /{n:03}\n" for n in range(200)) + "    /below\n")
        page = read(serve(limit=50))
        page.wait_until(lambda: len(page.views) == 50)
        assert "fault" not in properties(page.views["/a"])["link"]

    def test_ten_thousand_nodes(self, zk, read):
        zk.import_tree("/many\n" + "".join(f"  /{number}\n" for number in range(10_000)))
        page = read()
        page.wait_until(lambda: len(page.views) == 10_002)
        zk.set("/many/5000", "changed")
        page.wait_until(lambda: page.views["/many/5000"]["version"] == 1)
        zk.delete_recursive("/many")
        page.wait_until(lambda: list(page.views) == ["/"])

    def test_a_reader_who_comes_later_is_told_the_same(self, zk, read):
        zk.import_tree(TREE)
        first = read()
        first.wait_until(lambda: len(first.views) == 5)
        second = read()
        second.wait_until(lambda: len(second.views) == 5)
        assert second.views == first.views

    def test_a_lost_connection_is_told_and_what_changed_meanwhile(
        self, zk, serve, read, proxy, root
    ):
        zk.import_tree(TREE)
        page = read(serve(proxy.connection_string + root))
        page.wait_until(lambda: len(page.views) == 5)
        proxy.refuse()
        proxy.cut()
        page.wait_until(lambda: page.status["connected"] is False)
        zk.properties("/shop").update(threads=10)
        zk.delete("/shop/providers")
        zk.create("/new", "")
        proxy.allow()
        page.wait_until(lambda: page.status["connected"] is True)
        page.wait_until(lambda: properties(page.views["/shop"])["threads"]["value"] == "10")
        page.wait_until(lambda: "/new" in page.views and "/shop/providers" not in page.views)

    def test_a_node_that_comes_and_goes_faster_than_it_can_be_read(self, zk, read):
        page = read()
        for _ in range(200):
            zk.create("/flicker", "")
            zk.create("/flicker/below", "")
            zk.delete("/flicker/below")
            zk.delete("/flicker")
        zk.create("/end", "")
        page.wait_until(lambda: "/end" in page.views)
        page.wait_until(lambda: sorted(page.views) == ["/", "/end"])

    def test_a_root_that_goes_and_comes_back(self, zk, serve, read, connection_string, root):
        zk.create("/place", "")
        page = read(serve(connection_string + root + "/place"))
        page.wait_until(lambda: "/" in page.views)
        zk.delete("/place")
        page.wait_until(lambda: page.views["/"]["fault"] == "no node")
        zk.import_tree("/place\n  x = 1\n  /a\n")
        page.wait_until(lambda: "/a" in page.views and page.views["/"]["fault"] is None)

    def test_too_many_readers_are_sent_away(self, site, read, monkeypatch):
        monkeypatch.setattr(zc.zk.browse.request, "HEARTBEAT", 0.05)
        *_, last = iter(lambda: site.places.take("127.0.0.1", has_key=False), None)
        assert request(site, "/events")[0] == 503
        site.places.leave(last)
        page = read()
        page.wait_until(lambda: page.status)
        page.close()

        # An unread comment tells the server that the reader is gone.
        def is_free():
            return site.places.take("127.0.0.1", has_key=False)

        wait_until(is_free, "there is room again")

    def test_readers_without_the_key_leave_places_for_pages(self, site):
        while site.places.take("127.0.0.1", has_key=False):
            pass
        assert request(site, "/events")[0] == 503
        assert request(site, "/events?key=guess")[0] == 503
        (key,) = re.findall(rb'name="key" content="(.+)"', request(site)[2])
        assert request(site, f"/events?key={key.decode()}", "HEAD")[0] == 200

    def test_a_reader_whose_place_is_given_away_is_let_go(self, site, read, monkeypatch):
        monkeypatch.setattr(zc.zk.browse.request, "HEARTBEAT", 0.05)
        page = read()
        page.wait_until(lambda: page.status)
        while site.places.take("127.0.0.1", has_key=True):
            pass
        assert site.places.take("127.0.0.2", has_key=True)
        with pytest.raises(AssertionError, match="the events have ended"):
            page.wait_until(lambda: False)

    def test_a_reader_that_reads_nothing_holds_up_nobody_and_is_let_go(
        self, zk, site, read, monkeypatch
    ):
        monkeypatch.setattr(zc.zk.browse.request.Request, "timeout", scaled(1))
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect((site.host, site.server_port))
            stalled.sendall(b"GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: len(site.publisher._subscriptions) == 1, "it is listened to")
            page = read()
            nodes = {f"/n{number}" for number in range(60)}  # more than goes into its socket
            for node in nodes:
                zk.create(node, json.dumps({f"p{n}": "x" * 1000 for n in range(200)}))
            # All of them, or this one would have something left to read, too.
            page.wait_until(lambda: nodes <= page.views.keys())
            wait_until(lambda: len(site.publisher._subscriptions) == 1, "its thread is gone", 30)
            zk.create("/after", "")
            page.wait_until(lambda: "/after" in page.views)

    def test_changes_come_before_the_rest_of_a_large_tree(self):
        publisher = Publisher()
        publisher._views.update({f"/{number:05}": "{}" for number in range(10_000)})
        subscription = publisher.subscribe()
        assert subscription.next(0)
        publisher._views["/zzz"] = "{}"
        subscription.pending.add(["/zzz", "/00001", "/gone"], len(publisher._views))
        ((_, text),) = subscription.next(0)
        told = json.loads(text)
        assert told[:3] == [["/00001", {}], ["/gone", None], ["/zzz", {}]]
        assert told[3][0] == "/00500"

    def test_a_reader_too_slow_for_nodes_that_come_and_go_begins_anew(self, zk, site, monkeypatch):
        """Each of them has a name that was never there: what is to be told would grow for ever."""
        monkeypatch.setattr(pending, "MANY_GONE", 10)
        page = Page(site)
        with closing(page):
            page.wait_until(lambda: "/" in page.views)
            (subscription,) = site.publisher._subscriptions
            monkeypatch.setattr(subscription, "next", lambda seconds: time.sleep(0.01) or [])
            for number in range(20):
                zk.create(f"/job-{number}", "")
                wait_until(lambda number=number: f"/job-{number}" in site.publisher._views, "seen")
                zk.delete(f"/job-{number}")
            wait_until(lambda: subscription.is_behind, "it is behind")
            assert not subscription.pending
            with pytest.raises(AssertionError, match="have ended"):
                page.wait_until(lambda: False)
            wait_until(lambda: not site.publisher._subscriptions, "nobody listens")
        with closing(Page(site)) as page:
            page.wait_until(lambda: "/" in page.views)

    def test_a_view_that_cannot_be_made_is_made_later(self, zk, site, monkeypatch, caplog):
        monkeypatch.setattr(publishing, "AGAIN_SECONDS", 0.01)
        failing = threading.Event()
        failing.set()

        def view(*arguments):
            if failing.is_set():
                raise OSError(24, "Too many open files")
            return usual_view(*arguments)

        with closing(Page(site)) as page:
            page.wait_until(lambda: "/" in page.views)
            monkeypatch.setattr(publishing, "view", view)
            zk.create("/new", "")
            wait_until(lambda: "Too many open files" in caplog.text, "it is logged")
            failing.clear()
            page.wait_until(lambda: "/new" in page.views)
        assert caplog.text.count("the page could not be made") == 1

    def test_a_reader_is_told_of_a_tree_that_goes_as_a_whole(self, monkeypatch):
        monkeypatch.setattr(pending, "MANY_GONE", 5)
        publisher = Publisher()
        publisher._views.update({f"/{number:02}": "{}" for number in range(50)})
        subscription = publisher.subscribe()
        while subscription.next(0):
            pass
        gone = sorted(publisher._views)
        publisher._views.clear()
        subscription.pending.add(gone, len(publisher._views))
        assert not subscription.is_behind
        assert json.loads(subscription.next(0)[0][1]) == [[path, None] for path in gone]

    def test_an_event_is_of_bounded_size(self):
        publisher = Publisher()
        views = {f"/{number}": json.dumps({"v": "x" * 60_000}) for number in range(100)}
        publisher._views.update(views)
        subscription = publisher.subscribe()
        told = []
        while events := subscription.next(0):
            ((name, text),) = events
            assert name == "nodes"
            assert len(text) < publishing.BATCH_CHARACTERS + 70_000
            told += [path for path, _ in json.loads(text)]
        assert told == sorted(views)


class TestRequests:
    FILES = tuple(FILES)

    def test_the_files_that_are_served_are_all_there_are(self):
        there = {path.name for path in resources.files("zc.zk.browse").joinpath("page").iterdir()}
        assert {name for name, _ in FILES.values()} == there

    def test_the_files_of_the_page(self, site):
        for path in self.FILES:
            status, headers, content = request(site, path)
            assert status == 200, path
            assert len(content) == int(headers["Content-Length"]) > 50
            kind = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}.get(
                path.partition(".")[2], "text/html"
            )
            assert headers["Content-Type"] == f"{kind}; charset=utf-8"

    def test_the_page_asks_for_nothing_from_elsewhere(self, site):
        for path in self.FILES:
            content = request(site, path)[2].decode().replace("http://www.w3.org/2000/svg", "")
            without_comments = re.sub(r"(^|\s)// .*", "", content, flags=re.MULTILINE)
            assert "//" not in without_comments, path
            assert "http" not in without_comments, path

    @pytest.mark.parametrize(
        "path", ["/", "/events", "/diagram.json", "/diagram.svg", "/nothing", "/page.js"]
    )
    def test_every_answer_forbids_foreign_and_inline_scripts(self, site, path):
        policy = request(site, path, "HEAD")[1]["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        headers = request(site, path, "HEAD")[1]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in headers

    @pytest.mark.parametrize(
        "path",
        ["/x", "/../site.py", "/page/index.html", "/%2e%2e/site.py", "//etc/passwd", "/page.js/"],
    )
    def test_nothing_else_is_there(self, site, path):
        assert request(site, path)[0] == 404

    @pytest.mark.parametrize(
        "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]
    )
    def test_there_is_no_way_to_write(self, site, method):
        status, _, content = request(site, "/", method)
        assert (status, content) == (405, b"this page is for reading only\n")

    @pytest.mark.parametrize(
        "host",
        ["evil.example.com", "evil.example.com:{port}", "127.0.0.1.evil.com", "", "[", "local host",
         "127.0.0.1@evil.com:{port}".replace("@", ".")],
    )  # fmt: skip
    def test_other_names_of_this_machine_are_refused(self, site, host):
        for path in "/", "/events", "/diagram.json":
            assert request(site, path, Host=host.format(port=site.server_port))[0] == 421

    @pytest.mark.parametrize("path", ["/events", "/diagram.json", "/diagram.svg"])
    @pytest.mark.parametrize(
        "headers",
        [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
         {"Origin": "http://evil.example.com"}, {"Origin": "null"}],
    )  # fmt: skip
    def test_a_page_of_another_site_is_refused(self, site, path, headers):
        assert request(site, path, **headers)[0] == 403
        own = {"Sec-Fetch-Site": "same-origin", "Origin": site.url.rstrip("/")}
        assert request(site, path, "HEAD", **own)[0] != 403

    def test_a_link_on_another_site_may_lead_here(self, site):
        assert request(site, "/", **{"Sec-Fetch-Site": "cross-site"})[0] == 200

    def test_names_that_are_allowed_are_accepted(self, serve):
        site = serve(allowed_hosts=["Tree.Example.com"])
        for name in "tree.example.com", "TREE.example.com:80":
            assert request(site, Host=name)[0] == 200
        assert request(site, Host=socket.gethostname() + ".evil.com")[0] == 421

    def test_its_machine_s_name_is_accepted_where_other_machines_reach_it(self, serve, site):
        name = socket.gethostname()
        everywhere = serve(host="0.0.0.0")
        assert everywhere.url == f"http://{name}:{everywhere.server_port}/"
        assert request(everywhere, Host=f"{name}:{everywhere.server_port}")[0] == 200
        if name != "localhost":
            assert request(site, Host=name)[0] == 421

    @pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
    def test_its_own_names_are_accepted(self, site, host):
        assert request(site, Host=host.format(port=site.server_port))[0] == 200

    def test_a_name_that_it_was_given_is_accepted(self, serve):
        site = serve(host="localhost")
        assert site.url == f"http://localhost:{site.server_port}/"
        assert request(site)[0] == 200

    def test_ipv6(self, serve):
        try:
            site = serve(host="::1")
        except OSError:
            pytest.skip("there is no IPv6 here")
        assert site.url == f"http://[::1]:{site.server_port}/"
        assert request(site)[0] == 200

    def test_it_listens_on_loopback_only_unless_told_otherwise(self, site):
        assert site.server_address[0] == "127.0.0.1"

    def test_nonsense_does_no_harm(self, site):
        for sent in b"\x00\xff\n\n", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 100_000:
            with socket.create_connection((site.host, site.server_port), 20) as connection:
                connection.sendall(sent)
        assert request(site)[0] == 200

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"\x00\xff\n\n", 400),
            (b"GET / x?key=secret HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/9.9\r\n\r\n", 505),
            (b"GET /" + b"x" * 65_600 + b"\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
            (b"BR\x1bEW /?key=secret HTTP/1.1\r\n\r\n", 501),
        ],
    )
    def test_nonsense_is_answered_like_all_else_and_no_fault(self, site, sent, status, caplog):
        with caplog.at_level("DEBUG"):
            with socket.create_connection((site.host, site.server_port), scaled(20)) as connection:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                with connection.makefile("rb") as answer:
                    head, _, text = answer.read().decode().partition("\r\n\r\n")
            logged = f": {status}"
            wait_until(lambda: logged in caplog.text, lambda: f"{logged} in {caplog.text}")
        assert head.startswith(f"HTTP/1.0 {status} ")
        assert "Content-Security-Policy: default-src 'none'" in head
        assert "Content-Type: text/plain; charset=utf-8" in head
        assert text.isprintable() or text.removesuffix("\n").isprintable()
        assert not [record for record in caplog.records if record.levelname == "ERROR"]
        assert "secret" not in caplog.text
        assert "\x1b" not in "".join(caplog.messages)

    def test_an_address_that_would_command_a_terminal_is_logged_escaped(self, site, caplog):
        with caplog.at_level("DEBUG"):
            with socket.create_connection((site.host, site.server_port), scaled(20)) as connection:
                connection.sendall(b"GET /a\x1b[2J HTTP/1.0\r\nHost: localhost\r\n\r\n")
                with connection.makefile("rb") as answer:
                    answer.read()
            wait_until(lambda: "404" in caplog.text, lambda: caplog.text)
        assert "\x1b" not in "".join(caplog.messages)

    def test_it_says_nothing_of_what_it_is_made_of(self, site):
        assert request(site)[1]["Server"] == "zc.zk"


class TestHistory:
    def test_nodes_that_are_there_at_first_are_no_changes(self, zk, serve, read):
        zk.import_tree(TREE)
        page = read(serve())
        page.wait_until(lambda: len(page.views) == 5)
        zk.create("/new", "")
        page.wait_until(lambda: page.changes)
        assert [(each["kind"], each["path"]) for each in page.changes] == [("added", "/new")]
        assert abs(page.changes[0]["time"] / 1000 - time.time()) < 600

    def test_a_later_reader_is_told_of_all_changes_since_the_beginning(self, zk, site, read):
        first = read()
        first.wait_until(lambda: "/" in first.views)
        zk.import_tree(TREE)
        first.wait_until(lambda: len(first.views) == 5)
        zk.properties("/shop").update(threads=9)
        first.wait_until(lambda: first.changes and first.changes[-1]["kind"] == "changed")
        zk.delete("/prices/providers")
        first.wait_until(lambda: first.changes[-1]["kind"] == "removed")
        second = read()
        second.wait_until(lambda: len(second.views) == 4)
        assert second.changes == first.changes
        assert second.changes[-2]["details"][-1] == ["threads", "8", "9"]
        numbers = [each["number"] for each in second.changes]
        assert numbers == list(range(1, len(numbers) + 1))
        # That a link leads nowhere since then is no change of its node.
        assert second.changes[-1]["path"] == "/prices/providers"

    def test_nodes_that_are_shown_since_there_is_room_are_not_told_as_new(self, zk, serve, read):
        zk.import_tree("/many\n" + "".join(f"  /{number:03}\n" for number in range(100)))
        page = read(serve(limit=50))
        page.wait_until(lambda: len(page.views) == 50)
        zk.delete("/many/000")
        page.wait_until(lambda: "/many/048" in page.views)
        zk.create("/many/zzz", "")  # not shown, so not told
        zk.set("/many/001", "1")
        page.wait_until(lambda: page.views["/many/001"]["version"] == 1)
        assert [(each["kind"], each["path"]) for each in page.changes] == [
            ("removed", "/many/000"), ("changed", "/many/001"),
        ]  # fmt: skip

    def test_ten_thousand_nodes_that_come_leave_room_for_what_was_before(self, zk, read):
        page = read()
        page.wait_until(lambda: "/" in page.views)
        zk.create("/before", "")
        page.wait_until(lambda: page.changes)
        zk.import_tree("/many\n" + "".join(f"  /{number}\n" for number in range(10_000)))
        page.wait_until(lambda: len(page.views) == 10_003)
        later = read()
        later.wait_until(lambda: later.changes)
        assert later.changes[0]["path"] == "/before"

    def test_an_expired_session_is_told_and_what_changed_meanwhile(
        self, zk, serve, read, proxy, root
    ):
        zk.import_tree(TREE)
        site = serve(proxy.connection_string + root)
        page = read(site)
        page.wait_until(lambda: len(page.views) == 5)
        former = site.zk.client_id()[0]
        expire(site.zk, proxy.connection_string)
        zk.properties("/shop").update(threads=11)
        page.wait_until(lambda: page.changes and page.changes[-1].get("details"))
        wait_until(lambda: site.zk.client_id()[0] != former, "it has another session")
        kinds = [each["kind"] for each in page.changes]
        assert kinds.count("changed") == 1
        assert kinds.count("lost") == kinds.count("back")
        assert page.changes[-1]["details"] == [["threads", "8", "11"]]


class TestToken:
    TOKEN = "0123456789abcdef"

    @pytest.fixture
    def secured(self, serve):
        return serve(token=self.TOKEN)

    def test_without_it_there_is_nothing(self, secured):
        for path in (*FILES, "/events", "/diagram.json", "/diagram.svg", "/x"):
            status, headers, content = request(secured, path)
            assert status == 401, path
            assert headers["WWW-Authenticate"].startswith("Basic realm=")
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert content == b"this page asks for a token: it is the password, under any name\n"
        assert request(secured, "/", Authorization=f"Bearer {self.TOKEN}x")[0] == 401

    def test_another_name_is_refused_before_a_browser_asks_for_the_token(self, secured):
        status, headers, _ = request(secured, Host="evil.example.com")
        assert (status, headers["WWW-Authenticate"]) == (421, None)

    def test_with_it_all_is_there(self, zk, secured):
        zk.create("/a", "")
        basic = base64.b64encode(f"wall:{self.TOKEN}".encode()).decode()
        for header in f"Basic {basic}", f"Bearer {self.TOKEN}":
            assert request(secured, "/", Authorization=header)[0] == 200
            with closing(Page(secured, Authorization=header)) as page:
                page.wait_until(lambda page=page: "/a" in page.views)

    def test_neither_it_nor_the_key_is_logged(self, secured, caplog):
        with caplog.at_level("DEBUG"):
            header = f"Bearer {self.TOKEN}"
            request(secured, f"/events?key={secured.key}", "HEAD", Authorization=header)
            request(secured, "/x?top=hidden", Authorization=header)
        assert "HEAD /events: 200" in caplog.text
        for secret in self.TOKEN, secured.key, "hidden":
            assert secret not in caplog.text

    def test_a_token_that_could_be_guessed_is_refused(self, place):
        with zc.zk.ZooKeeper(place) as client:
            with pytest.raises(ValueError, match="a token has 16 to 512 characters"):
                Site(client, port=0, token="short")


class TestDiagram:
    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    def test_shapes_and_nothing_else(self, zk, site, read):
        zk.import_tree(TREE)
        page = read()
        page.wait_until(lambda: len(page.views) == 5)
        status, headers, content = request(site, "/diagram.json")
        assert (status, headers["Content-Type"]) == (200, "application/json")
        drawn = json.loads(content)
        paths = [group["path"] for group in drawn["groups"] if group["kind"] == "node"]
        assert paths[:2] == ["/prices", "/shop"]
        for group in drawn["groups"]:
            for name, attributes, _ in group["shapes"]:
                assert name in {"polygon", "path", "polyline", "ellipse", "text"}
                assert not [each for each in attributes if each.startswith(("on", "style", "href"))]
        assert request(site, "/diagram.svg")[2].startswith(b"<?xml")

    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    def test_it_is_drawn_again_only_when_it_has_changed(self, zk, site, read, monkeypatch):
        zk.import_tree(TREE)
        page = read()
        page.wait_until(lambda: len(page.views) == 5)
        drawn = []
        picture = zc.zk.graphvis.picture
        monkeypatch.setattr(
            zc.zk.graphvis, "picture", lambda *each: drawn.append(1) or picture(*each)
        )

        def latest():
            def newest():
                found = json.loads(request(site, "/diagram.json")[2])
                return found if not found["due"] else None

            return wait_until(newest, "the picture of now")

        first = latest()
        zk.properties("/shop").update(threads=9)
        page.wait_until(lambda: page.views["/shop"]["version"] == 1)
        assert latest() == first
        assert len(drawn) == 1
        zk.register_server("/shop/providers", "1.2.3.4:80")
        page.wait_until(lambda: len(page.views) == 6)
        assert "1 provider" in json.dumps(latest())
        assert len(drawn) == 2

    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    def test_groups_can_be_opened_and_parts_listed(self, zk, site, read):
        flat = "".join(f"  /s{number:03}\n    /providers\n" for number in range(150))
        zk.import_tree(f"/eu\n{flat}/us\n{flat}/one\n  /providers\n")
        page = read()
        page.wait_until(lambda: len(page.views) == 605)
        drawn = json.loads(request(site, "/diagram.json")[2])
        opens = {each["path"]: each["opens"] for each in drawn["groups"] if each["kind"] == "node"}
        assert opens == {"/eu": True, "/us": True, "/one": False}
        part = json.loads(request(site, "/diagram.json?top=%2Feu")[2])
        assert (part["top"], part["count"], part["due"]) == ("/eu", 150, 0)
        assert part["services"][0]["path"] == "/eu/s000"
        assert request(site, "/diagram.svg?top=/eu")[0] == 404
        assert request(site, "/diagram.json?top=/no")[0] == 404
        assert request(site, "/diagram.svg?top=/one")[0] == 200

    def test_a_large_tree_is_left_alone_between_pictures(self, monkeypatch):
        version, clock, seconds = [1], [100.0], [2.0]
        made = []

        def show(tree, top):
            clock[0] += seconds[0]
            made.append(top)
            return diagram.Shown("", set(), [], len(made))

        monkeypatch.setattr(diagram, "show", show)
        monkeypatch.setattr(diagram, "parsed", lambda tree: None)
        monkeypatch.setattr("zc.zk.browse.diagram.time.monotonic", lambda: clock[0])
        tree: Any = None
        drawn = diagram.Diagram(tree, lambda: version[0])

        def told(top="/"):
            found = json.loads(drawn.shown(top))
            return found["count"], found["due"]

        assert told() == (1, 0)
        version[0] = 2
        clock[0] += 5
        assert told() == (1, 3)  # four times as long as it took
        clock[0] += 3
        assert told() == (2, 0)
        assert told() == (2, 0)
        assert told("/a") == (3, 0)  # another part is not waited for
        for number in range(100):
            told(f"/{number}")
        assert len(drawn._shown) == diagram.MAX_PICTURES

    def test_without_graphviz_it_says_what_to_do(self, site, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        status, _, content = request(site, "/diagram.json")
        assert status == 503
        assert b"apt-get install graphviz" in content


class TestTheEnd:
    def test_nothing_is_watched_any_more_when_it_is_closed(self, zk, place):
        zk.import_tree(TREE)
        with zc.zk.ZooKeeper(place) as client:
            with Site(client, port=0) as site:
                wait_until(lambda: len(list(site.tree.nodes())) == 5, "all is read")
            assert len(client.watches) == 0

            def is_watched(path):
                try:
                    client.remove_watches(path, timeout=scaled(10))
                except zookeeper.NoWatcherException:
                    return False
                return True

            wait_until(lambda: not is_watched("/shop"), "the watches are removed")

    def test_it_waits_for_no_more_than_the_view_that_is_being_made(self, monkeypatch):
        publisher = Publisher()
        made = []
        tree: Any = SimpleNamespace(find=lambda path: SimpleNamespace(properties={}))

        def view(tree, node):
            made.append(node)
            wait_until(lambda: publisher.is_closed, "it is closed meanwhile")

        monkeypatch.setattr(publishing, "view", view)
        publisher.note(f"/{number}" for number in range(100))
        publisher.start(tree)
        wait_until(lambda: made, "the first view is being made")
        publisher.close()
        assert len(made) == 1
        assert not publisher._thread.is_alive()

    def test_it_does_not_wait_long_for_a_node_full_of_links(self, place, monkeypatch, caplog):
        is_begun, may_end = threading.Event(), threading.Event()

        def view(tree, node):
            is_begun.set()
            may_end.wait(scaled(30))
            return {}

        monkeypatch.setattr(publishing, "view", view)
        monkeypatch.setattr(publishing, "END_SECONDS", 0.1)
        with zc.zk.ZooKeeper(place) as client:
            with Site(client, port=0) as site:
                assert is_begun.wait(scaled(30))
            assert "closed while a node full of links was looked at" in caplog.text
            assert site.publisher._thread.is_alive(), "it is not waited for"
            may_end.set()

    def test_a_root_that_is_not_there(self, zk, place):
        zk.create("/place", "")
        with zc.zk.ZooKeeper(f"{place}/place") as client:
            zk.delete("/place")
            with pytest.raises(zookeeper.NoNodeException):
                Site(client, port=0)
