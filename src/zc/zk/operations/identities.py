"""The identities that servers take a session for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zookeeper
from zc.zk.acl import digest_acl
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import ProvenIdentity


def identities(session: Session) -> tuple[list[ProvenIdentity], bool]:
    """Return what can be known of them, as ACLs have them, and whether these are all.

    A server tells them, but of a digest only the user; before version 3.7 it tells nothing, and
    those of certificates and of SASL are not known then.
    """
    known = [
        _of_digest(credential) for scheme, credential in session.credentials if scheme == "digest"
    ]
    told = told_identities(session)
    if told is None:
        return known, False
    return [*known, *(each for each in told if each[0] != "digest")], True


def told_identities(session: Session) -> list[ProvenIdentity] | None:
    """Return what servers take the session for, of a digest the user; None if they do not tell."""
    try:
        for attempt in attempts(session):
            with attempt:
                told = session.call(session.binding.whoami)
    except zookeeper.UnimplementedException:
        return None
    return told


def _of_digest(credential: str | bytes) -> ProvenIdentity:
    text = credential if isinstance(credential, str) else credential.decode("utf-8", "replace")
    user, _, password = text.partition(":")
    try:
        return "digest", digest_acl(user, password)["id"]
    except ValueError:
        return "digest", user
