"""The module's names: constants, exceptions, messages, version."""

from __future__ import annotations

import inspect
import pickle
import types

import pytest

CONSTANTS = {
    "OK": 0,
    "SYSTEMERROR": -1,
    "RUNTIMEINCONSISTENCY": -2,
    "DATAINCONSISTENCY": -3,
    "CONNECTIONLOSS": -4,
    "MARSHALLINGERROR": -5,
    "UNIMPLEMENTED": -6,
    "OPERATIONTIMEOUT": -7,
    "BADARGUMENTS": -8,
    "INVALIDSTATE": -9,
    "APIERROR": -100,
    "NONODE": -101,
    "NOAUTH": -102,
    "BADVERSION": -103,
    "NOCHILDRENFOREPHEMERALS": -108,
    "NODEEXISTS": -110,
    "NOTEMPTY": -111,
    "SESSIONEXPIRED": -112,
    "INVALIDCALLBACK": -113,
    "INVALIDACL": -114,
    "AUTHFAILED": -115,
    "CLOSING": -116,
    "NOTHING": -117,
    "SESSIONMOVED": -118,
    "PERM_READ": 1,
    "PERM_WRITE": 2,
    "PERM_CREATE": 4,
    "PERM_DELETE": 8,
    "PERM_ADMIN": 16,
    "PERM_ALL": 31,
    "EPHEMERAL": 1,
    "SEQUENCE": 2,
    "CONTAINER": 4,
    "PERSISTENT_WITH_TTL": 5,
    "PERSISTENT_SEQUENTIAL_WITH_TTL": 6,
    "EXPIRED_SESSION_STATE": -112,
    "AUTH_FAILED_STATE": -113,
    "CONNECTING_STATE": 1,
    "ASSOCIATING_STATE": 2,
    "CONNECTED_STATE": 3,
    "CREATED_EVENT": 1,
    "DELETED_EVENT": 2,
    "CHANGED_EVENT": 3,
    "CHILD_EVENT": 4,
    "SESSION_EVENT": -1,
    "NOTWATCHING_EVENT": -2,
    "WATCH_CHILDREN": 1,
    "WATCH_DATA": 2,
    "WATCH_ANY": 3,
    "LOG_LEVEL_ERROR": 1,
    "LOG_LEVEL_WARN": 2,
    "LOG_LEVEL_INFO": 3,
    "LOG_LEVEL_DEBUG": 4,
}

EXCEPTIONS = {
    "SystemErrorException": ("SYSTEMERROR", "system error"),
    "RuntimeInconsistencyException": ("RUNTIMEINCONSISTENCY", "run time inconsistency"),
    "DataInconsistencyException": ("DATAINCONSISTENCY", "data inconsistency"),
    "ConnectionLossException": ("CONNECTIONLOSS", "connection loss"),
    "MarshallingErrorException": ("MARSHALLINGERROR", "marshalling error"),
    "UnimplementedException": ("UNIMPLEMENTED", "unimplemented"),
    "OperationTimeoutException": ("OPERATIONTIMEOUT", "operation timeout"),
    "BadArgumentsException": ("BADARGUMENTS", "bad arguments"),
    "InvalidStateException": ("INVALIDSTATE", "invalid zhandle state"),
    "ApiErrorException": ("APIERROR", "api error"),
    "NoNodeException": ("NONODE", "no node"),
    "NoAuthException": ("NOAUTH", "not authenticated"),
    "BadVersionException": ("BADVERSION", "bad version"),
    "NoChildrenForEphemeralsException": (
        "NOCHILDRENFOREPHEMERALS",
        "no children for ephemerals",
    ),
    "NodeExistsException": ("NODEEXISTS", "node exists"),
    "NotEmptyException": ("NOTEMPTY", "not empty"),
    "SessionExpiredException": ("SESSIONEXPIRED", "session expired"),
    "InvalidCallbackException": ("INVALIDCALLBACK", "invalid callback"),
    "InvalidACLException": ("INVALIDACL", "invalid acl"),
    "AuthFailedException": ("AUTHFAILED", "authentication failed"),
    "ClosingException": ("CLOSING", "zookeeper is closing"),
    "NothingException": ("NOTHING", "(not error) no server responses to process"),
    "SessionMovedException": (
        "SESSIONMOVED",
        "session moved to another server, so operation is ignored",
    ),
}

# Parameters after the handle, each (name, default); None of them without one.
MISSING = inspect.Parameter.empty
SIGNATURES = {
    "create": ["path", "data", "acl", ("flags", 0)],
    "create2": ["path", "data", "acl", ("flags", 0)],
    "delete": ["path", ("version", -1)],
    "set": ["path", "data", ("version", -1)],
    "set2": ["path", "data", ("version", -1)],
    "set_acl": ["path", "version", "acl"],
    "exists": ["path", ("watcher", None)],
    "get": ["path", ("watcher", None), ("bufferlen", None)],
    "get_children": ["path", ("watcher", None)],
    "get_children2": ["path", ("watcher", None)],
    "get_acl": ["path"],
    "sync": ["path"],
    "get_config": [("watcher", None)],
    "acreate": ["path", "data", "acl", ("flags", 0), ("completion", None)],
    "acreate2": ["path", "data", "acl", ("flags", 0), ("completion", None)],
    "adelete": ["path", ("version", -1), ("completion", None)],
    "aset": ["path", "data", ("version", -1), ("completion", None)],
    "aset_acl": ["path", "version", "acl", ("completion", None)],
    "aexists": ["path", ("watcher", None), ("completion", None)],
    "aget": ["path", ("watcher", None), ("completion", None)],
    "aget_children": ["path", ("watcher", None), ("completion", None)],
    "aget_children2": ["path", ("watcher", None), ("completion", None)],
    "aget_acl": ["path", ("completion", None)],
    "aget_config": [("watcher", None), ("completion", None)],
    "async_": ["path", ("completion", None)],
    "add_auth": ["scheme", "credential", ("completion", None)],
    "amulti": ["ops", ("completion", None)],
    "multi": ["ops"],
    "get_many": ["paths"],
    "get_acl_many": ["paths"],
    "get_children_many": ["paths"],
    "read_tree": ["path"],
    "write_many": ["ops"],
    "check_operations": ["ops"],
    "remove_watches": ["path", ("kind", 3), ("watcher", None), ("local", False)],
    "close": [],
    "client_id": [],
    "state": [],
    "recv_timeout": [],
    "is_unrecoverable": [],
    "event_thread": [],
    "event_thread_busy": [],
    "set_watcher": ["watcher"],
}

WAITING = [
    *("create", "create2", "delete", "set", "set2", "set_acl", "get_acl", "exists", "get"),
    *("get_children", "get_children2", "sync", "get_config", "remove_watches", "multi"),
    *("get_many", "get_acl_many", "get_children_many", "read_tree", "write_many", "watch_many"),
]


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_have_the_values_of_the_c_client(zookeeper, name):
    assert getattr(zookeeper, name) == CONSTANTS[name]


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_each_code_has_an_exception_class_and_the_c_clients_message(zookeeper, name):
    constant, message = EXCEPTIONS[name]
    code = getattr(zookeeper, constant)
    cls = getattr(zookeeper, name)
    assert issubclass(cls, zookeeper.ZooKeeperException)
    assert zookeeper.zerror(code) == message

    problem = zookeeper.error(code, "/some/path")
    assert type(problem) is cls
    assert (problem.code, problem.path) == (code, "/some/path")
    assert str(problem) == f"{message}: /some/path"


def test_an_error_without_a_path_is_the_bare_message(zookeeper):
    problem = zookeeper.error(zookeeper.CONNECTIONLOSS)
    assert str(problem) == "connection loss"
    assert problem.path is None


def test_an_error_with_a_detail_says_it(zookeeper):
    problem = zookeeper.error(zookeeper.BADARGUMENTS, "/a", "too long by 7 bytes")
    assert str(problem).startswith("bad arguments: /a")
    assert "too long by 7 bytes" in str(problem)


def test_an_unknown_code_is_a_plain_exception_that_carries_it(zookeeper):
    problem = zookeeper.error(-999, "/a")
    assert type(problem) is zookeeper.ZooKeeperException
    assert problem.code == -999
    assert zookeeper.zerror(-999) == "unknown error"


def test_a_forked_handle_is_a_kind_of_invalid_state(zookeeper):
    assert issubclass(zookeeper.ForkedException, zookeeper.InvalidStateException)


def test_exceptions_survive_pickling(zookeeper):
    problem = pickle.loads(pickle.dumps(zookeeper.error(zookeeper.NONODE, "/a")))
    assert type(problem) is zookeeper.NoNodeException
    assert (str(problem), problem.code, problem.path) == ("no node: /a", zookeeper.NONODE, "/a")


def test_the_version_is_the_c_clients(zookeeper):
    assert zookeeper.__version__.split(".")[0] == "3"
    assert all(part.isdigit() for part in zookeeper.__version__.split("."))


@pytest.mark.parametrize("name", SIGNATURES)
def test_functions_take_the_parameters_of_the_contract_in_its_order(zookeeper, name):
    function = getattr(zookeeper, name)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    in_order = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    found = [p.name if p.default is MISSING else (p.name, p.default) for p in in_order]
    assert found == SIGNATURES[name]


@pytest.mark.parametrize("name", WAITING)
def test_every_call_that_waits_takes_a_timeout_by_keyword_only(zookeeper, name):
    timeout = inspect.signature(getattr(zookeeper, name)).parameters["timeout"]
    assert timeout.kind is timeout.KEYWORD_ONLY
    assert timeout.default is None


def test_init_takes_zkpythons_arguments_in_its_order(zookeeper):
    parameters = inspect.signature(zookeeper.init).parameters
    assert list(parameters)[:4] == ["hosts", "watcher", "recv_timeout", "client_id"]
    assert parameters["recv_timeout"].default == 10000


def test_async_is_there_under_both_names(zookeeper):
    assert getattr(zookeeper, "async") == zookeeper.async_


def test_nothing_but_the_api_is_public(zookeeper):
    """Star imports and completion in editors show the API, not its parts."""
    public = [name for name in dir(zookeeper) if not name.startswith("_")]
    submodules = {
        "answers", "binding", "constants", "environment", "errors", "hosts", "kerberos",
        "kerberos_faults", "kerberos_turns", "log", "messages", "printing", "regularfiles",
        "runtimes", "sasl",
        "sasl_digest", "sasl_gssapi", "saslsteps", "secretfiles", "tls", "types",
        "watchers",
    }  # fmt: skip
    foreign = [
        name
        for name in public
        if isinstance(getattr(zookeeper, name), types.ModuleType) and name not in submodules
    ]
    assert foreign == []
    functions = [
        name for name in public if callable(getattr(zookeeper, name)) and name[0].islower()
    ]
    undocumented = [name for name in functions if not getattr(zookeeper, name).__doc__]
    assert undocumented == []
