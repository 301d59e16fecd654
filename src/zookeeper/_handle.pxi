# Handles: one per session, with a Python thread that delivers its events and completions.

# By number; None where a number is free. Guarded by the GIL: what uses it calls nothing that could
# run Python code, or a finaliser that opens or closes a handle would find it half done.
cdef list _handles = []

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
    cdef int64_t busy_since  # of the event thread, in nanoseconds; 0: it waits
    cdef readonly int64_t zxid  # of the event that is being delivered; -1: not known
    cdef object thread
    cdef Steps steps   # of its SASL mechanism, or None
    cdef bint has_root # the root of all paths has been there
    cdef bint opened   # its session has begun
    cdef bint closing
    cdef object at_end # the completion of its aclose, or None

    def __cinit__(self):
        self.c = NULL
        self.zxid = -1

    def __dealloc__(self):
        # Every request has finished and the event thread has ended: they hold references. In a
        # forked child, where neither exists, the handle stays in the table and never comes here.
        # One that is still being closed at exit, as its server is silent, is not free yet.
        if self.c is not NULL and self.process == core_process() and (not self.opened or handle_closed(self.c)):
            handle_free(self.c)

    def deliver(self):
        """Run the event thread: deliver everything the C client says, in order."""
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
                self.busy_since = core_now()
                try:
                    self.deliver_item(item)
                except BaseException:
                    # A callback's mistake must not cost the others their events.
                    log_raised("a callback of handle %d raised", (self.number,))
                item = following
            self.busy_since = 0
        forget(self)
        if self.at_end is not None:
            try:
                self.at_end(self.number, constants.OK)
            except BaseException:
                log_raised("a callback of handle %d raised", (self.number,))

    cdef deliver_item(self, queue_item *item):
        if item.kind == ITEM_EVENT:
            self.deliver_event(<event_item *>item)
        elif item.kind == ITEM_CALL:
            self.deliver_call(<call *>item)
        elif item.kind == ITEM_TRANSACTION:
            self.deliver_transaction(<transaction *>item)
        elif item.kind == ITEM_BULK:
            self.deliver_bulk(bulk_ending(item))
        elif item.kind == ITEM_PROGRESS:
            self.deliver_progress(bulk_progressing(item))
        else:
            call_object(<object_item *>item)

    cdef deliver_event(self, event_item *event):
        cdef int type = event.type
        cdef int state = event.state
        cdef bint outside = event.outside
        cdef str path = text_of(event.path, strlen(event.path))
        self.zxid = event.zxid
        free(event)
        if type == constants.SESSION_EVENT:
            watchers = self.registry.all()
            if self.watcher is not None and self.watcher not in watchers:
                watchers.insert(0, self.watcher)
            self.call(watchers, type, state, path)
        else:
            self.call(self.registry.take(type, path, outside), type, state, path)
            if not outside:
                watchers, parent = self.registry.of_parent(type, path)
                self.call(watchers, constants.CHILD_EVENT, state, parent)
            sweep(self, path)
        self.zxid = -1

    cdef call(self, watchers, int type, int state, str path):
        for watcher in watchers:
            try:
                watcher(self.number, type, state, path)
            except BaseException:
                log_raised("a watcher of handle %d raised at %s", (self.number, path))

    cdef deliver_call(self, call *c):
        cdef Context context = taken_context(c)
        try:
            if context.forget:
                self.removals -= 1
                c.code = removal_code(context, c.code)
                if c.code in (ZOK, ZNOWATCHER):
                    self.registry.forget(context.watch_kind, context.path, context.watcher)
                    forget_unneeded(self, context.path)
                sweep(self, context.path)
            elif context.watcher is not None:
                is_set = c.code == ZOK or (c.code == ZNONODE and context.missing_too)
                # A caller that gave up waiting was told of a failure: it does not expect events.
                is_set = is_set and not c.abandoned
                self.registry.settle(context.watch_kind, (context.path,), context.watcher, is_set)
                if not is_set:
                    forget_unneeded(self, context.path)  # the server may have set it
                sweep(self, context.path)
            if c.answers is NULL:
                complete(context.completion, context, c)
        finally:
            call_release(c)

    cdef deliver_transaction(self, transaction *t):
        cdef Context context = taken_owner(t)
        try:
            if t.answers is NULL:
                complete_transaction(context.completion, context, t)
        finally:
            transaction_free(t)

    cdef deliver_bulk(self, bulk *b):
        cdef bint is_ours = b.answers is NULL
        cdef BulkWork work = taken_work(b)
        if is_ours:
            work.stage_is_over(work.completion())
        else:
            work.end()  # of an event loop whose queue is closed

    cdef deliver_progress(self, bulk *b):
        cdef bint is_ours = b.answers is NULL
        cdef BulkWork work = work_of(b)
        if is_ours and work is not None:
            work.tell_progress()


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
    """Log the exception that is being handled.

    An exception of a log handler goes no further.
    """
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
    """Free the handle's number for another one."""
    if _handles[handle.number] is handle:
        _handles[handle.number] = None


cdef Handle find(h):
    """Return the open handle of that number.

    Raises InvalidStateException for any other, ForkedException for one of the parent process.
    """
    if isinstance(h, bool) or not isinstance(h, int):
        raise TypeError(f"a handle is an int, not {type(h).__name__}")
    cdef Py_ssize_t number
    try:
        number = h
    except OverflowError:
        number = -1
    cdef Handle handle = _handles[number] if 0 <= number < len(_handles) else None
    if handle is None or not handle.opened or handle.closing:
        why = "is closed or was never open"
        if not threading.main_thread().is_alive():
            why = "is closed, as the interpreter ends"
        raise errors.error(constants.INVALIDSTATE, None, f"handle {h} {why}")
    if handle.process != core_process():
        raise errors.with_context(
            errors.ForkedException,
            constants.INVALIDSTATE,
            None,
            f"handle {h} belongs to process {handle.process}, which forked this one:"
            " open a new one here",
        )
    return handle
