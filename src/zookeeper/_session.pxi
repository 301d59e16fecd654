# What a session tells of itself, and settings of the C client.

def event_thread(h):
    """The thread that delivers a handle's events and completions."""
    return find(h).thread


def state(h):
    """The session's state, one of the `_STATE` constants."""
    return handle_state(find(h).c, NULL)


def is_unrecoverable(h):
    """Whether the session has ended (expired, authentication failed) and the handle is of no more use."""
    return handle_state(find(h).c, NULL) < 0


def client_id(h):
    """The session's `(id, password)`, to resume it with; `(0, ...)` before the first connection."""
    cdef clientid_t client
    memset(&client, 0, sizeof(client))
    handle_state(find(h).c, &client)
    return client.client_id, text_of(client.passwd, sizeof(client.passwd))


def recv_timeout(h):
    """The session timeout in milliseconds: as negotiated, or as asked for before the first connection."""
    return find(h).c.session_timeout


def connection_fault(h):
    """Why TLS with a server has failed since the last time that it did not, in words; or None."""
    cdef char why[LAYER_WHY]
    layer_why(handle_layer(find(h).c), why)
    return text_of(why, strlen(why)) or None


def set_watcher(h, watcher):
    """Replace the function that is told of session events."""
    checked_callable(watcher, "a watcher")
    find(h).watcher = watcher
    return constants.OK


def set_debug_level(level):
    """How much the C client logs, one of the `LOG_LEVEL_` constants, for all handles."""
    if integer(level, "a log level") not in (1, 2, 3, 4):
        raise errors.error(constants.BADARGUMENTS, None, f"not a log level: {level!r}")
    cdef int number = level
    zoo_set_debug_level(<ZooLogLevel>number)
    return constants.OK


def write_count():
    """A number that grows with each request of this process that may change nodes, on any handle.

    It has grown when the request has been sent, and again before its answer is heard of. `sync`
    counts as well, as what others have changed is seen after it. Emulations do not count.
    """
    return frames_writes()


def deterministic_conn_order(yes):
    """Whether handles opened from now on try the servers in the order given and not in a random one."""
    zoo_deterministic_conn_order(bool(yes))
    attempt_in_given_order(bool(yes))
    return constants.OK


__version__ = ZOO_VERSION.decode("ascii")
