"""Access control lists and authentication."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.calls import Calls
from tests.sessions import OPEN

pytestmark = pytest.mark.quick

ALICE = "alice:secret"
ALICE_ID = "alice:" + base64.b64encode(hashlib.sha1(ALICE.encode()).digest()).decode()


def entry(perms, scheme="world", id="anyone"):
    return {"perms": perms, "scheme": scheme, "id": id}


def authenticate(zookeeper, handle, credential=ALICE):
    completion = Calls()
    assert zookeeper.add_auth(handle, "digest", credential, completion) == zookeeper.OK
    assert completion.wait_one() == (handle, zookeeper.OK)


def test_get_acl_returns_stat_and_list(zookeeper, handle):
    acl = [entry(zookeeper.PERM_READ | zookeeper.PERM_ADMIN)]
    zookeeper.create(handle, "/a", "data", acl)
    assert zookeeper.get_acl(handle, "/a") == (zookeeper.exists(handle, "/a"), acl)


def test_set_acl_replaces_the_list_and_checks_the_acl_version(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    read_only = [entry(zookeeper.PERM_READ | zookeeper.PERM_ADMIN)]
    with pytest.raises(zookeeper.BadVersionException, match=r"^bad version: /a$"):
        zookeeper.set_acl(handle, "/a", 7, read_only)
    assert zookeeper.set_acl(handle, "/a", 0, read_only) == zookeeper.OK
    stat, acl = zookeeper.get_acl(handle, "/a")
    assert (stat["aversion"], acl) == (1, read_only)
    assert zookeeper.set_acl(handle, "/a", -1, OPEN) == zookeeper.OK
    assert zookeeper.get_acl(handle, "/a")[1] == OPEN


def test_a_call_that_the_acl_forbids_raises_no_auth_with_the_path(zookeeper, handle):
    zookeeper.create(handle, "/a", "", [entry(zookeeper.PERM_READ)])
    for call in (
        lambda: zookeeper.set(handle, "/a", "x"),
        lambda: zookeeper.set_acl(handle, "/a", -1, OPEN),
        lambda: zookeeper.multi(handle, [("set", "/a", "x")]),
    ):
        with pytest.raises(zookeeper.NoAuthException, match=r"^not authenticated: /a$"):
            call()
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.create(handle, "/a/child", "", OPEN)
    assert zookeeper.get(handle, "/a")[0] == ""


def test_a_digest_entry_lets_in_who_knows_the_password(zookeeper, connect, handle):
    acl = [entry(zookeeper.PERM_ALL, "digest", ALICE_ID)]
    zookeeper.create(handle, "/a", "for alice", acl)
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.get(handle, "/a")
    alice = connect()
    authenticate(zookeeper, alice)
    assert zookeeper.get(alice, "/a")[0] == "for alice"
    assert zookeeper.get_acl(alice, "/a")[1] == acl
    mallory = connect()
    authenticate(zookeeper, mallory, "alice:guess")
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.get(mallory, "/a")


def test_credentials_may_be_bytes_with_null_bytes(zookeeper, handle):
    authenticate(zookeeper, handle, b"bob:a\0b")
    zookeeper.create(handle, "/a", "", [entry(zookeeper.PERM_ALL, "auth", "")])
    digest = base64.b64encode(hashlib.sha1(b"bob:a\0b").digest()).decode()
    assert zookeeper.get_acl(handle, "/a")[1][0]["id"] == f"bob:{digest}"


def test_the_auth_scheme_stands_for_who_has_authenticated(zookeeper, handle):
    authenticate(zookeeper, handle)
    zookeeper.create(handle, "/a", "", [entry(zookeeper.PERM_ALL, "auth", "")])
    # A session by TLS has a certificate besides.
    acl = [each for each in zookeeper.get_acl(handle, "/a")[1] if each["scheme"] != "x509"]
    assert acl == [entry(zookeeper.PERM_ALL, "digest", ALICE_ID)]


def test_an_ip_entry_lets_in_that_address(zookeeper, handle, own_servers_only):
    zookeeper.create(handle, "/in", "data", [entry(zookeeper.PERM_ALL, "ip", "127.0.0.1")])
    zookeeper.create(handle, "/out", "data", [entry(zookeeper.PERM_ALL, "ip", "10.0.0.0/8")])
    assert zookeeper.get(handle, "/in")[0] == "data"
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.get(handle, "/out")


def test_entries_are_alternatives(zookeeper, handle):
    acl = [
        entry(zookeeper.PERM_ALL, "digest", ALICE_ID),
        entry(zookeeper.PERM_READ | zookeeper.PERM_ADMIN),
        entry(zookeeper.PERM_WRITE),
    ]
    zookeeper.create(handle, "/a", "", acl)
    zookeeper.set(handle, "/a", "written")
    assert zookeeper.get(handle, "/a")[0] == "written"
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.create(handle, "/a/child", "", OPEN)
    zookeeper.set_acl(handle, "/a", -1, OPEN)


def test_add_auth_needs_no_completion(zookeeper, handle):
    assert zookeeper.add_auth(handle, scheme="digest", credential=ALICE) == zookeeper.OK
    zookeeper.create(handle, "/a", "", [entry(zookeeper.PERM_ALL, "auth", "")])
    assert zookeeper.get_acl(handle, "/a")[1][0]["id"] == ALICE_ID


def test_a_scheme_that_the_server_does_not_know_fails_the_session(zookeeper, connect):
    events, completion = Calls(), Calls()
    handle = connect(events)
    zookeeper.add_auth(handle, "no-such-scheme", "x", completion)
    assert completion.wait_one() == (handle, zookeeper.AUTHFAILED)
    while events.all()[-1][2] != zookeeper.AUTH_FAILED_STATE:
        events.wait(len(events) + 1)
    assert zookeeper.is_unrecoverable(handle)
    with pytest.raises((zookeeper.AuthFailedException, zookeeper.InvalidStateException)):
        zookeeper.get(handle, "/")


def test_an_unknown_scheme_in_an_entry_raises_invalid_acl(zookeeper, handle):
    with pytest.raises(zookeeper.InvalidACLException, match=r"^invalid acl: /a$"):
        zookeeper.create(handle, "/a", "", [entry(31, "no-such-scheme", "x")])
    assert zookeeper.exists(handle, "/a") is None


WRONG_SHAPES = [
    None,
    "world:anyone",
    31,
    {},
    entry(31),
    [],
    (),
    [None],
    [31],
    ["world"],
    [("perms", 31)],
    [{}],
    [{"perms": 31}],
    [{"perms": 31, "scheme": "world"}],
    [{"scheme": "world", "id": "anyone"}],
    [entry(None)],
    [entry("31")],
    [entry(31.0)],
    [entry(True)],
    [entry(-1)],
    [entry(32)],
    [entry(2**40)],
    [entry(31, None)],
    [entry(31, 7)],
    [entry(31, "world", None)],
    [entry(31, "world", 7)],
    [entry(31, "wor\0ld")],
    [entry(31, "world", "any\0one")],
    [entry(31), None],
]


def test_messages_about_entries_hold_no_id(zookeeper, connect):
    """The id of a digest is the hash of a password, which has no salt."""
    handle = connect(hosts="127.0.0.1:1", wait=False)
    secret = {"perms": 31, "scheme": "digest", "id": "u:SECRET"}
    wrong = [
        (secret, "it is a list of dicts, not dict"),
        ("u:SECRET", "it is a list of dicts, not str"),
        (
            [secret, (31, "digest", "u:SECRET")],
            "entry 1: it is a dict with perms, scheme and id, not tuple",
        ),
        ([{"id": "u:SECRET"}], "entry 0: it needs perms, scheme and id, and has 'id'"),
        ([{**secret, "perms": 32}], "entry 0: perms must be a sum of PERM_ constants, not 32"),
        ([secret, {**secret, "scheme": None}], "entry 1: scheme must be text, not NoneType"),
        ([{**secret, "id": "u:SECRET\0"}], "entry 0: id must not hold a null character"),
    ]
    for acl, message in wrong:
        with pytest.raises(zookeeper.InvalidACLException) as raised:
            zookeeper.create(handle, "/a", "", acl)
        assert str(raised.value) == f"invalid acl: /a: {message}"


@pytest.mark.parametrize("acl", WRONG_SHAPES, ids=repr)
def test_anything_but_a_list_of_entries_is_refused_before_anything_is_sent(zookeeper, connect, acl):
    """There is no server here: a request would have failed in another way."""
    handle = connect(hosts="127.0.0.1:1", wait=False)
    for call in (
        lambda: zookeeper.create(handle, "/a", "", acl),
        lambda: zookeeper.create2(handle, "/a", "", acl),
        lambda: zookeeper.acreate(handle, "/a", "", acl),
        lambda: zookeeper.acreate2(handle, "/a", "", acl),
        lambda: zookeeper.set_acl(handle, "/a", -1, acl),
        lambda: zookeeper.aset_acl(handle, "/a", -1, acl),
        lambda: zookeeper.multi(handle, [("create", "/a", "", acl)]),
        lambda: zookeeper.amulti(handle, [("create", "/a", "", acl)]),
        lambda: zookeeper.write_many(handle, [("create", "/a", "", acl)]),
    ):
        with pytest.raises(zookeeper.InvalidACLException, match=r"^invalid acl: /a: ") as raised:
            call()
        assert raised.value.path == "/a"
