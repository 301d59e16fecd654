"""Live properties, links among them, and changes to them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import expire
from zc.zk import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def node(zk: zc.zk.ZooKeeper) -> str:
    zk.create("/fooservice", '{"database": "/databases/foomain", "threads": 1}')
    return "/fooservice"


class TestReading:
    def test_they_are_a_mapping_that_follows_the_server(self, zk, other) -> None:
        properties = zk.properties("/fooservice")
        assert isinstance(properties, Mapping)
        assert dict(properties) == {"database": "/databases/foomain", "threads": 1}
        assert (properties["threads"], len(properties)) == (1, 2)
        assert properties.get("missing") is None
        with pytest.raises(KeyError, match="missing"):
            properties["missing"]
        other.set("/fooservice", '{"threads": 2}')
        wait_until(lambda: properties == {"threads": 2}, "the change is seen")

    def test_attributes_and_repr_tell_what_properties_are(self, zk) -> None:
        properties = zk.properties("/fooservice")
        assert (properties.path, properties.real_path) == ("/fooservice", "/fooservice")
        assert properties.data == {"database": "/databases/foomain", "threads": 1}
        assert properties.meta_data == zk.exists("/fooservice")
        assert repr(properties) == f"zc.zk.Properties({zk.handle}, /fooservice)"

    @pytest.mark.parametrize(
        ("data", "properties"),
        [
            (None, {}),
            ("", {}),
            ("  \n", {}),
            ("{}", {}),
            ("a text", {"string_value": "a text"}),
            (b"\xff", {"string_value": "\udcff"}),
            ("[1]", {"string_value": "[1]"}),
            ("{bad}", {"string_value": "{bad}"}),
            ('{"a": {"b": [1, null]}}', {"a": {"b": [1, None]}}),
        ],
    )
    def test_all_kinds_of_data_can_be_read(self, zk, data, properties) -> None:
        zk.create("/kinds", data)
        assert dict(zk.properties("/kinds")) == properties
        assert zk.get_properties("/kinds") == properties

    def test_a_copy_is_a_copy(self, zk) -> None:
        properties = zk.properties("/fooservice")
        copy = properties.copy()
        copy["threads"] = 17
        properties.data["threads"] = 18
        assert properties["threads"] == 1

    def test_a_callback_is_called_at_once_and_with_each_change(self, zk, other) -> None:
        seen = []
        callback = Calls(lambda properties: seen.append(dict(properties)))
        properties = zk.properties("/fooservice")
        assert properties(callback) is properties
        other.set("/fooservice", '{"a": 1}')
        callback.wait(2)
        assert seen == [{"database": "/databases/foomain", "threads": 1}, {"a": 1}]

    def test_a_change_to_the_same_data_is_a_change(self, zk, other) -> None:
        callback = Calls()
        properties = zk.properties("/fooservice")(callback)
        other.set("/fooservice", other.get("/fooservice")[0])
        callback.wait(2)
        assert properties.meta_data["version"] == 1

    def test_a_change_to_children_is_none(self, zk, other) -> None:
        callback = Calls()
        properties = zk.properties("/fooservice")(callback)
        other.create("/fooservice/child")
        other.set("/fooservice", "last")
        callback.wait(2)
        assert len(callback) == 2
        assert dict(properties) == {"string_value": "last"}

    def test_deletion_clears_them_and_return_brings_them_back(self, zk, other) -> None:
        callback = Calls()
        properties = zk.properties("/fooservice")(callback)
        other.delete("/fooservice")
        wait_until(lambda: properties.deleted, "the deletion is seen")
        assert (dict(properties), properties.meta_data) == ({}, {})
        assert repr(properties) == f"DELETED: zc.zk.Properties({zk.handle}, /fooservice)"
        wait_until(lambda: callback.all()[-1] == (), "it is told")
        for change in (
            lambda: properties.set(a=1),
            lambda: properties.update(a=1),
            lambda: properties.__setitem__("a", 1),
        ):
            with pytest.raises(zookeeper.NoNodeException):
                change()
        other.create("/fooservice", '{"a": 1}')
        wait_until(lambda: dict(properties) == {"a": 1}, "the return is seen")
        wait_until(lambda: callback.all()[-1] == (properties,), "and told")

    def test_a_node_that_was_replaced_between_two_looks_is_told(
        self, client, proxy, root, other
    ) -> None:
        zk = client(proxy.connection_string + root)
        callback = Calls()
        properties = zk.properties("/fooservice")(callback)
        data, _ = other.get("/fooservice")
        proxy.refuse()
        proxy.cut()
        other.delete("/fooservice")
        other.create("/fooservice", data)
        proxy.allow()
        callback.wait(2, 30)
        assert properties["threads"] == 1

    def test_after_an_expiry_they_are_told_and_live(self, zk, other, connection_string) -> None:
        callback = Calls()
        properties = zk.properties("/fooservice")(callback)
        expire(zk, connection_string)
        callback.wait(2)
        other.set("/fooservice", '{"a": 1}')
        wait_until(lambda: properties == {"a": 1}, "the change is seen")

    def test_without_watch_they_are_what_they_were(self, zk, other) -> None:
        properties = zk.properties("/fooservice", watch=False)
        live = zk.properties("/fooservice")
        other.set("/fooservice", "{}")
        wait_until(lambda: live == {}, "the change is known")
        assert properties["threads"] == 1
        assert len(zk.watches) == 1

    def test_links_in_the_path_are_followed(self, zk) -> None:
        zk.import_tree("/links\n  foo -> /fooservice\n")
        properties = zk.properties("/links/foo")
        assert (properties.real_path, properties["threads"]) == ("/fooservice", 1)


class TestBadDays:
    def test_bad_json_keeps_the_last_good_value_and_the_watch(self, zk, other, caplog) -> None:
        properties = zk.properties("/fooservice")
        others = [zk.properties("/fooservice") for _ in range(3)]
        other.set("/fooservice", "{bad}")
        wait_until(lambda: properties.meta_data["version"] == 1, "the change is seen")
        assert properties["threads"] == 1
        other.set("/fooservice", '{"threads": 2}')
        wait_until(lambda: properties["threads"] == 2, "the repair is seen")
        errors = [r for r in caplog.records if r.name == "zc.zk" and r.levelno == logging.ERROR]
        assert len(errors) == 1
        assert "/fooservice" in errors[0].getMessage()
        assert all(each["threads"] == 2 for each in others)

    def test_a_node_that_becomes_unreadable_keeps_its_last_value(
        self, client, proxy, root, other, caplog
    ) -> None:
        zk = client(proxy.connection_string + root)
        properties = zk.properties("/fooservice")
        unreadable = [zc.zk.world_permission(zookeeper.PERM_ALL & ~zookeeper.PERM_READ)]
        other.set_acl("/fooservice", -1, unreadable)
        other.set("/fooservice", '{"secret": 1}')
        # Servers tell a client without the right to read nothing; it looks after each gap.
        proxy.cut()
        wait_until(lambda: "cannot read /fooservice" in caplog.text, "it is logged", 30)
        assert dict(properties) == {"database": "/databases/foomain", "threads": 1}
        other.set_acl("/fooservice", -1, OPEN_ACL_UNSAFE)
        wait_until(lambda: "secret" in properties, "it is read when it can be", 30)

    def test_an_unreadable_node_is_an_error(self, zk) -> None:
        zk.create("/closed", "", [zc.zk.world_permission(zookeeper.PERM_ALL & ~1)])
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.properties("/closed")
        assert caught.value.path == "/closed"
        assert len(zk.watches) == 0

    def test_braces_that_never_were_json_show_what_is_there(self, zk, other) -> None:
        """A look at once and live objects show the same: HOCON, templates, comments."""
        zk.create("/hocon", "{a = 1}")
        callback = Calls()
        live = zk.properties("/hocon")(callback)
        for number, text in enumerate(["{a = 2}", "{{ x }}", "text", "{a = 3}", '{"a":4}']):
            other.set("/hocon", text)
            expected = {"a": 4} if text == '{"a":4}' else {"string_value": text}
            wait_until(lambda expected=expected: live == expected, lambda: f"{dict(live)}")
            callback.wait(number + 2)
            assert zk.get_properties("/hocon") == expected
            assert dict(zk.properties("/hocon", watch=False)) == expected

    def test_data_that_were_json_are_kept_by_all_who_look(self, zk, other) -> None:
        live = zk.properties("/fooservice")
        last = {"database": "/databases/foomain", "threads": 1}
        for version, text in enumerate(["{bad}", "{worse}"], 1):
            other.set("/fooservice", text)
            wait_until(lambda version=version: live.meta_data["version"] == version, "it is seen")
            assert dict(live) == last
            assert zk.get_properties("/fooservice") == last
            assert dict(zk.properties("/fooservice", watch=False)) == last
        zk.get_properties("/fooservice").clear()
        assert dict(live) == last
        # A client that has not seen the good value does not know it.
        assert other.get_properties("/fooservice") == {"string_value": "{worse}"}
        other.set("/fooservice", "text")
        wait_until(lambda: dict(live) == {"string_value": "text"}, "what is no JSON is no mistake")
        other.set("/fooservice", "{a = 1}")
        wait_until(lambda: dict(live) == {"string_value": "{a = 1}"}, "nor is this then")

    def test_a_link_in_what_was_json_is_followed_on(self, zk, other) -> None:
        zk.create("/base", '{"down ->": "/fooservice"}')
        live = zk.properties("/base")
        other.set("/base", "{bad}")
        wait_until(lambda: live.meta_data["version"] == 1, "the change is seen")
        assert zk.resolve("/base/down") == "/fooservice"

    def test_a_node_that_is_made_anew_has_no_past(self, zk, other) -> None:
        live = zk.properties("/fooservice")
        other.delete("/fooservice")
        wait_until(lambda: live.deleted, "it is gone")
        other.create("/fooservice", "{bad}")
        wait_until(lambda: dict(live) == {"string_value": "{bad}"}, "it shows what is there")


class TestWriting:
    def test_they_can_be_members_of_sets(self, zk, other) -> None:
        properties = zk.properties("/fooservice")
        assert {properties: 1}[properties] == 1
        other.set("/fooservice", "{}")
        wait_until(lambda: properties == {}, "the change is seen")
        assert properties in {properties, zk.children("/")}

    def test_del_takes_one_away(self, zk, other) -> None:
        for watch in (True, False):
            properties = zk.properties("/fooservice", watch=watch)
            properties.update({"x": None, "link =>": ". threads", "y": 1, "y =>": ". threads"})
            del properties["x"]
            del properties["link"]
            del properties["y"]
            assert properties["y"] == 1
            assert "y =>" in other.get_properties("/fooservice")
            del properties["y =>"]
            assert other.get_properties("/fooservice") == {
                "database": "/databases/foomain", "threads": 1,
            }  # fmt: skip
            with pytest.raises(KeyError, match="x"):
                del properties["x"]

    def test_del_knows_what_others_wrote_meanwhile(self, zk, other) -> None:
        properties = zk.properties("/fooservice", watch=False)
        other.properties("/fooservice", watch=False).rewrite(
            lambda now: {"count": now.pop("threads"), **now}
        )
        del properties["count"]
        assert other.get_properties("/fooservice") == {"database": "/databases/foomain"}
        properties = zk.properties("/fooservice", watch=False)
        other.set("/fooservice", "")
        with pytest.raises(KeyError, match="database"):
            del properties["database"]

    def test_rewrite_checks_the_links_that_are_new(self, zk) -> None:
        properties = zk.properties("/fooservice")
        with pytest.raises(ValueError, match="Bad property link"):
            properties.rewrite(lambda now: {**now, "x =>": "/nowhere"})
        with pytest.raises(ValueError, match="no thanks"):
            properties.rewrite(lambda now: (_ for _ in ()).throw(ValueError("no thanks")))
        assert properties["threads"] == 1

    def test_set_replaces_them_all(self, zk, other) -> None:
        properties = zk.properties("/fooservice")
        properties.set({"a": 1, "b": 2}, b=3)
        assert other.get("/fooservice")[0] == '{"a":1,"b":3}'
        properties.set([("c", 4)])
        assert other.get_properties("/fooservice") == {"c": 4}
        properties.set()
        assert other.get("/fooservice")[0] == ""
        properties.set(string_value="just text")
        assert other.get("/fooservice")[0] == "just text"

    def test_update_changes_some(self, zk, other) -> None:
        properties = zk.properties("/fooservice")
        properties.update({"threads": 2}, secret="123")
        properties.update([("x", 1)])
        properties["y"] = [2]
        assert other.get_properties("/fooservice") == {
            "database": "/databases/foomain", "threads": 2, "secret": "123", "x": 1, "y": [2],
        }  # fmt: skip

    def test_a_write_is_seen_when_the_call_returns(self, zk) -> None:
        for watch in (True, False):
            properties = zk.properties("/fooservice", watch=watch)
            for number in range(20):
                properties.update(n=number)
                assert properties["n"] == number
                assert properties.meta_data == zk.exists("/fooservice")

    def test_a_write_is_seen_though_the_worker_looks_while_it_is_read(
        self, zk, monkeypatch
    ) -> None:
        """The worker's look is at older data, and overtakes ours, which asks."""
        properties = zk.properties("/fooservice")
        properties.update(n=1)
        get = zookeeper.get

        def get_slowly(*arguments: Any, **more: Any) -> Any:
            answer = get(*arguments, **more)
            properties._refresh(tell=False)
            return answer

        monkeypatch.setattr(zk._session.maintenance, "_duties", [])
        monkeypatch.setattr(zookeeper, "get", get_slowly)
        properties.update(n=2)
        assert properties["n"] == 2

    def test_callbacks_are_told_of_our_own_changes_once(self, zk) -> None:
        callback = Calls()
        properties = zk.properties("/fooservice")(callback)
        for number in range(10):
            properties.update(n=number)
            callback.wait(number + 2)
        last = Calls()
        zk.properties("/fooservice")(last)
        zk.set("/fooservice", "{}")
        last.wait(2)
        callback.wait(12)
        assert len(callback) == 12

    def test_update_keeps_what_others_wrote_meanwhile(self, zk, other, monkeypatch) -> None:
        properties = zk.properties("/fooservice", watch=False)
        other.set("/fooservice", '{"theirs": 1}')
        properties.update(ours=1)
        assert other.get_properties("/fooservice") == {"theirs": 1, "ours": 1}

    def test_update_with_a_function_begins_again_after_a_change(self, zk, other) -> None:
        properties = zk.properties("/fooservice", watch=False)
        seen = []

        def count(now: dict[str, int]) -> dict[str, int]:
            seen.append(now["threads"])
            if len(seen) < 3:
                other.set("/fooservice", f'{{"threads": {10 * len(seen)}}}')
            return {"threads": now["threads"] + 1}

        properties.update(count)
        assert seen == [1, 10, 20]
        assert other.get_properties("/fooservice") == {"threads": 21}

    def test_update_gives_up_when_others_never_stop(self, zk, other, monkeypatch) -> None:
        monkeypatch.setattr(zc.zk.watching.properties, "UPDATE_ATTEMPTS", 3)
        properties = zk.properties("/fooservice", watch=False)

        def interfere(now: dict[str, int]) -> dict[str, int]:
            other.set("/fooservice", "{}")
            return {"n": 1}

        with pytest.raises(zookeeper.BadVersionException, match="changed 3 times meanwhile"):
            properties.update(interfere)
        assert other.get_properties("/fooservice") == {}

    def test_a_refused_write_changes_nothing(self, zk) -> None:
        zk.set_acl("/fooservice", -1, READ_ACL_UNSAFE)
        properties = zk.properties("/fooservice")
        for change in (lambda: properties.set(a=1), lambda: properties.update(a=1)):
            with pytest.raises(zookeeper.NoAuthException):
                change()
        assert "a" not in properties

    @pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", "\ud800"])
    def test_a_value_that_json_cannot_hold_changes_nothing(self, zk, other, value) -> None:
        properties = zk.properties("/fooservice")
        before = other.get("/fooservice")
        try:
            properties.update(string_value=value)
            written = True
        except ValueError:
            written = False
        assert written == isinstance(value, str)
        if not written:
            assert other.get("/fooservice") == before

    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    def test_numbers_that_json_does_not_have_change_nothing(self, zk, other, number) -> None:
        properties = zk.properties("/fooservice")
        before = other.get("/fooservice")
        for change in (properties.set, properties.update):
            with pytest.raises(ValueError, match="property 'load': NaN and infinity"):
                change(threads=2, load=number)
        assert other.get("/fooservice") == before

    def test_such_a_number_that_somebody_else_wrote_is_read_and_can_be_replaced(
        self, zk, other
    ) -> None:
        other.set("/fooservice", '{"load":Infinity,"threads":1}')
        properties = zk.properties("/fooservice")
        assert properties["load"] == float("inf")
        with pytest.raises(ValueError, match="property 'load': NaN and infinity"):
            properties.update(threads=2)
        properties.update(threads=2, load=1)
        other.set("/fooservice", '{"load":Infinity,"threads":1}')
        del properties["load"]
        assert other.get_properties("/fooservice") == {"threads": 1}

    @pytest.mark.not_emulated("other processes do not reach it")
    def test_two_processes_that_count_lose_nothing(self, zk, connection_string, root) -> None:
        zk.set("/fooservice", "")
        program = f"""if 1:
            import zc.zk
            with zc.zk.ZooKeeper({connection_string + root!r}) as zk:
                properties = zk.properties('/fooservice')
                for _ in range(1000):
                    properties.update(lambda now: {{'n': now.get('n', 0) + 1}})
            """
        processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
        assert [process.wait(scaled(120)) for process in processes] == [0, 0]
        assert zk.get_properties("/fooservice") == {"n": 2000}

    def test_threads_that_share_an_object_lose_nothing(self, zk) -> None:
        zk.set("/fooservice", "")
        properties = zk.properties("/fooservice")

        def count() -> None:
            for _ in range(50):
                properties.update(lambda now: {"n": now.get("n", 0) + 1})

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(scaled(60))
        assert properties["n"] == 200


class TestPropertyLinks:
    @pytest.fixture(autouse=True)
    def tree(self, zk: zc.zk.ZooKeeper) -> None:
        zk.import_tree(
            """
            /app
              threads => /fooservice
              db => ../fooservice database
              name = 'app'
              /sub
                threads => .. threads
            /links
              foo -> /fooservice
            """
        )

    def test_they_are_followed_when_read(self, zk) -> None:
        app = zk.properties("/app")
        assert app["threads"] == 1
        assert app["db"] == "/databases/foomain"
        assert app["threads =>"] == "/fooservice"
        assert "threads" in app
        assert "threads =>" in app
        assert sorted(app) == sorted(app.keys()) == ["db", "name", "threads"]
        assert sorted(app.items()) == [
            ("db", "/databases/foomain"), ("name", "app"), ("threads", 1),
        ]  # fmt: skip
        assert len(app) == 3
        assert app.copy() == {
            "db =>": "../fooservice database", "name": "app", "threads =>": "/fooservice",
        }  # fmt: skip

    def test_they_are_followed_through_others(self, zk) -> None:
        assert zk.properties("/app/sub")["threads"] == 1

    def test_they_are_followed_through_symbolic_links(self, zk) -> None:
        properties = zk.properties("/app")
        properties.update({"t =>": "/links/foo threads"})
        assert properties["t"] == 1

    def test_a_change_of_the_linked_node_is_seen_and_told(self, zk, other) -> None:
        seen = []
        callback = Calls(lambda properties: seen.append(properties["threads"]))
        sub = zk.properties("/app/sub")(callback)
        other.properties("/fooservice").update(threads=7)
        callback.wait(2)
        assert seen == [1, 7]
        assert sub["threads"] == 7

    def test_a_change_of_the_link_is_seen_and_the_old_target_forgotten(self, zk, other) -> None:
        callback = Calls()
        app = zk.properties("/app")(callback)
        other.create("/elsewhere", '{"threads": 9}')
        other.properties("/app").set({"threads =>": "/elsewhere"})
        callback.wait(2)
        assert app["threads"] == 9
        other.properties("/fooservice").update(threads=7)
        other.properties("/elsewhere").update(threads=10)
        wait_until(lambda: app["threads"] == 10, "the new target is watched")
        callback.wait(3)
        assert len(callback) == 3

    def test_a_link_that_breaks_is_an_error_on_access_until_it_is_mended(self, zk, other) -> None:
        app = zk.properties("/app")
        other.properties("/fooservice").set(threads=2)
        wait_until(lambda: app["threads"] == 2, "the change is seen")
        with pytest.raises(zc.zk.BadPropertyLink, match="database"):
            app["db"]
        with pytest.raises(zc.zk.BadPropertyLink, match="database"):
            app.get("db", "a default")
        assert (app["name"], app.get("threads", 1), app.get("dbs", 1)) == ("app", 2, 1)
        assert "db" in app
        other.delete("/fooservice")

        def is_broken() -> bool:
            try:
                return app["threads"] is None
            except zc.zk.BadPropertyLink:
                return True

        wait_until(is_broken, "the deletion is seen")
        other.create("/fooservice", '{"threads": 3, "database": "x"}')
        wait_until(lambda: not is_broken() and app["threads"] == 3, "the return is seen")
        assert app["db"] == "x"

    def test_a_loop_is_an_error_on_access(self, zk, other) -> None:
        other.set("/app", '{"a =>": ". b", "b =>": ". a", "c": 1}')
        properties = zk.properties("/app")
        with pytest.raises(zc.zk.BadPropertyLink, match="leads back to itself"):
            properties["a"]
        assert properties["c"] == 1

    def test_a_property_hides_a_link_of_its_name(self, zk, other) -> None:
        other.set("/app", '{"threads =>": "/fooservice", "threads": 99}')
        properties = zk.properties("/app")
        assert properties["threads"] == 99
        assert list(properties) == ["threads"]

    @pytest.mark.parametrize("value", ["/missing", "/fooservice missing", "", "a b c", 1, None])
    def test_a_bad_link_cannot_be_written(self, zk, other, value) -> None:
        properties = zk.properties("/app")
        before = other.get("/app")
        for change in (properties.set, properties.update):
            with pytest.raises(ValueError, match="Bad property link") as caught:
                change({"good": 1, "bad =>": value})
            assert caught.value.args[:3] == ("Bad property link", "bad =>", value)
        assert other.get("/app") == before
        assert "good" not in properties

    def test_links_within_what_is_written_are_good(self, zk) -> None:
        properties = zk.properties("/app")
        properties.set({"a": 1, "b =>": ". a"})
        assert properties["b"] == 1
        properties.update({"c =>": "../app b", "a": 2})
        assert properties["c"] == 2

    def test_after_an_expiry_the_linked_nodes_are_watched(
        self, zk, other, connection_string
    ) -> None:
        sub = zk.properties("/app/sub")
        expire(zk, connection_string)
        other.properties("/fooservice").update(threads=7)
        wait_until(lambda: sub["threads"] == 7, "the change is seen")

    def test_without_watch_they_are_followed_once(self, zk, other) -> None:
        app = zk.properties("/app", watch=False)
        other.properties("/fooservice").update(threads=7)
        assert app["threads"] == 1
        assert len(zk.watches) == 0

    def test_raw_properties_do_not_follow_them(self, zk) -> None:
        assert zk.get_properties("/app")["threads =>"] == "/fooservice"


class TestManyLinks:
    """One node's links make no other object wait and take few round trips."""

    COUNT = 3000

    @pytest.fixture
    def targets(self, zk) -> list[str]:
        zk.create("/t")
        paths = [f"/t/{number}" for number in range(self.COUNT)]
        zk.write_many(
            [("create", path, f'{{"v":{n}}}', OPEN_ACL_UNSAFE) for n, path in enumerate(paths)]
        )
        return paths

    def links(self, paths: list[str]) -> str:
        return json.dumps({f"p{number} =>": f"{path} v" for number, path in enumerate(paths)})

    def test_they_are_read_in_bulk_at_the_first_look(
        self, client, proxy, root, other, targets
    ) -> None:
        other.create("/hub", self.links(targets))
        zk = client(proxy.connection_string + root)
        held = []
        for watch in (True, False):
            before = sum(proxy.requests.values())
            hub = zk.properties("/hub", watch=watch)
            held.append(hub)
            assert dict(hub) == {f"p{number}": number for number in range(self.COUNT)}
            assert sum(proxy.requests.values()) - before < 100
        before = sum(proxy.requests.values())
        hub.update({f"q{number} =>": f"{path} v" for number, path in enumerate(targets)})
        assert sum(proxy.requests.values()) - before < 100

    def test_the_keeper_reads_them_in_bulk_and_no_other_object_waits(
        self, client, proxy, root, other, targets, monkeypatch
    ) -> None:
        zk = client(proxy.connection_string + root)
        other.create("/hub", "{}")
        hub, plain = zk.properties("/hub"), zk.properties("/fooservice")
        callback = Calls()
        hub(callback)
        # The other objects wait for anything that is read while one object looks again.
        readers = Calls()
        read_now = zk.watches.cache.read_now
        monkeypatch.setattr(
            zk.watches.cache, "read_now", lambda nodes: (readers(), read_now(nodes))[1]
        )
        before = sum(proxy.requests.values())
        other.set("/hub", self.links(targets))
        wait_until(lambda: len(hub) == self.COUNT, "the links are seen", 60)
        assert dict(hub) == {f"p{number}": number for number in range(self.COUNT)}
        callback.wait(2)
        assert sum(proxy.requests.values()) - before < 100
        assert readers.threads == []
        other.set("/t/7", '{"v":"new"}')
        wait_until(lambda: hub["p7"] == "new", "a change is seen")
        other.set("/fooservice", "{}")
        wait_until(lambda: plain == {}, "and others")

    def test_a_new_session_has_each_told_though_it_lacks_something(
        self, zk, other, connection_string, monkeypatch
    ) -> None:
        callback = Calls()
        other.create("/hub", '{"x =>": "/fooservice threads"}')
        hub = zk.properties("/hub")(callback)
        monkeypatch.setattr(zk._session.maintenance, "_duties", [])  # the keeper comes late
        other.create("/late", '{"v":1}')
        other.set("/hub", '{"x =>": "/late v"}')
        monkeypatch.undo()
        expire(zk, connection_string)
        callback.wait(2)
        wait_until(lambda: hub["x"] == 1, "it is seen")

    def test_thousands_in_a_chain(self, zk, other) -> None:
        chain = {f"p{number} =>": f". p{number + 1}" for number in range(5000)}
        other.create("/hub", json.dumps({**chain, "p5000": "end"}))
        hub = zk.properties("/hub")
        assert hub["p4000"] == hub["p4999"] == "end"
        with pytest.raises(zc.zk.BadPropertyLink, match="more than 1000 links"):
            hub["p0"]
        other.set("/hub", json.dumps({**chain, "p5000": "new end"}))
        wait_until(lambda: hub["p4000"] == "new end", "the change is seen", 30)

    def test_a_chain_over_nodes_is_read_step_by_step(self, zk, other) -> None:
        count = 40
        other.create("/c")
        other.write_many(
            [
                ("create", f"/c/{n}", f'{{"v =>":"/c/{n + 1}"}}', OPEN_ACL_UNSAFE)
                for n in range(count)
            ]
            + [("create", f"/c/{count}", '{"v":1}', OPEN_ACL_UNSAFE)]
        )
        other.create("/hub", "{}")
        hub = zk.properties("/hub")
        other.set("/hub", '{"v =>":"/c/0"}')
        wait_until(lambda: hub.get("v") == 1, "the value is seen")
        other.set(f"/c/{count}", '{"v":2}')
        wait_until(lambda: hub["v"] == 2, "its change, too")
        assert zk.properties("/hub")["v"] == zk.properties("/hub", watch=False)["v"] == 2

    def test_a_path_that_cannot_be_asked_for_is_no_trouble_for_others(self, zk, other) -> None:
        bad = {f"bad{n} =>": f"/a{n}/\x01" for n in range(5)}
        good = {f"good{n} =>": "/fooservice threads" for n in range(5)}
        other.create("/hub", json.dumps({**bad, **good}))
        for watch in (True, False):
            hub = zk.properties("/hub", watch=watch)
            assert hub["good4"] == 1
            with pytest.raises(zc.zk.BadPropertyLink):
                hub["bad4"]
        live = zk.properties("/hub")
        other.set("/fooservice", '{"threads":2}')
        wait_until(lambda: live["good0"] == 2, "a change is seen")
