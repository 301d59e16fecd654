"""ACLs as arguments of commands: what is taken, as it stands."""

from __future__ import annotations

import pytest

from zc.zk.cli.permissions import acl, has_auth

pytestmark = pytest.mark.quick

# Of SHA-1 and SHA-256.
SHORT, LONG = "2Ts0DKbRZZCYXE5m5dDcQFm1Crg=", "A" * 43 + "="


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("world:anyone:r", [("world", "anyone", 1)]),
        ("auth::cdrwa,ip:10.0.0.0/8:1", [("auth", "", 31), ("ip", "10.0.0.0/8", 1)]),
        ("auth:anything:r", [("auth", "anything", 1)]),
        ("ip:010.0.0.7:r,ip:::1:r", [("ip", "010.0.0.7", 1), ("ip", "::1", 1)]),
        (f"digest:bob:{SHORT}:cdrwa", [("digest", f"bob:{SHORT}", 31)]),
        # Servers may be set to another hash.
        (f"digest:bob:{LONG}:r", [("digest", f"bob:{LONG}", 1)]),
        (
            "x509:CN=a,O=b:r,sasl:alice/h@R:w",
            [("x509", "CN=a,O=b", 1), ("sasl", "alice/h@R", 2)],
        ),
        (r"x509:CN=a\,b:c\,d:e,O=f:r", [("x509", r"CN=a\,b:c\,d:e,O=f", 1)]),
        # Schemes of the servers' owner, and ids of theirs.
        ("mine:a,b=c:r,world:anyone:r", [("mine", "a,b=c", 1), ("world", "anyone", 1)]),
        ("x509:alice:r", [("x509", "alice", 1)]),
    ],
)
def test_an_acl_is_taken_apart(text: str, entries: list[tuple[str, str, int]]) -> None:
    assert [(entry["scheme"], entry["id"], entry["perms"]) for entry in acl(text)] == entries
    assert has_auth(acl(text)) == any(scheme == "auth" for scheme, _, _ in entries)
