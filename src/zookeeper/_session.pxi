# State of a session, and settings of the C client.

def event_thread(h):
    """Return the thread that delivers a handle's events and completions."""
    return find(h).thread


def event_thread_busy(h):
    """Return for how many seconds the event thread has been at one call.

    That is an event's or a completion's; 0.0 while the thread waits for one. A function of the program that does not return keeps all
    others of the handle from being called.
    """
    cdef int64_t since = find(h).busy_since
    return (core_now() - since) / 1e9 if since else 0.0


def state(h):
    """Return the session's state, one of the `_STATE` constants."""
    return handle_state(find(h).c, NULL)


def is_unrecoverable(h):
    """Tell whether the session has ended: it expired, or authentication failed.

    The handle is then of no more use.
    """
    return handle_state(find(h).c, NULL) < 0


def client_id(h):
    """Return the session's `(id, password)`, to resume it with.

    It is `(0, ...)` before the first connection.
    """
    cdef clientid_t client
    memset(&client, 0, sizeof(client))
    handle_state(find(h).c, &client)
    return client.client_id, text_of(client.passwd, sizeof(client.passwd))


def recv_timeout(h):
    """Return the session timeout in milliseconds.

    It is the one asked for until the first connection, and then the negotiated one.
    """
    return find(h).c.session_timeout


def connection_fault(h, *, awaited=False):
    """Say in words why TLS or SASL failed, or None if they last worked.

    awaited: also say what a connection that is being made waits for, if that takes long.
    """
    cdef char why[LAYER_WHY]
    cdef Handle handle = find(h)
    handle_why(handle.c, why)
    if why[0] == 0 and awaited:
        handle_awaited(handle.c, why)
    return text_of(why, strlen(why)) or None


def is_refused(h):
    """Tell whether all servers have refused the SASL credentials, twice each.

    The client tries again all the same, and connects when they are accepted.
    """
    return bool(handle_is_refused(find(h).c))


def set_watcher(h, watcher):
    """Replace the function that is told of session events."""
    checked_callable(watcher, "a watcher")
    find(h).watcher = watcher
    return constants.OK


def set_debug_level(level):
    """Set how much the C client logs, for all handles.

    level: one of the `LOG_LEVEL_` constants.
    """
    if integer(level, "a log level") not in (1, 2, 3, 4):
        raise errors.error(constants.BADARGUMENTS, None, f"not a log level: {level!r}")
    cdef int number = level
    zoo_set_debug_level(<ZooLogLevel>number)
    return constants.OK


def write_count():
    """Count the requests of this process that may change nodes, on any handle.

    The number has grown when the request has been sent, and again before its answer is heard of. `sync`
    counts as well, as what others have changed is seen after it. Emulations do not count.
    """
    return write_count_now()


def deterministic_conn_order(yes):
    """Set whether handles try servers in the order given, or at random.

    This is for handles that are opened from now on.
    """
    zoo_deterministic_conn_order(bool(yes))
    candidates_in_given_order(bool(yes))
    return constants.OK


__version__ = ZOO_VERSION.decode("ascii")


def _rest_after(unsigned int calls, double seconds):
    """Have I/O threads rest after so many calls within so many seconds.

    Then threads that call read their answers themselves (core/rests.c). It is for tests, of all handles.
    """
    rests_after(calls, <int64_t>(seconds * 1e9))


def _leads(h):
    """Return how many calls of a handle were to read their answers themselves."""
    return rests_leads(find(h).c)
