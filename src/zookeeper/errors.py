"""One exception class per error code of the C client, all under `ZooKeeperException`.

    ZooKeeperException
    ├── SystemErrorException            RuntimeInconsistencyException   DataInconsistencyException
    ├── ConnectionLossException         MarshallingErrorException       UnimplementedException
    ├── OperationTimeoutException       BadArgumentsException           ApiErrorException
    ├── InvalidStateException
    │   └── ForkedException             the handle belongs to the parent process
    ├── NoNodeException                 NoAuthException                 BadVersionException
    ├── NoChildrenForEphemeralsException    NodeExistsException         NotEmptyException
    ├── SessionExpiredException         SessionMovedException           AuthFailedException
    ├── InvalidCallbackException        InvalidACLException             ClosingException
    ├── NothingException                NotReadOnlyException            NoWatcherException
    └── ...                             one for each remaining code

The names are zkpython's where it had one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zookeeper import constants


class ZooKeeperException(Exception):
    """Something that ZooKeeper or its client refused or could not do.

    `code` is the C client's number for it, `path` the node concerned, or None.
    """

    code: int = constants.APIERROR
    path: str | None = None


class SystemErrorException(ZooKeeperException):
    code = constants.SYSTEMERROR


class RuntimeInconsistencyException(ZooKeeperException):
    """Also: an operation undone, or not tried, because another one of its transaction failed."""

    code = constants.RUNTIMEINCONSISTENCY


class DataInconsistencyException(ZooKeeperException):
    code = constants.DATAINCONSISTENCY


class ConnectionLossException(ZooKeeperException):
    """The connection broke before the answer came: the operation may or may not have happened."""

    code = constants.CONNECTIONLOSS


class MarshallingErrorException(ZooKeeperException):
    """A request could not be written, or its answer is not what such a request is answered by."""

    code = constants.MARSHALLINGERROR


class UnimplementedException(ZooKeeperException):
    code = constants.UNIMPLEMENTED


class OperationTimeoutException(ZooKeeperException):
    """No answer within the deadline: the operation may or may not have happened."""

    code = constants.OPERATIONTIMEOUT


class BadArgumentsException(ZooKeeperException):
    code = constants.BADARGUMENTS


class InvalidStateException(ZooKeeperException):
    """The handle is closed, unknown, or its session has ended."""

    code = constants.INVALIDSTATE


class ForkedException(InvalidStateException):
    """The handle was opened before a fork and belongs to the parent process."""


class NewConfigNoQuorumException(ZooKeeperException):
    code = constants.NEWCONFIGNOQUORUM


class ReconfigInProgressException(ZooKeeperException):
    code = constants.RECONFIGINPROGRESS


class SSLConnectionErrorException(ZooKeeperException):
    code = constants.SSLCONNECTIONERROR


class ApiErrorException(ZooKeeperException):
    code = constants.APIERROR


class NoNodeException(ZooKeeperException):
    code = constants.NONODE


class NoAuthException(ZooKeeperException):
    code = constants.NOAUTH


class BadVersionException(ZooKeeperException):
    code = constants.BADVERSION


class NoChildrenForEphemeralsException(ZooKeeperException):
    code = constants.NOCHILDRENFOREPHEMERALS


class NodeExistsException(ZooKeeperException):
    code = constants.NODEEXISTS


class NotEmptyException(ZooKeeperException):
    code = constants.NOTEMPTY


class SessionExpiredException(ZooKeeperException):
    code = constants.SESSIONEXPIRED


class InvalidCallbackException(ZooKeeperException):
    code = constants.INVALIDCALLBACK


class InvalidACLException(ZooKeeperException):
    code = constants.INVALIDACL


class AuthFailedException(ZooKeeperException):
    code = constants.AUTHFAILED


class ClosingException(ZooKeeperException):
    """The handle was closed while the operation was under way."""

    code = constants.CLOSING


class NothingException(ZooKeeperException):
    """In the results of a bulk write: this operation was never sent."""

    code = constants.NOTHING


class SessionMovedException(ZooKeeperException):
    code = constants.SESSIONMOVED


class NotReadOnlyException(ZooKeeperException):
    code = constants.NOTREADONLY


class EphemeralOnLocalSessionException(ZooKeeperException):
    code = constants.EPHEMERALONLOCALSESSION


class NoWatcherException(ZooKeeperException):
    code = constants.NOWATCHER


class ReconfigDisabledException(ZooKeeperException):
    code = constants.RECONFIGDISABLED


class SessionClosedRequireSaslAuthException(ZooKeeperException):
    code = constants.SESSIONCLOSEDREQUIRESASLAUTH


class ThrottledOpException(ZooKeeperException):
    code = constants.THROTTLEDOP


CLASS_OF_CODE: dict[int, type[ZooKeeperException]] = {
    cls.code: cls for cls in ZooKeeperException.__subclasses__()
}

# The C client's own words (zerror) where it has any, so that the emulation, which has no C
# client, says the same.
MESSAGES: dict[int, str] = {
    constants.OK: "ok",
    constants.SYSTEMERROR: "system error",
    constants.RUNTIMEINCONSISTENCY: "run time inconsistency",
    constants.DATAINCONSISTENCY: "data inconsistency",
    constants.CONNECTIONLOSS: "connection loss",
    constants.MARSHALLINGERROR: "marshalling error",
    constants.UNIMPLEMENTED: "unimplemented",
    constants.OPERATIONTIMEOUT: "operation timeout",
    constants.BADARGUMENTS: "bad arguments",
    constants.INVALIDSTATE: "invalid zhandle state",
    constants.NEWCONFIGNOQUORUM: "no quorum of new config is connected and up-to-date with the"
    " leader of last committed config - try invoking reconfiguration after new servers are"
    " connected and synced",
    constants.RECONFIGINPROGRESS: "Another reconfiguration is in progress -- concurrent reconfigs"
    " not supported (yet)",
    constants.APIERROR: "api error",
    constants.NONODE: "no node",
    constants.NOAUTH: "not authenticated",
    constants.BADVERSION: "bad version",
    constants.NOCHILDRENFOREPHEMERALS: "no children for ephemerals",
    constants.NODEEXISTS: "node exists",
    constants.NOTEMPTY: "not empty",
    constants.SESSIONEXPIRED: "session expired",
    constants.INVALIDCALLBACK: "invalid callback",
    constants.INVALIDACL: "invalid acl",
    constants.AUTHFAILED: "authentication failed",
    constants.CLOSING: "zookeeper is closing",
    constants.NOTHING: "(not error) no server responses to process",
    constants.SESSIONMOVED: "session moved to another server, so operation is ignored",
    constants.NOTREADONLY: "state-changing request is passed to read-only server",
    constants.EPHEMERALONLOCALSESSION: "attempt to create ephemeral node on a local session",
    constants.NOWATCHER: "the watcher couldn't be found",
    constants.RECONFIGDISABLED: "attempts to perform a reconfiguration operation when"
    " reconfiguration feature is disable",
    constants.SESSIONCLOSEDREQUIRESASLAUTH: "session closed by server because client is required"
    " to do SASL authentication",
    constants.THROTTLEDOP: "Operation was throttled due to high load",
}


def zerror(code: int) -> str:
    """The C client's message for an error code, `unknown error` when it has none."""
    return MESSAGES.get(code, "unknown error")


def error(code: int, path: str | None = None, detail: str | None = None) -> ZooKeeperException:
    """The exception for an error code, ready to raise.

    `path` is the node concerned and `detail` what else is known; both end up in the text.
    An unknown code gives a plain `ZooKeeperException` that carries it.
    """
    return with_context(CLASS_OF_CODE.get(code, ZooKeeperException), code, path, detail)


# Characters of a path in an exception's text; `path` has it whole.
_PATH_SHOWN = 1000


def with_context(
    cls: type[ZooKeeperException], code: int, path: str | None, detail: str | None
) -> ZooKeeperException:
    """An exception of the given class with code, path and the text made from them."""
    shown = path if path is None or len(path) <= _PATH_SHOWN else path[:_PATH_SHOWN] + "..."
    parts = [zerror(code), *(part for part in (shown, detail) if part is not None)]
    exception = cls(": ".join(parts))
    exception.code = code
    exception.path = path
    return exception


# Type checkers cannot follow this; without it they see all the names that do not begin with `_`.
if not TYPE_CHECKING:
    __all__ = [
        "ForkedException",
        "ZooKeeperException",
        "error",
        "zerror",
        *(cls.__name__ for cls in CLASS_OF_CODE.values()),
    ]
