"""The numbers that a server tells of a node, for people and for programs."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from zc.zk import owners
from zc.zk.spans import in_words

if TYPE_CHECKING:
    from zookeeper.types import Stat


def as_members(path: str, stat: Stat) -> dict[str, Any]:
    """Return all of it as the members of a JSON object, with the path in front.

    `stat` has the servers' numbers by their names. The owner of an ephemeral node is text besides,
    as it has more digits than some readers of JSON keep.
    """
    owner = stat["ephemeralOwner"]
    members: dict[str, Any] = {"path": path, "kind": owners.kind(owner)}
    if owners.is_session(owner):
        members["session"] = owners.session_name(owner)
    members["stat"] = dict(stat)
    return members


def data_members(data: str | None) -> dict[str, Any]:
    """Return the data of a node as members of an object: `data`, or `base64` if it is no text."""
    told = None if data is None else as_json(data)
    return told if isinstance(told, dict) else {"data": told}


def as_json(data: str) -> str | dict[str, str]:
    """Return data, or a part of them, as text, or in base64 as an object if they are none."""
    content = data.encode("utf-8", "surrogateescape")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def kind_in_words(owner: int) -> str:
    """Return the kind of a node, with its owner."""
    kind = owners.kind(owner)
    return f"{kind}, of session {owners.session_name(owner)}" if owners.is_session(owner) else kind


def moment(milliseconds: int) -> str:
    """Write a time of the servers in the time of this place."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(milliseconds / 1000))


def as_lines(path: str, stat: Stat, now: float) -> list[str]:
    """Return all of it in lines for people; `now` is in seconds, as `time.time` has it."""

    def changed(when: int, zxid: int) -> str:
        age = now - when / 1000
        ago = f"{in_words(age)} ago" if age >= 0 else f"{in_words(-age)} ahead of this clock"
        return f"{moment(when)} ({ago}), zxid {zxid:#x}"

    rows = {
        "kind": kind_in_words(stat["ephemeralOwner"]),
        "created": changed(stat["ctime"], stat["czxid"]),
        "changed": changed(stat["mtime"], stat["mzxid"]),
        "version": f"{stat['version']} of the data, {stat['cversion']} of the children,"
        f" {stat['aversion']} of the ACL",
        "data": counted(stat["dataLength"], "byte"),
        "children": f"{stat['numChildren']}, last changed by zxid {stat['pzxid']:#x}",
    }
    return [path, *(f"  {name:9} {value}" for name, value in rows.items())]


def as_row(name: str, stat: Stat) -> str:
    """Return what matters most of it in one line, whose columns are as wide as they mostly are."""
    return (
        f"{owners.kind(stat['ephemeralOwner']):10} v{stat['version']:<4}"
        f" {stat['numChildren']:>6} below {stat['dataLength']:>8} bytes"
        f"  {moment(stat['mtime'])}  {name}"
    )


def marked(name: str, stat: Stat) -> str:
    """Return a name with a mark: a slash behind one with children, or that it is ephemeral."""
    if stat["numChildren"]:
        return f"{name}/"
    return f"{name} (ephemeral)" if owners.is_session(stat["ephemeralOwner"]) else name


def counted(count: int, what: str) -> str:
    """Write a number of things."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
