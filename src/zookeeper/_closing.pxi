# Closing sessions: one, many, and all at exit; and what a forked child forgets.

# How long (seconds) close() waits for callbacks that are still running.
cdef double CALLBACK_GRACE = 1.0

# How long (seconds) closing several handles may take as a whole, whatever their servers do. One
# whose server does not answer takes about half of it.
cdef double MAX_CLOSING = 5.0


def close(h, *, lost=False):
    """End a session, and return OK.

    Its ephemeral nodes go at once, and calls under way raise ClosingException.

    lost: the session is given up for lost, so that calls under way raise ConnectionLossException.

    Any thread and any callback may call this. Callbacks that the event thread has been given are
    still called, and waited for up to a second unless this is the event thread.
    """
    cdef int farewell = ZCONNECTIONLOSS if lost else ZCLOSING
    cdef Handle handle = find(h)
    handle.closing = True
    with nogil:
        handle_close(handle.c, farewell)
    join_events([handle])
    return constants.OK


def aclose(h, completion=None, *, lost=False):
    """Begin to end a session, and return OK; call `completion(handle, code)`.

    That is called when the session has ended, also if the server was silent, after all completions of
    calls that were under way. The handle can be used no more from now on. A program that ends meanwhile
    waits for a few seconds at most. Arguments are those of close.
    """
    cdef Handle handle = find(h)
    cdef int farewell = ZCONNECTIONLOSS if lost else ZCLOSING
    cdef zk_handle *c = handle.c
    checked_callable(completion, "a completion")
    choose_place(Context.__new__(Context), completion)
    handle.at_end = completion
    handle.closing = True
    with nogil:
        handle_close_many(&c, 1, farewell, core_now())
    return constants.OK


def close_many(handles):
    """End several sessions side by side, as `close` does, and return OK.

    All together take a few seconds at most, also if servers do not answer: the rest goes on in the
    background. Handles that are closed already are passed over.
    """
    ours = []
    for h in handles:
        try:
            ours.append(find(h))
        except errors.InvalidStateException:
            pass  # closed already
    close_handles(ours)
    return constants.OK


cdef close_handles(list handles):
    """Close handles side by side, each once, even if others close it too."""
    cdef Py_ssize_t count = 0
    cdef Handle handle
    cdef int64_t deadline = core_now() + <int64_t>(MAX_CLOSING * 1e9)
    cdef zk_handle **cs = <zk_handle **>core_zeroed(len(handles), sizeof(zk_handle *))
    # Nothing here runs Python code: those that are marked as closing are closed.
    for handle in handles:
        if not handle.closing:
            handle.closing = True
            cs[count] = handle.c
            count += 1
    with nogil:
        handle_close_many(cs, count, ZCLOSING, deadline)
        free(cs)
    join_events(handles)


cdef join_events(list handles):
    """Wait for callbacks that are still running, for a second as a whole."""
    cdef int64_t deadline = core_now() + <int64_t>(CALLBACK_GRACE * 1e9)
    this = threading.current_thread()
    for handle in handles:
        if (<Handle>handle).thread is not this and handle_closed((<Handle>handle).c):
            (<Handle>handle).thread.join(max(0.0, (deadline - core_now()) / 1e9))
            if (<Handle>handle).steps is not None:
                (<Handle>handle).steps.join(max(0.0, (deadline - core_now()) / 1e9))


def _close_all():
    """Close all sessions at exit.

    Those that are not closed keep their ephemeral nodes until they time out.
    """
    cdef Handle handle
    cdef int64_t deadline = core_now() + <int64_t>(MAX_CLOSING * 1e9)
    ours = []
    for handle in _handles:
        if handle is not None and handle.opened and handle.process == core_process():
            ours.append(handle)
    close_handles(ours)
    for handle in ours:
        # One that is being closed by others: its event thread ends when it is.
        if not handle_closed(handle.c) and handle.thread is not threading.current_thread():
            handle.thread.join(max(0.0, (deadline - core_now()) / 1e9))


def _after_fork_in_child():
    queue_after_fork()
    completion_queue_after_fork()
    lookups_after_fork()
    raw_request_after_fork()
    service_after_fork()
    log_after_fork()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork_in_child)
