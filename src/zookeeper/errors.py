"""One exception class for each error code of the C client, in a tree.

A class shows its public name, `zookeeper.NoNodeException`. The names are zkpython's where it had
one; `...Exception` stands for a code, `SessionError` for a group of them.

    ZooKeeperException                              also for a code that is not known
    ├── SessionError                                of the connection or session, and of no node
    │   ├── ConnectionLossException                 may have happened, retriable
    │   ├── OperationTimeoutException               may have happened, retriable
    │   ├── ClosingException                        may have happened, retriable
    │   ├── SessionExpiredException                 retriable
    │   ├── SessionMovedException                   retriable
    │   ├── InvalidStateException                   retriable
    │   │   └── ForkedException                     the handle belongs to the parent process
    │   ├── AuthFailedException                     may have happened
    │   │   └── SASLError                           a mechanism's reason not to go on
    │   ├── SessionClosedRequireSaslAuthException   may have happened
    │   ├── SSLConnectionErrorException             TLS cannot be set up
    │   └── NotReadOnlyException
    ├── NoNodeException
    ├── NodeExistsException
    ├── NotEmptyException                           a node with children cannot be deleted
    ├── NoChildrenForEphemeralsException
    ├── EphemeralOnLocalSessionException            only one server knows the session
    ├── BadVersionException                         the node has another version
    ├── NoAuthException                             the node's ACL does not permit it
    ├── InvalidACLException                         the servers refuse an ACL
    ├── BadArgumentsException
    ├── NoWatcherException                          there is no such watch to remove
    ├── RuntimeInconsistencyException               another operation of the transaction failed
    ├── NothingException                            not sent, in the results of a bulk write
    ├── MarshallingErrorException                   may have happened
    ├── UnimplementedException                      the server does not know the operation
    ├── ThrottledOpException                        the server has too much to do
    ├── SystemErrorException                        no name can be resolved, no thread started
    ├── DataInconsistencyException                  two answers contradict each other
    ├── ApiErrorException                           a refusal without a code of its own
    ├── InvalidCallbackException
    ├── NewConfigNoQuorumException
    ├── ReconfigInProgressException
    └── ReconfigDisabledException

The marks are the attributes `may_have_happened` and `is_retriable`, where these are true.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zookeeper import constants
from zookeeper.messages import MESSAGES
from zookeeper.messages import zerror as zerror
from zookeeper.printing import printable


class ZooKeeperException(Exception):
    """The servers or the C client refuse a request, or cannot do it.

    code: the C client's number for it.
    path: the node concerned, or None.
    may_have_happened: whether the request may have been done all the same. False is certain. An
        exception knows more than its class where the binding can tell that it has sent nothing.
    is_retriable: whether the same request can succeed with the next connection or session. To
        repeat it (retry) is safe if it is idempotent or has certainly not happened.
    """

    code: int = constants.APIERROR
    path: str | None = None
    # An answer with an error in the place of a result: the server has done nothing.
    may_have_happened: bool = False
    is_retriable: bool = False


class SessionError(ZooKeeperException):
    """The connection or the session fails, and not the node concerned."""


class ConnectionLossException(SessionError):
    """The connection broke before the answer came."""

    code = constants.CONNECTIONLOSS
    may_have_happened = True
    is_retriable = True


class OperationTimeoutException(SessionError):
    """No answer came within the deadline. The request can still be done later."""

    code = constants.OPERATIONTIMEOUT
    may_have_happened = True
    is_retriable = True


class ClosingException(SessionError):
    """The handle was closed while the request was under way, or before."""

    code = constants.CLOSING
    may_have_happened = True
    is_retriable = True


class SessionExpiredException(SessionError):
    """The session is over.

    A server that says so refuses the request. Requests that are under way when a connection breaks
    end with ConnectionLossException, whatever becomes of the session; the C client gives this to
    those that wait for the next connection, and sends them only when the session goes on.
    """

    code = constants.SESSIONEXPIRED
    is_retriable = True


class SessionMovedException(SessionError):
    code = constants.SESSIONMOVED
    is_retriable = True


class InvalidStateException(SessionError):
    """The handle is closed, unknown, or its session has ended: nothing is sent."""

    code = constants.INVALIDSTATE
    is_retriable = True


class ForkedException(InvalidStateException):
    is_retriable = False


class AuthFailedException(SessionError):
    """The servers refuse a credential, which ends all that is under way."""

    code = constants.AUTHFAILED
    may_have_happened = True


class SASLError(AuthFailedException):
    """A SASL mechanism cannot go on: it says why, to the binding.

    Calls do not raise it. `connection_fault` has the reason, and the client tries again.
    """

    may_have_happened = False


class SessionClosedRequireSaslAuthException(SessionError):
    """The servers want a credential of another scheme.

    The binding also gives it to requests that are under way when such a server hangs up.
    """

    code = constants.SESSIONCLOSEDREQUIRESASLAUTH
    may_have_happened = True


class SSLConnectionErrorException(SessionError):
    code = constants.SSLCONNECTIONERROR


class NotReadOnlyException(SessionError):
    """The server is cut off from the others, and goes on to refuse writes."""

    code = constants.NOTREADONLY


class NoNodeException(ZooKeeperException):
    code = constants.NONODE


class NodeExistsException(ZooKeeperException):
    code = constants.NODEEXISTS


class NotEmptyException(ZooKeeperException):
    code = constants.NOTEMPTY


class NoChildrenForEphemeralsException(ZooKeeperException):
    code = constants.NOCHILDRENFOREPHEMERALS


class EphemeralOnLocalSessionException(ZooKeeperException):
    code = constants.EPHEMERALONLOCALSESSION


class BadVersionException(ZooKeeperException):
    code = constants.BADVERSION


class NoAuthException(ZooKeeperException):
    code = constants.NOAUTH


class InvalidACLException(ZooKeeperException):
    code = constants.INVALIDACL


class BadArgumentsException(ZooKeeperException):
    code = constants.BADARGUMENTS


class NoWatcherException(ZooKeeperException):
    code = constants.NOWATCHER


class RuntimeInconsistencyException(ZooKeeperException):
    code = constants.RUNTIMEINCONSISTENCY


class NothingException(ZooKeeperException):
    code = constants.NOTHING


class MarshallingErrorException(ZooKeeperException):
    """A request cannot be written, or its answer is not of its kind."""

    code = constants.MARSHALLINGERROR
    may_have_happened = True


class UnimplementedException(ZooKeeperException):
    code = constants.UNIMPLEMENTED


class ThrottledOpException(ZooKeeperException):
    code = constants.THROTTLEDOP


class SystemErrorException(ZooKeeperException):
    code = constants.SYSTEMERROR


class DataInconsistencyException(ZooKeeperException):
    code = constants.DATAINCONSISTENCY


class ApiErrorException(ZooKeeperException):
    code = constants.APIERROR


class InvalidCallbackException(ZooKeeperException):
    code = constants.INVALIDCALLBACK


class NewConfigNoQuorumException(ZooKeeperException):
    code = constants.NEWCONFIGNOQUORUM


class ReconfigInProgressException(ZooKeeperException):
    code = constants.RECONFIGINPROGRESS


class ReconfigDisabledException(ZooKeeperException):
    code = constants.RECONFIGDISABLED


def _with_subclasses(cls: type[ZooKeeperException]) -> Iterator[type[ZooKeeperException]]:
    yield cls
    for subclass in cls.__subclasses__():
        yield from _with_subclasses(subclass)


_CLASSES = tuple(_with_subclasses(ZooKeeperException))
for _class in _CLASSES:
    _class.__module__ = "zookeeper"  # the public name, in tracebacks, representations and pickles

CLASS_OF_CODE: dict[int, type[ZooKeeperException]] = {
    cls.code: cls for cls in _CLASSES[1:] if "code" in vars(cls)
}


def error(
    code: int,
    path: str | None = None,
    detail: str | None = None,
    *,
    may_have_happened: bool | None = None,
) -> ZooKeeperException:
    """Make the exception for an error code, ready to raise.

    `path` is the node concerned and `detail` what else is known; both end up in the text.
    `may_have_happened` is for a caller that knows more than the class does. An unknown code gives
    a plain `ZooKeeperException` that carries it.
    """
    exception = with_context(CLASS_OF_CODE.get(code, ZooKeeperException), code, path, detail)
    if may_have_happened is not None:
        exception.may_have_happened = may_have_happened
    return exception


# Characters of a path in an exception's text; `path` has it whole.
_PATH_SHOWN = 1000


def with_context(
    cls: type[ZooKeeperException], code: int, path: str | None, detail: str | None
) -> ZooKeeperException:
    """Make an exception of the given class, with code, path and their text."""
    shown = path if path is None or len(path) <= _PATH_SHOWN else path[:_PATH_SHOWN] + "..."
    message = zerror(code) if code in MESSAGES else f"{zerror(code)} {code}"
    parts = [message, *(part for part in (shown, detail) if part is not None)]
    exception = cls(printable(": ".join(parts)))
    exception.code = code
    exception.path = path
    return exception


# Type checkers cannot follow this; without it they see all the names that do not begin with `_`.
if not TYPE_CHECKING:
    __all__ = ["error", "zerror", *(cls.__name__ for cls in _CLASSES)]
