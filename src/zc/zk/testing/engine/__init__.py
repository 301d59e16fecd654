"""A ZooKeeper server's state and answers, without network or threads."""

from zc.zk.testing.engine.acl import Entry, Identity, digest, is_principal
from zc.zk.testing.engine.client import Client, Rewatch
from zc.zk.testing.engine.engine import Engine
from zc.zk.testing.engine.limits import MAX_REQUEST, SessionLimits
from zc.zk.testing.engine.operations import (
    Check,
    Create,
    Created,
    Delete,
    Kind,
    SetAcl,
    SetData,
    Write,
    Written,
)
from zc.zk.testing.engine.refusal import Refusal
from zc.zk.testing.engine.sessions import NO_PASSWORD, PASSWORD_BYTES, Session
from zc.zk.testing.engine.watches import Mode
from zc.zk.testing.engine.znodes import StatRecord, Tree, Znode

__all__ = [
    "MAX_REQUEST",
    "NO_PASSWORD",
    "PASSWORD_BYTES",
    "Check",
    "Client",
    "Create",
    "Created",
    "Delete",
    "Engine",
    "Entry",
    "Identity",
    "Kind",
    "Mode",
    "Refusal",
    "Rewatch",
    "Session",
    "SessionLimits",
    "SetAcl",
    "SetData",
    "StatRecord",
    "Tree",
    "Write",
    "Written",
    "Znode",
    "digest",
    "is_principal",
]
