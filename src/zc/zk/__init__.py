"""Service registration, discovery and configuration with ZooKeeper."""

from zc.zk.acl import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, world_permission
from zc.zk.address import parse_addr
from zc.zk.children import Children
from zc.zk.client import ZooKeeper
from zc.zk.errors import (
    BadPropertyLink,
    CancelWatch,
    FailedConnect,
    LinkLoop,
)
from zc.zk.event import RegisteringServer
from zc.zk.properties import Properties
from zc.zk.registration import Registration
from zc.zk.tree import ParseNode, parse_tree

ZK = ZooKeeper

__all__ = [
    "OPEN_ACL_UNSAFE",
    "READ_ACL_UNSAFE",
    "ZK",
    "BadPropertyLink",
    "CancelWatch",
    "Children",
    "FailedConnect",
    "LinkLoop",
    "ParseNode",
    "Properties",
    "RegisteringServer",
    "Registration",
    "ZooKeeper",
    "parse_addr",
    "parse_tree",
    "world_permission",
]
