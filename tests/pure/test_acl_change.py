"""Changes of ACLs, as plain data."""

from __future__ import annotations

import pytest

from zc.zk.tree.access import allows
from zc.zk.tree.aclchange import AclChange, Entries, is_same, with_identities
from zookeeper.constants import PERM_ADMIN

pytestmark = pytest.mark.quick


def entry(scheme, id, perms):
    return {"scheme": scheme, "id": id, "perms": perms}


ANYONE = entry("world", "anyone", 31)
ALICE = entry("digest", "alice:x=", 3)


class TestEntries:
    def test_to_set_replaces_all(self):
        assert Entries("set", [ALICE]).applied_to([ANYONE]) == [ALICE]

    def test_to_add_permits_more(self):
        wanted = Entries("add", [entry("digest", "alice:x=", 4), entry("ip", "10.0.0.1", 1)])
        assert wanted.applied_to([ANYONE, ALICE]) == [
            ANYONE, entry("digest", "alice:x=", 7), entry("ip", "10.0.0.1", 1),
        ]  # fmt: skip

    def test_to_remove_permits_less_and_drops_what_permits_nothing(self):
        wanted = Entries("remove", [entry("digest", "alice:x=", 31), entry("world", "anyone", 16)])
        assert wanted.applied_to([ANYONE, ALICE]) == [entry("world", "anyone", 15)]
        assert Entries("remove", [ANYONE]).applied_to([ANYONE]) == []

    def test_the_order_of_entries_and_their_division_mean_nothing(self):
        parts = [entry("digest", "alice:x=", 2), ANYONE, entry("digest", "alice:x=", 1)]
        assert is_same(parts, [ALICE, ANYONE])
        assert not is_same(parts, [ANYONE])


class TestAdministering:
    @pytest.mark.parametrize(
        ("acl", "identities", "may"),
        [
            ([ANYONE], [], True),
            ([entry("world", "anyone", 15)], [], False),
            ([entry("digest", "alice:x=", 16)], [("digest", "alice:x=")], True),
            ([entry("digest", "alice:x=", 16)], [("digest", "alice:y=")], False),
            ([entry("digest", "alice:x=", 16)], [("digest", "alice")], True),
            ([entry("auth", "", 16)], [("digest", "alice:y=")], True),
            ([entry("auth", "", 16)], [("ip", "10.0.0.1")], False),
            ([entry("ip", "10.0.0.0/8", 16)], [("ip", "10.1.2.3")], True),
            ([entry("ip", "10.0.0.1", 16)], [("ip", "10.1.2.3")], False),
            ([entry("ip", "nonsense", 16)], [("ip", "10.1.2.3")], False),
            ([entry("x509", "CN=a", 16)], [("x509", "CN=a")], True),
            ([], [("x509", "CN=a")], False),
        ],
    )
    def test_an_acl_and_identities(self, acl, identities, may):
        assert allows(acl, PERM_ADMIN, identities) is may


def test_auth_is_replaced_by_what_proves_something():
    given = [entry("world", "anyone", 1), entry("auth", "", 31)]
    proven = [("ip", "10.0.0.1"), ("digest", "alice:x="), ("x509", "CN=a")]
    assert with_identities(given, proven) == [
        entry("world", "anyone", 1), entry("digest", "alice:x=", 31), entry("x509", "CN=a", 31),
    ]  # fmt: skip
    assert with_identities(given, [("ip", "10.0.0.1")]) == []


def test_the_line_of_a_change_is_one_line():
    hostile = entry("digest", "a\nb\x1b[2J:x=", 31)
    line = AclChange("/a\r\n/b", [hostile], [ANYONE], 0).line
    assert line.isprintable()
