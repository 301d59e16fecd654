"""The text for each error code."""

from __future__ import annotations

from zookeeper import constants

# The C client's own words (zerror) where it has any: the emulation, which has no C client, says the
# same.
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
    """Give the C client's message for an error code, or `unknown error`."""
    return MESSAGES.get(code, "unknown error")
