"""Service registration, discovery and configuration with ZooKeeper."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zc.zk.acl import (
        OPEN_ACL_UNSAFE,
        READ_ACL_UNSAFE,
        digest_acl,
        sasl_acl,
        world_permission,
        x509_acl,
    )
    from zc.zk.client import ZooKeeper
    from zc.zk.codec import decode as decode
    from zc.zk.codec import encode as encode
    from zc.zk.errors import (
        BadPropertyLink,
        CancelWatch,
        Error,
        FailedConnect,
        LinkError,
        LinkLoop,
        LossError,
        NoProvider,
        TreeSyntaxError,
    )
    from zc.zk.event import RegisteringServer
    from zc.zk.links import join as join
    from zc.zk.providers.provider import Provider
    from zc.zk.providers.providers import Providers
    from zc.zk.registration.address import parse_addr
    from zc.zk.registration.registration import Registration
    from zc.zk.registration.registrations import Registrations
    from zc.zk.resolver import Resolver as Resolving
    from zc.zk.tree.model import ParseNode
    from zc.zk.tree.parse import parse_tree
    from zc.zk.watching.children import Children
    from zc.zk.watching.properties import Properties
    from zc.zk.watching.tree import Tree
    from zookeeper.sasl import SASL
    from zookeeper.tls import TLS

    ZK = ZooKeeper
    __version__: str

__all__ = [
    "OPEN_ACL_UNSAFE",
    "READ_ACL_UNSAFE",
    "SASL",
    "TLS",
    "ZK",
    "BadPropertyLink",
    "CancelWatch",
    "Children",
    "Error",
    "FailedConnect",
    "LinkError",
    "LinkLoop",
    "LossError",
    "NoProvider",
    "ParseNode",
    "Properties",
    "Provider",
    "Providers",
    "RegisteringServer",
    "Registration",
    "Registrations",
    "Resolving",
    "Tree",
    "TreeSyntaxError",
    "ZooKeeper",
    "digest_acl",
    "parse_addr",
    "parse_tree",
    "sasl_acl",
    "world_permission",
    "x509_acl",
]

# A name's module is imported when the name is first asked for: a command that exports a tree has
# no use for live objects, and a service none for the parser. `decode`, `encode` and `join` are not
# in `__all__`: they would take the place of others of these names where everything is imported.
_MODULES = {
    "OPEN_ACL_UNSAFE": "acl",
    "READ_ACL_UNSAFE": "acl",
    "digest_acl": "acl",
    "sasl_acl": "acl",
    "world_permission": "acl",
    "x509_acl": "acl",
    "parse_addr": "registration.address",
    "Children": "watching.children",
    "ZooKeeper": "client",
    "ZK": "client",
    "BadPropertyLink": "errors",
    "CancelWatch": "errors",
    "Error": "errors",
    "FailedConnect": "errors",
    "LinkError": "errors",
    "LinkLoop": "errors",
    "LossError": "errors",
    "NoProvider": "errors",
    "TreeSyntaxError": "errors",
    "RegisteringServer": "event",
    "Resolving": "resolver:Resolver",
    "join": "links",
    "decode": "codec",
    "encode": "codec",
    "Properties": "watching.properties",
    "Provider": "providers.provider",
    "Providers": "providers.providers",
    "Tree": "watching.tree",
    "Registration": "registration.registration",
    "Registrations": "registration.registrations",
    "ParseNode": "tree.model",
    "parse_tree": "tree.parse",
    # Of the binding, and only for those who secure a session.
    "SASL": "zookeeper.sasl:SASL",
    "TLS": "zookeeper.tls:TLS",
}


# Documented modules, which are attributes even before a program imports them.
_DOCUMENTED_MODULES = frozenset(
    (
        "aio",
        "browse",
        "errors",
        "event",
        "formats",
        "graphvis",
        "interfaces",
        "lineserver",
        "metrics",
        "monitor",
        "providers",
        "scripts",
        "serving",
        "testing",
        "tree",
    )
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _DOCUMENTED_MODULES:
        return import_module(f"zc.zk.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _MODULES[name].partition(":")
    full = module if module.startswith("zookeeper.") else f"zc.zk.{module}"
    value = getattr(import_module(full), attribute or name)
    globals()[name] = value
    return value


def _version() -> str:
    # Imported here: it takes longer than all of a command's other imports.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("zc.zk")
    except PackageNotFoundError:
        raise AttributeError("zc.zk has no version, as it is not installed") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_DOCUMENTED_MODULES, "__version__"})
