# Opening a session: what is asked for, and the thread that delivers its events.

# How long (seconds) init waits for names to be looked up before it goes on without.
cdef double LOOKUP_GRACE = 1.0

# Session timeouts (milliseconds) that the C client can keep: it divides by 60, and doubles. Servers have
# narrower limits of their own, and say what they grant.
cdef enum:
    MIN_TIMEOUT = 100
    MAX_TIMEOUT = 1073741823


def _parsed(hosts):
    """Take a connection string apart. Raises BadArgumentsException."""
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
    """Wait until one of the servers' names is known, or none can be for now.

    Raises what signal handlers raise, and SystemErrorException when all lookups have failed.
    """
    cdef int64_t deadline = core_now() + <int64_t>(LOOKUP_GRACE * 1e9)
    cdef int code = EAI_INTR
    while code == EAI_INTR:
        with nogil:
            code = lookups_wait(handle_names(handle.c), deadline)
        if code == EAI_INTR:
            PyErr_CheckSignals()
    if code != 0 and code != EAI_INPROGRESS:
        _emit_log()
        reason = address_failure(code).decode("utf-8", "replace")
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


def init(
    hosts, watcher=None, recv_timeout=10000, client_id=None, *, read_only=False, max_request=1048575, tls=None,
    sasl=None
):
    """Open a session; it connects in the background.

    hosts: `host:port,...`, with a path at the end to be the root of every path (chroot).
    watcher: called `(handle, type, state, path)` for session events, on the handle's event thread.
    recv_timeout: session timeout to ask for, milliseconds; at least 100 are asked for.
    client_id: `(id, password)` of a session to resume, as `client_id()` gave it.
    read_only: also accept a server that is cut off from the others, for reading.
    max_request: the servers' jute.maxbuffer, bytes; larger requests are refused before sending.
    tls: a `TLS`, or True for the one with the system's authorities: connections
        are encrypted, and servers prove who they are.
    sasl: a mechanism, such as `SASL.digest_md5(user, password)`, by which the client proves who it is,
        on each connection before anything else.

    Returns the handle, the lowest int that is free. Raises BadArgumentsException for hosts that are no
    connection string, SystemErrorException if no name can be resolved, ValueError for a file of `tls`
    that cannot be used, RuntimeError where gevent or eventlet has made greenlets of threads. A name
    service that does not answer is waited for in the background, as servers are that do not.
    """
    if not isinstance(hosts, str):
        raise TypeError(f"hosts must be str, not {type(hosts).__name__}")
    checked_callable(watcher, "a watcher")
    if "gevent.monkey" in sys.modules or "eventlet.patcher" in sys.modules:
        from zookeeper.runtimes import refuse_greenlets

        refuse_greenlets()
    if sasl is not None:
        from zookeeper.sasl import checked_mechanism

        checked_mechanism(sasl)
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
    cdef int timeout = min(max(recv_timeout, MIN_TIMEOUT), MAX_TIMEOUT)
    cdef int only_read = bool(read_only)
    cdef int problem
    cdef Handle handle = Handle.__new__(Handle)
    handle.process = core_process()
    handle.watcher = watcher
    handle.registry = WatcherRegistry()
    handle.max_request = limit
    handle.c = handle_new(hosts_pointer, timeout, only_read)
    secure(handle, tls)
    if sasl is not None:
        handle.steps = steps_for(handle.c, sasl)
    look_up(handle, hosts)
    take_number(handle)
    try:
        start_threads(handle)
        with nogil:
            problem = handle_open(handle.c, hosts_pointer, client_pointer)
        if problem:
            _emit_log()
            raise refused(hosts, problem)
    except BaseException:
        queue_stop(handle.c)
        if handle.steps is not None:
            steps_stop(handle.steps.c)
        forget(handle)
        raise
    # From here on there is a session, which nothing but the handler of a signal keeps from the caller.
    handle.opened = True
    queue_open(handle.c)
    raise_signals(handle)
    return handle.number


cdef int raise_signals(Handle handle) except -1:
    """Run signal handlers that are due, and give the session up if one raises.

    Otherwise they would run in the caller, to whom the number is lost with an exception.
    """
    try:
        PyErr_CheckSignals()
    except BaseException:
        handle.closing = True
        with nogil:
            handle_close_many(&handle.c, 1, ZCLOSING, core_now())
        raise
    return 0


cdef start_threads(Handle handle):
    """Start the event thread, and that of SASL, before there is a session.

    This may fail, or be interrupted.
    """
    name = f"zookeeper-{handle.number}"
    handle.thread = new_thread(handle.deliver, name)
    start_thread(handle.thread, "for events")
    cdef Steps steps = handle.steps
    if steps is not None:
        steps.thread = new_thread(steps.run, f"{name}-sasl")
        start_thread(steps.thread, "for SASL")


cdef new_thread(run, name):
    """Make a thread of the operating system, whatever those of `threading` are."""
    if "gevent.monkey" in sys.modules:
        from zookeeper.runtimes import NativeThread, greenlets

        if greenlets() is not None:
            return NativeThread(run, name)
    return threading.Thread(target=run, name=name, daemon=True)


def start_thread(thread, purpose):
    """Start a thread, or raise SystemErrorException.

    `Thread.start` runs Python code that an exception out of a signal handler leaves with its locks
    in disorder, so that the thread never gets to work, nor to its end. There are such exceptions in
    the main thread only: it has another one start it.
    """
    if sys.is_finalizing():
        # It would be waited for for ever: no thread gets to run any more.
        raise errors.error(constants.SYSTEMERROR, None, f"no thread {purpose}: the interpreter ends")
    problems = []

    def start():
        try:
            thread.start()
        except BaseException as problem:
            problems.append(problem)

    if isinstance(thread, threading.Thread) and threading.current_thread() is threading.main_thread():
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
        raise errors.error(constants.SYSTEMERROR, None, f"no thread {purpose}: {problems[0]}")


cdef refused(hosts, int problem):
    """Make the exception that says why there is no handle."""
    reason = "no more threads can be had" if problem == errno.EAGAIN else os.strerror(problem)
    return errors.error(constants.SYSTEMERROR, None, f"cannot use {shortened(hosts)}: {reason}")
