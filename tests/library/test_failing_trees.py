"""Imports and deletions that are refused, disturbed or disconnected.

The disturbance is somebody else's changes.
"""

from __future__ import annotations

from typing import Any

import pytest

import zc.zk
import zookeeper
from zc.zk import OPEN_ACL_UNSAFE
from zc.zk.operations import apply
from zc.zk.operations.plan import Plan

# There are more of each than a transaction has, and no more than the servers do in a moment.
MANY = 1200

NOT_TO_BE_CHANGED = [zc.zk.world_permission(zookeeper.PERM_READ)]


def text_of(top: str, numbers: range, value: str = "") -> str:
    line = f"    x = {value}\n" if value else ""
    return f"/{top}\n" + "".join(f"  /n{number}\n{line}" for number in numbers)


class TestRefusals:
    def test_nothing_is_deleted_when_a_new_node_is_refused(self, zk) -> None:
        """The situation is a move of nodes to a place where one may not be made."""
        nodes = "".join(f"    /n{number}\n" for number in range(499))
        zk.import_tree(f"/all\n  /closed\n  /new\n  /old\n{nodes}")
        zk.set_acl("/all/closed", -1, NOT_TO_BE_CHANGED)
        moved = f"/all\n  /closed\n    /refused\n  /new\n{nodes}  /old\n"
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.import_tree(moved, trim=True)
        assert caught.value.path == "/all/closed/refused"
        assert str(caught.value).endswith("(done: none of 500 creations, none of 499 deletions)")
        assert len(zk.get_children("/all/old")) == 499
        assert zk.get_children("/all/new") == []

    def test_nothing_is_deleted_when_a_node_below_a_new_one_is_refused(self, zk) -> None:
        zk.import_tree(text_of("old", range(MANY)) + "/new\n")
        text = "/old\n" + text_of("new", range(MANY)).replace("/n0\n", "/n0\n    /below\n")
        plan = zk.plan_import(text, trim=True, acl=NOT_TO_BE_CHANGED)
        with pytest.raises(zookeeper.NoAuthException) as caught:
            plan.apply()
        assert caught.value.path == "/new/n0/below"
        assert str(caught.value).endswith(
            f"(done: {MANY} of {MANY + 1} creations, none of {MANY} deletions)"
        )
        assert len(zk.get_children("/old")) == MANY

    @pytest.mark.parametrize("comment", ["", "# é\n"], ids=["plain", "parsed"])
    @pytest.mark.parametrize("depth", [1, 2, 4])
    def test_nothing_is_made_when_a_path_is_too_long(self, zk, comment, depth) -> None:
        levels = [f"{level * '  '}/{1_200_000 // depth * 'a'}\n" for level in range(depth)]
        many = "".join(f"/{number:03}\n" for number in range(600))
        with pytest.raises(zookeeper.BadArgumentsException, match="over the limit"):
            zk.import_tree(comment + many + "".join(levels))
        assert zk.get_children("/") == []

    def test_a_plan_that_is_handed_over_in_parts_tells_how_far_it_is(self, zk, monkeypatch) -> None:
        monkeypatch.setattr(apply, "HANDED_OVER", 500)
        told: list[tuple[int, int]] = []
        zk.import_tree(text_of("top", range(MANY)), progress=lambda *done: told.append(done))
        ends = [(done, MANY + 1) for done in (500, 1000, 1201)]
        # On a slow machine the same is told twice.
        assert [each for each in dict.fromkeys(told) if each in ends] == ends
        assert told == sorted(told)
        assert len(zk.get_children("/top")) == MANY

    def test_a_change_by_somebody_else_ends_all_later_changes(self, zk, other) -> None:
        zk.import_tree(text_of("top", range(MANY), "0"))
        plan = zk.plan_import(text_of("top", range(MANY), "1"))
        first = plan[0].path
        other.set(first, "theirs")
        with pytest.raises(zookeeper.BadVersionException) as caught:
            plan.apply()
        assert caught.value.path == first
        assert str(caught.value).endswith(f"(done: none of {MANY} changes of data)")
        assert {
            stat["version"] for _, stat in zk.get_many([change.path for change in plan][1:])
        } == {0}

    @pytest.mark.parametrize("handed_over", [500, 50_000])
    def test_a_failure_tells_by_kind_the_changes_made_before_it(
        self, zk, other, monkeypatch, handed_over
    ) -> None:
        monkeypatch.setattr(apply, "HANDED_OVER", handed_over)
        zk.import_tree(text_of("top", range(MANY), "0") + text_of("gone", range(MANY)))
        text = text_of("top", range(MANY), "1") + "/gone\n" + text_of("new", range(10))
        plan = zk.plan_import(text, trim=True)
        sets = [change.path for change in plan if change.path.startswith("/top")]
        other.set(sets[700], "theirs")
        with pytest.raises(zookeeper.BadVersionException) as caught:
            plan.apply()
        changed = [path for path in sets if zk.get(path)[0] == '{"x":1}']
        assert len(changed) == 499  # with one new node, the first transaction
        assert str(caught.value).endswith(
            f"(done: 1 of 11 creations, 499 of {MANY} changes of data, none of {MANY} deletions)"
        )
        assert len(zk.get_children("/gone")) == MANY
        assert not zk.exists("/new/n0")

    def test_deletions_stop_where_one_is_refused(self, zk, other) -> None:
        zk.import_tree(text_of("top", range(MANY)))
        plan = zk.plan_import("/top\n", trim=True)
        other.create(f"{plan[0].path}/kept", "")
        with pytest.raises(zookeeper.NotEmptyException) as caught:
            plan.apply()
        assert str(caught.value).endswith(f"(done: none of {MANY} deletions)")
        assert len(zk.get_children("/top")) == MANY

    def test_a_deletion_tells_what_it_has_deleted_before_a_refusal(self, zk) -> None:
        zk.import_tree(text_of("top", range(MANY)) + "  /closed\n    /below\n")
        zk.set_acl("/top/closed", -1, NOT_TO_BE_CHANGED)
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.delete_recursive("/top")
        assert caught.value.path == "/top/closed/below"
        deleted = MANY + 3 - len(list(zk.walk("/top")))
        assert 0 < deleted < MANY + 3
        assert str(caught.value) == (
            f"not authenticated: /top/closed/below (done: {deleted} of {MANY + 3} deletions)"
        )

    def test_a_deletion_of_which_nothing_was_done_says_so(self, zk) -> None:
        zk.import_tree("/a\n  /b\n")
        zk.set_acl("/a", -1, NOT_TO_BE_CHANGED)
        with pytest.raises(zookeeper.NoAuthException, match=r"/a/b \(done: none of 2 deletions\)$"):
            zk.delete_recursive("/a")
        with pytest.raises(zookeeper.NoAuthException, match=r"not authenticated: /a/b$"):
            zk.delete_recursive("/a/b")  # of a single one the error says all

    def test_a_deletion_that_is_refused_in_a_later_attempt_counts_all(
        self, zk, other, monkeypatch
    ) -> None:
        zk.import_tree(text_of("top", range(MANY)))
        others: list[bool] = []
        original = zookeeper.write_many

        def meanwhile(*arguments: Any, **options: Any) -> list[Any]:
            if not others:
                others.append(True)
                other.create("/top/new")
                other.create("/top/new/below")
                other.set_acl("/top/new", -1, NOT_TO_BE_CHANGED)
            return original(*arguments, **options)

        monkeypatch.setattr(zookeeper, "write_many", meanwhile)
        with pytest.raises(zookeeper.NoAuthException) as caught:
            zk.delete_recursive("/top")
        monkeypatch.undo()
        left = len(list(zk.walk("/top")))
        deleted = MANY + 3 - left
        assert str(caught.value).endswith(f"(done: {deleted} of {MANY + 3} deletions)")

    def test_an_import_that_may_plan_again_does_all_in_the_end(
        self, zk, other, monkeypatch
    ) -> None:
        zk.import_tree(text_of("top", range(MANY), "0") + text_of("gone", range(MANY)))
        write_many = zookeeper.write_many
        calls: list[Any] = []

        def meanwhile(*arguments: Any, **options: Any) -> list[Any]:
            if not calls:
                other.set("/top/n700", "theirs")
            calls.append(options["in_flight"])
            return write_many(*arguments, **options)

        monkeypatch.setattr(zookeeper, "write_many", meanwhile)
        zk.import_tree(text_of("top", range(MANY), "1") + "/gone\n", trim=True)
        assert zk.export_tree() == "/gone\n" + zk.export_tree("/top")
        assert zk.get("/top/n700")[0] == '{"x":1}'


class TestOtherNodesOfTheSameName:
    """A node that is deleted and made again has the version of the first one."""

    @staticmethod
    def made_again(zk: zc.zk.ZooKeeper, path: str, data: str, flags: int = 0) -> None:
        zk.delete(path)
        zk.create(path, data, OPEN_ACL_UNSAFE, flags)

    @pytest.mark.parametrize("count", [1, MANY])
    def test_a_live_ephemeral_node_is_not_deleted(self, zk, other, count) -> None:
        zk.import_tree(text_of("top", range(count)))
        plan = zk.plan_import("/top\n", trim=True)
        self.made_again(other, "/top/n0", "alive", zookeeper.EPHEMERAL)
        with pytest.raises(zookeeper.BadVersionException, match="another node") as caught:
            plan.apply()
        assert caught.value.path == "/top/n0"
        assert len(zk.get_children("/top")) == count

    @pytest.mark.parametrize("count", [1, MANY])
    def test_foreign_data_are_not_overwritten(self, zk, other, count) -> None:
        zk.import_tree(text_of("top", range(count), "0"))
        plan = zk.plan_import(text_of("top", range(count), "1"))
        self.made_again(other, "/top/n0", "theirs")
        with pytest.raises(zookeeper.BadVersionException, match="another node"):
            plan.apply()
        assert zk.get("/top/n0")[0] == "theirs"

    def test_nor_when_the_whole_place_is_another_one(self, zk, other) -> None:
        zk.import_tree("/top\n  /inner\n    /n\n      x = 0\n")
        plan = zk.plan_import("/top\n  /inner\n    /n\n      x = 1\n")
        other.delete_recursive("/top")
        other.import_tree("/top\n  /inner\n    /n\n      x = 0\n")
        with pytest.raises(zookeeper.BadVersionException, match="another node"):
            plan.apply()

    def test_a_node_that_is_gone_is_an_error_that_names_it(self, zk, other) -> None:
        zk.import_tree("/top\n  /a\n  /b\n")
        plan = zk.plan_import("/top\n", trim=True)
        other.delete("/top/b")
        with pytest.raises(zookeeper.NoNodeException) as caught:
            plan.apply()
        assert caught.value.path == "/top/b"
        assert zk.exists("/top/a")

    def test_changes_beside_the_nodes_concerned_are_no_matter(self, zk, other) -> None:
        zk.import_tree("/top\n  /a\n  /b\n")
        plan = zk.plan_import("/top\n  /a\n    x = 1\n", trim=True)
        other.create("/top/c", "")
        other.create("/top/a/below", "")
        plan.apply()
        assert sorted(zk.get_children("/top")) == ["a", "c"]

    def test_nodes_whose_parents_are_as_they_were_are_not_read_again(self, zk, monkeypatch) -> None:
        zk.import_tree(text_of("top", range(MANY)))
        plan = zk.plan_import("/top\n", trim=True)
        read: list[str] = []
        get_many = zookeeper.get_many

        def noting(handle: int, paths: list[str], **options: Any) -> Any:
            read.extend(paths)
            return get_many(handle, paths, **options)

        monkeypatch.setattr(zookeeper, "get_many", noting)
        plan.apply()
        assert read == ["/top"]

    def test_when_nothing_has_changed_one_node_is_read(self, zk, monkeypatch) -> None:
        reads: list[list[int]] = []
        # A session of an earlier test may end at that moment, which is a change as well.
        while [1] not in reads and len(reads) < 5:
            zk.import_tree("".join(f"/top{number}\n  /below\n" for number in range(300)))
            plan = zk.plan_import("".join(f"/top{number}\n" for number in range(300)), trim=True)
            reads.append(self.reads_of(plan, monkeypatch))
        assert reads[-1] == [1]

    def test_when_something_has_the_parents_are(self, zk, other, monkeypatch) -> None:
        zk.import_tree("".join(f"/top{number}\n  /below\n" for number in range(300)))
        plan = zk.plan_import("".join(f"/top{number}\n" for number in range(300)), trim=True)
        other.create("/other", "")
        other.create("/top7/new", "")
        assert self.reads_of(plan, monkeypatch) == [1, 300, 1]

    @staticmethod
    def reads_of(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Return how many nodes are read at a time while the plan is applied."""
        reads: list[int] = []
        get_many = zookeeper.get_many

        def noting(handle: int, paths: list[str], **options: Any) -> Any:
            reads.append(len(paths))
            return get_many(handle, paths, **options)

        with monkeypatch.context() as patched:
            patched.setattr(zookeeper, "get_many", noting)
            plan.apply()
        return reads

    def test_among_many_deletions_the_last_ones_are_looked_at_late(
        self, zk, other, monkeypatch
    ) -> None:
        zk.import_tree(text_of("top", range(MANY)))
        plan = zk.plan_import("/top\n", trim=True)
        last = plan[len(plan) - 1].path
        monkeypatch.setattr(apply, "CHECKED_TOGETHER", 500)
        write_many = zookeeper.write_many

        def meanwhile(*arguments: Any, **options: Any) -> list[Any]:
            results = write_many(*arguments, **options)
            if not other.get(last)[1]["ephemeralOwner"]:
                self.made_again(other, last, "alive", zookeeper.EPHEMERAL)
            return results

        monkeypatch.setattr(zookeeper, "write_many", meanwhile)
        with pytest.raises(zookeeper.BadVersionException, match="another node") as caught:
            plan.apply()
        assert str(caught.value).endswith(f"(done: 1000 of {MANY} deletions)")
        assert zk.exists(last)

    def test_an_import_plans_again(self, zk, other, monkeypatch) -> None:
        zk.import_tree("/top\n  /a\n  /b\n")
        self.after_the_first_reading(
            monkeypatch,
            lambda: self.made_again(other, "/top/b", "alive", zookeeper.EPHEMERAL),
        )
        zk.import_tree("/top\n  /a\n    x = 1\n", trim=True)
        assert zk.get("/top/b")[0] == "alive"
        assert zk.get("/top/a")[0] == '{"x":1}'

    @pytest.mark.parametrize("force", [False, True])
    def test_a_deletion_spares_a_node_that_has_become_ephemeral(
        self, zk, other, monkeypatch, capsys, force
    ) -> None:
        zk.import_tree("/top\n  /a\n  /b\n")
        self.after_the_first_reading(
            monkeypatch,
            lambda: self.made_again(other, "/top/b", "alive", zookeeper.EPHEMERAL),
        )
        zk.delete_recursive("/top", force=force)
        assert zk.exists("/top/b") is None if force else zk.get("/top/b")[0] == "alive"
        assert capsys.readouterr().out.splitlines() == (
            []
            if force
            else [
                "Not deleting /top/b because it's ephemeral.",
                "/top not deleted due to ephemeral descendent.",
            ]
        )

    def test_a_deletion_looks_again_at_what_was_changed_meanwhile(
        self, zk, other, monkeypatch
    ) -> None:
        zk.import_tree("/top\n  /a\n  /b\n")
        self.after_the_first_reading(monkeypatch, lambda: other.set("/top/b", "theirs"))
        versions: list[list[int]] = []
        write_many = zookeeper.write_many

        def noting(handle: int, steps: list[Any], **options: Any) -> list[Any]:
            versions.append([version for _, _, version in steps])
            return write_many(handle, steps, **options)

        monkeypatch.setattr(zookeeper, "write_many", noting)
        zk.delete_recursive("/top")
        assert not zk.exists("/top")
        assert versions == [[0, 0, 0], [0, 1, 0]]

    @staticmethod
    def after_the_first_reading(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
        read_tree = zookeeper.read_tree
        done: list[bool] = []

        def reading(*arguments: Any, **options: Any) -> Any:
            tree = read_tree(*arguments, **options)
            if not done:
                done.append(True)
                change()
            return tree

        monkeypatch.setattr(zookeeper, "read_tree", reading)


class TestBrokenConnections:
    def test_a_plan_says_what_was_done_and_what_may_have_been(
        self, client, proxy, root, zk
    ) -> None:
        shaken = client(proxy.connection_string + root)
        zk.import_tree(text_of("gone", range(MANY)))
        text = "/gone\n" + text_of("new", range(10_000), "1")
        plan = shaken.plan_import(text, trim=True)
        proxy.cut_after(60_000)  # a transaction's answer has about 14,000
        with pytest.raises(zookeeper.ConnectionLossException) as caught:
            plan.apply()
        done, _, total = str(caught.value).partition("(done: ")[2].split(" ")[:3]
        uncertain = str(caught.value).partition("; ")[2].split(" ")[0]
        assert int(done) > 0
        made = len(zk.read_tree("/new"))
        assert int(total) == 10_001
        assert int(done) <= made <= int(done) + int(uncertain)
        assert made < 10_001
        assert len(zk.get_children("/gone")) == MANY
