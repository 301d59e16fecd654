"""The numbers of the ZooKeeper C client, under zkpython's names.

Values are those of `zookeeper.h` (3.8): error codes, permissions, node kinds, session states,
event types, watch kinds and log levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

# Error codes (enum ZOO_ERRORS).
OK: Final = 0
SYSTEMERROR: Final = -1
RUNTIMEINCONSISTENCY: Final = -2
DATAINCONSISTENCY: Final = -3
CONNECTIONLOSS: Final = -4
MARSHALLINGERROR: Final = -5
UNIMPLEMENTED: Final = -6
OPERATIONTIMEOUT: Final = -7
BADARGUMENTS: Final = -8
INVALIDSTATE: Final = -9
NEWCONFIGNOQUORUM: Final = -13
RECONFIGINPROGRESS: Final = -14
SSLCONNECTIONERROR: Final = -15
APIERROR: Final = -100
NONODE: Final = -101
NOAUTH: Final = -102
BADVERSION: Final = -103
NOCHILDRENFOREPHEMERALS: Final = -108
NODEEXISTS: Final = -110
NOTEMPTY: Final = -111
SESSIONEXPIRED: Final = -112
INVALIDCALLBACK: Final = -113
INVALIDACL: Final = -114
AUTHFAILED: Final = -115
CLOSING: Final = -116
NOTHING: Final = -117
SESSIONMOVED: Final = -118
NOTREADONLY: Final = -119
EPHEMERALONLOCALSESSION: Final = -120
NOWATCHER: Final = -121
RECONFIGDISABLED: Final = -123
SESSIONCLOSEDREQUIRESASLAUTH: Final = -124
THROTTLEDOP: Final = -127

# Permissions of an ACL entry, a bit each.
PERM_READ: Final = 1
PERM_WRITE: Final = 2
PERM_CREATE: Final = 4
PERM_DELETE: Final = 8
PERM_ADMIN: Final = 16
PERM_ALL: Final = 31

# Kinds of node to create. EPHEMERAL and SEQUENCE may be combined; the others stand alone.
EPHEMERAL: Final = 1
SEQUENCE: Final = 2
CONTAINER: Final = 4
PERSISTENT_WITH_TTL: Final = 5
PERSISTENT_SEQUENTIAL_WITH_TTL: Final = 6

# Session states, as `state()` returns them and session events carry them.
EXPIRED_SESSION_STATE: Final = -112
AUTH_FAILED_STATE: Final = -113
NOTCONNECTED_STATE: Final = 999
CONNECTING_STATE: Final = 1
ASSOCIATING_STATE: Final = 2
CONNECTED_STATE: Final = 3
READONLY_STATE: Final = 5

# Event types.
CREATED_EVENT: Final = 1
DELETED_EVENT: Final = 2
CHANGED_EVENT: Final = 3
CHILD_EVENT: Final = 4
SESSION_EVENT: Final = -1
NOTWATCHING_EVENT: Final = -2

# Kinds of watch, for remove_watches.
WATCH_CHILDREN: Final = 1
WATCH_DATA: Final = 2
WATCH_ANY: Final = 3
WATCH_PERSISTENT: Final = 4
WATCH_PERSISTENT_RECURSIVE: Final = 5

# Modes of add_watch.
PERSISTENT: Final = 0
PERSISTENT_RECURSIVE: Final = 1

# Levels of set_debug_level.
LOG_LEVEL_ERROR: Final = 1
LOG_LEVEL_WARN: Final = 2
LOG_LEVEL_INFO: Final = 3
LOG_LEVEL_DEBUG: Final = 4

# Type checkers cannot follow this; without it they see all the names that do not begin with `_`.
if not TYPE_CHECKING:
    __all__ = [name for name in dir() if name.isupper() and name != "TYPE_CHECKING"]
