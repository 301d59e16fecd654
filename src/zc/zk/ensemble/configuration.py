"""The text of an ensemble's dynamic configuration, which servers keep at /zookeeper/config."""

from __future__ import annotations

import re

_SERVER = re.compile(r"server\.([0-9]+)")
_ROLES = ("participant", "observer")

MemberServer = dict[str, str | None]


def members_of(text: str) -> tuple[str | None, dict[str, MemberServer]]:
    """Return the version, and by number the addresses and the role of each server.

    A member that is not told is None; its role is that of participants then, as for servers.
    """
    version: str | None = None
    members: dict[str, MemberServer] = {}
    for line in text.splitlines():
        name, found, value = line.strip().partition("=")
        if name == "version" and found:
            version = value
        elif match := _SERVER.fullmatch(name):
            members[match[1]] = _member(value)
    return version, members


def _member(text: str) -> MemberServer:
    peers, _, client = text.partition(";")
    address, _, last = peers.rpartition(":")
    role = last if last in _ROLES else "participant"
    return {
        "peers": address if last in _ROLES else peers,
        "role": role,
        "clients": client or None,
    }
