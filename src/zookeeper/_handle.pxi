# Handles: one per session, with a Python thread that delivers its events and completions.

# By number; None where a number is free. Guarded by the GIL: what uses it calls nothing that could
# run Python code, or a finaliser that opens or closes a handle would find it half done.
cdef list _handles = []

# How long (seconds) close() waits for callbacks that are still running.
cdef double CALLBACK_GRACE = 1.0

# How long (seconds) closing several handles may take as a whole, whatever their servers do. One
# whose server does not answer takes about half of it.
cdef double MOST_CLOSING = 5.0


# A completion's arguments after handle and code.
ctypedef tuple (*results_function)(call *)


@cython.final
@cython.internal
cdef class Context:
    """What the event thread does when a request has finished."""

    cdef object completion  # or None
    cdef results_function results
    cdef object watcher     # or None
    cdef int watch_kind
    cdef str path
    cdef bint missing_too   # an exists: its watch is set on a missing node as well
    cdef bint forget        # a remove_watches
    cdef bint local         # one that forgets even if the server cannot be asked


@cython.final
@cython.internal
cdef class Handle:
    cdef zk_handle *c
    cdef readonly int number
    cdef int process
    cdef long max_request
    cdef object watcher
    cdef WatcherRegistry registry
    cdef long removals  # of watches, on their way to the server and back
    cdef object thread
    cdef bint has_root # the root of all paths has been there
    cdef bint opened   # its session has begun
    cdef bint closing

    def __cinit__(self):
        self.c = NULL

    def __dealloc__(self):
        # Every request has finished and the event thread has ended: they hold references. In a
        # forked child, where neither exists, the handle stays in the table and never comes here.
        # One that is still being closed at exit, as its server is silent, is not free yet.
        if self.c is not NULL and self.process == getpid() and (not self.opened or handle_closed(self.c)):
            handle_free(self.c)

    def deliver(self):
        """The event thread: everything the C client has to say, in order."""
        cdef queue_item *item
        cdef queue_item *following
        if self.c is NULL:
            raise TypeError("a handle comes from init")
        while True:
            with nogil:
                item = queue_take(self.c)
            _emit_log()
            if item is NULL and queue_stopped(self.c):
                break
            while item is not NULL:
                following = item.next
                try:
                    self.deliver_item(item)
                except BaseException:
                    # A callback's mistake must not cost the others their events.
                    log_raised("a callback of handle %d raised", (self.number,))
                item = following
        forget(self)

    cdef deliver_item(self, queue_item *item):
        if item.kind == ITEM_EVENT:
            self.deliver_event(<event_item *>item)
        elif item.kind == ITEM_CALL:
            self.deliver_call(<call *>item)
        elif item.kind == ITEM_TRANSACTION:
            self.deliver_transaction(<transaction *>item)
        else:
            self.begin_watches(<watches_item *>item)

    cdef deliver_event(self, event_item *event):
        cdef int type = event.type
        cdef int state = event.state
        cdef str path = text_of(event.path, strlen(event.path))
        free(event)
        if type == constants.SESSION_EVENT:
            watchers = self.registry.all()
            if self.watcher is not None and self.watcher not in watchers:
                watchers.insert(0, self.watcher)
        else:
            watchers = self.registry.take(type, path)
        for watcher in watchers:
            try:
                watcher(self.number, type, state, path)
            except BaseException:
                log_raised("a watcher of handle %d raised at %s", (self.number, path))

    cdef deliver_call(self, call *c):
        cdef Context context = <Context>c.context
        Py_DECREF(context)
        c.context = NULL
        try:
            if context.forget:
                self.removals -= 1
                c.code = removal_code(context, c.code)
                if c.code in (ZOK, ZNOWATCHER):
                    self.registry.forget(context.watch_kind, context.path, context.watcher)
            elif context.watcher is not None:
                is_set = c.code == ZOK or (c.code == ZNONODE and context.missing_too)
                # Whoever gave up waiting was told that it failed: it does not expect events.
                self.registry.settle(
                    context.watch_kind, (context.path,), context.watcher, is_set and not c.abandoned
                )
            if context.completion is not None:
                context.completion(self.number, c.code, *context.results(c))
        finally:
            call_release(c)

    cdef deliver_transaction(self, transaction *t):
        completion, kinds = <object>t.owner
        Py_DECREF(<object>t.owner)
        try:
            if completion is not None:
                completion(self.number, t.code, transaction_results(t, kinds))
        finally:
            transaction_free(t)

    cdef begin_watches(self, watches_item *item):
        watches, watcher = <object>item.watches
        Py_DECREF(<object>item.watches)
        free(item)
        for kind, paths in watches:
            self.registry.settle(kind, paths, watcher, True)


def _emit_log():
    cdef long dropped = 0
    cdef log_line *line = log_take(&dropped)
    cdef log_line *following
    while line is not NULL:
        following = line.next
        try:
            log_bridge.emit(line.text.decode("utf-8", "replace"))
        except BaseException:
            pass  # a broken log stream or handler must not stop the events
        free(line)
        line = following
    if dropped:
        try:
            log_bridge.emit_dropped(dropped)
        except BaseException:
            pass


cdef log_raised(str message, tuple arguments):
    """Log the exception that is being handled. What a handler of the log raises goes no further."""
    try:
        log_bridge.logger.exception(message, *arguments)
    except BaseException:
        # Not by sys.unraisablehook: Cython's way to it ends the process over a SystemExit.
        try:
            sys.excepthook(*sys.exc_info())
        except BaseException:
            pass


cdef Py_ssize_t _first_number = 0


def _number_from(first):
    """Give handles that are opened from now on no number below `first`.

    Those below are an emulation's then, which is asked by the same functions (`zc.zk.testing`).
    """
    global _first_number
    _first_number = first


cdef int take_number(Handle handle) except -1:
    """Give a handle the lowest number that is free."""
    cdef Py_ssize_t number = _first_number
    while number < len(_handles) and _handles[number] is not None:
        number += 1
    while len(_handles) <= number:
        _handles.append(None)
    handle.number = number
    _handles[number] = handle
    return 0


cdef forget(Handle handle):
    """The handle's number may be used again."""
    if _handles[handle.number] is handle:
        _handles[handle.number] = None


cdef Handle find(h):
    """The open handle of that number, in the process that opened it."""
    if isinstance(h, bool) or not isinstance(h, int):
        raise TypeError(f"a handle is an int, not {type(h).__name__}")
    cdef Py_ssize_t number
    try:
        number = h
    except OverflowError:
        number = -1
    cdef Handle handle = _handles[number] if 0 <= number < len(_handles) else None
    if handle is None or not handle.opened or handle.closing:
        raise errors.error(constants.INVALIDSTATE, None, f"handle {h} is closed or was never open")
    if handle.process != getpid():
        raise errors.with_context(
            errors.ForkedException,
            constants.INVALIDSTATE,
            None,
            f"handle {h} belongs to process {handle.process}, which forked this one:"
            " open a new one here",
        )
    return handle


# How long (seconds) init waits for names to be looked up before it goes on without.
cdef double LOOKUP_GRACE = 1.0

# Session timeouts (milliseconds) that the C client can keep: it divides by 60, and doubles. Servers have
# narrower limits of their own, and say what they grant.
cdef enum:
    LEAST_TIMEOUT = 100
    MOST_TIMEOUT = 1073741823


def _parsed(hosts):
    """The parts of a connection string. Raises BadArgumentsException."""
    try:
        ensemble = parse_hosts(hosts)
        if ensemble.root:
            encoded_path(ensemble.root)
        return ensemble
    except ValueError as fault:
        reason = str(fault)
    except errors.BadArgumentsException as fault:
        reason = f"the root is no path: {fault}"
    raise errors.error(constants.BADARGUMENTS, None, f"hosts {shortened(hosts)}: {reason}")


cdef str shortened(str hosts):
    return repr(hosts if len(hosts) <= 1000 else hosts[:1000] + "...")


cdef int look_up(Handle handle, hosts) except -1:
    """Wait until one of the servers' names is known, or none can be found out for now.

    Raises what signal handlers raise, and SystemErrorException when all lookups have failed.
    """
    cdef int64_t deadline = core_now() + <int64_t>(LOOKUP_GRACE * 1e9)
    cdef int code = EAI_INTR
    while code == EAI_INTR:
        with nogil:
            code = names_wait(handle_names(handle.c), deadline)
        if code == EAI_INTR:
            PyErr_CheckSignals()
    if code != 0 and code != EAI_INPROGRESS:
        _emit_log()
        reason = gai_strerror(code).decode("utf-8", "replace")
        raise errors.error(
            constants.SYSTEMERROR, None,
            f"cannot use {shortened(hosts)}: none of the names can be resolved ({reason})",
        )
    return 0


cdef int secure(Handle handle, tls) except -1:
    """Have the handle's connections go by TLS, if that is asked for."""
    if tls is None or tls is False:
        return 0
    from zookeeper.tls import configuration

    configured = configuration(tls)
    cdef object capsule = configured.capsule()
    layer_use(
        handle_layer(handle.c),
        <const layer_functions *>PyCapsule_Import(LAYER_CAPSULE, 0),
        <layer_config *>PyCapsule_GetPointer(capsule, LAYER_CONFIGURATION),
    )
    return 0


def connection_fault(h):
    """Why TLS with a server has failed since the last time that it did not, in words; or None."""
    cdef char why[LAYER_WHY]
    layer_why(handle_layer(find(h).c), why)
    return text_of(why, strlen(why)) or None


def init(
    hosts, watcher=None, recv_timeout=10000, client_id=None, *, read_only=False, max_request=1048575, tls=None
):
    """Open a session; it connects in the background.

    hosts: `host:port,...`, with a path at the end to be the root of every path (chroot).
    watcher: called `(handle, type, state, path)` for session events, on the handle's event thread.
    recv_timeout: session timeout to ask for, milliseconds; at least 100 are asked for.
    client_id: `(id, password)` of a session to resume, as `client_id()` gave it.
    read_only: also accept a server that is cut off from the others, for reading.
    max_request: the servers' jute.maxbuffer, bytes; larger requests are refused before sending.
    tls: a `TLS`, or True for the one with the system's authorities: encrypted, to servers that are
        what they say.

    Returns the handle, an int; the lowest that is free. Raises BadArgumentsException for hosts that
    are no connection string, SystemErrorException if no name can be resolved, ValueError for a file
    of `tls` that cannot be used. A name service that does
    not answer is waited for in the background, as servers are that do not.
    """
    if not isinstance(hosts, str):
        raise TypeError(f"hosts must be str, not {type(hosts).__name__}")
    checked_callable(watcher, "a watcher")
    cdef long limit = request_limit(max_request)
    if isinstance(recv_timeout, bool) or not isinstance(recv_timeout, int) or not 0 < recv_timeout < 2 ** 31:
        raise errors.error(constants.BADARGUMENTS, None, f"recv_timeout must be a number of milliseconds: {recv_timeout!r}")
    cdef bytes encoded_hosts = encoded(_parsed(hosts).text, "hosts", None)
    cdef clientid_t client
    cdef clientid_t *client_pointer = NULL
    if client_id is not None:
        client = client_id_of(client_id)
        client_pointer = &client
    cdef const char *hosts_pointer = encoded_hosts
    cdef int timeout = min(max(recv_timeout, LEAST_TIMEOUT), MOST_TIMEOUT)
    cdef int only_read = bool(read_only)
    cdef int problem
    cdef Handle handle = Handle.__new__(Handle)
    handle.process = getpid()
    handle.watcher = watcher
    handle.registry = WatcherRegistry()
    handle.max_request = limit
    handle.c = handle_new(hosts_pointer, timeout, only_read)
    secure(handle, tls)
    look_up(handle, hosts)
    take_number(handle)
    try:
        start_events(handle)
        with nogil:
            problem = handle_open(handle.c, hosts_pointer, client_pointer)
        if problem:
            _emit_log()
            raise refused(hosts, problem)
    except BaseException:
        queue_stop(handle.c)
        forget(handle)
        raise
    # From here on there is a session, and nothing that could raise before its number is returned.
    handle.opened = True
    queue_open(handle.c)
    return handle.number


def start_events(Handle handle):
    """Start the event thread: before there is a session, as this may fail, or be interrupted.

    `Thread.start` runs Python code that an exception out of a signal handler leaves with its locks
    in disorder, so that the thread never gets to work, nor to its end. There are such exceptions in
    the main thread only: it has another one start it.
    """
    handle.thread = threading.Thread(
        target=handle.deliver, name=f"zookeeper-{handle.number}", daemon=True
    )
    problems = []

    def start():
        try:
            handle.thread.start()
        except BaseException as problem:
            problems.append(problem)

    if threading.current_thread() is threading.main_thread():
        over = _thread.allocate_lock()
        over.acquire()

        def start_and_tell():
            start()
            over.release()

        try:
            _thread.start_new_thread(start_and_tell, ())
        except RuntimeError as problem:
            problems.append(problem)
        else:
            over.acquire()
    else:
        start()
    if problems:
        raise errors.error(constants.SYSTEMERROR, None, f"no thread for events: {problems[0]}")


cdef refused(hosts, int problem):
    """Why there is no handle, as an exception."""
    reason = "no more threads can be had" if problem == errno.EAGAIN else os.strerror(problem)
    return errors.error(constants.SYSTEMERROR, None, f"cannot use {shortened(hosts)}: {reason}")


def close(h, *, lost=False):
    """End a session: its ephemeral nodes go at once, calls under way raise ClosingException.

    lost: the session is given up for lost, so that calls under way raise ConnectionLossException.

    May be called from any thread and from callbacks. What has been delivered to the event thread is
    still called, and waited for up to a second unless this is the event thread. Returns OK.
    """
    cdef int farewell = ZCONNECTIONLOSS if lost else ZCLOSING
    cdef Handle handle = find(h)
    handle.closing = True
    with nogil:
        handle_close(handle.c, farewell)
    join_events([handle])
    return constants.OK


def close_many(handles):
    """End several sessions side by side; their servers need not answer, see `close`.

    Takes a few seconds at most as a whole: what is not over by then goes on in the background.
    Handles that are closed already are passed over. Returns OK.
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
    """Close handles side by side, each once, however often it is listed and whoever else closes it."""
    cdef Py_ssize_t count = 0
    cdef Handle handle
    cdef int64_t deadline = core_now() + <int64_t>(MOST_CLOSING * 1e9)
    cdef zk_handle **cs = <zk_handle **>core_zeroed(len(handles), sizeof(zk_handle *))
    # Nothing here runs Python code: those that are marked as closing are closed.
    for handle in handles:
        if not handle.closing:
            handle.closing = True
            cs[count] = handle.c
            count += 1
    with nogil:
        handle_close_many(cs, count, deadline)
        free(cs)
    join_events(handles)


cdef join_events(list handles):
    """Wait for callbacks that are still running, for a second as a whole."""
    cdef int64_t deadline = core_now() + <int64_t>(CALLBACK_GRACE * 1e9)
    this = threading.current_thread()
    for handle in handles:
        if (<Handle>handle).thread is not this and handle_closed((<Handle>handle).c):
            (<Handle>handle).thread.join(max(0.0, (deadline - core_now()) / 1e9))


def _close_all():
    """At exit: sessions that are not closed keep their ephemeral nodes until they time out."""
    cdef Handle handle
    ours = []
    for handle in _handles:
        if handle is not None and handle.opened and handle.process == getpid():
            ours.append(handle)
    close_handles(ours)


def _after_fork_in_child():
    handle_after_fork()
    names_after_fork()
    raw_request_after_fork()
    service_after_fork()
    log_after_fork()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork_in_child)


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
