# The answers for an event loop, which calls their completions in its own thread.

cdef object closed_queue():
    return errors.error(constants.INVALIDSTATE, None, "the completion queue is closed")


@cython.final
cdef class CompletionQueue:
    """Answers for an event loop, which calls their completions itself.

    The loop watches the descriptor, and drains the queue when it can be read:

        queue = zookeeper.CompletionQueue()
        loop.add_reader(queue.fileno(), queue.drain)
        zookeeper.aget(handle, "/shop", None, queue.bind(completion))

    Answers of any handles come into it without Python's lock. However many come together wake the loop
    once, and they become Python's objects when they are drained. A queue that is closed, or let go of, drops
    what is there and what comes later, without a call.
    """

    cdef completion_queue *c
    cdef int process
    # Taken out of it and not yet called: while a callback runs, or behind the limit of `drain`.
    cdef queue_item *first
    cdef queue_item *last
    cdef long count

    def __cinit__(self):
        self.process = core_process()
        self.c = completion_queue_new()
        if self.c is NULL:
            raise errors.error(constants.SYSTEMERROR, None, f"no completion queue: {os.strerror(last_errno)}")

    def __dealloc__(self):
        if self.c is not NULL:
            self.drop()
            completion_queue_release(self.c)

    def __repr__(self):
        fd = completion_queue_fd(self.c)
        return f"<completion queue, descriptor {fd}>" if fd >= 0 else "<completion queue, closed>"

    def fileno(self):
        """Return the descriptor, which can be read while there are answers."""
        return self.descriptor()

    def bind(self, callback):
        """Return a completion that has `callback` called where the queue is drained.

        The functions of this module that take a completion take it as well, and so do those that take a
        watcher. It may also be called itself, in any thread, with any arguments for `callback`.
        """
        if not callable(callback):
            raise TypeError(f"a callback must be callable: {callback!r}")
        self.descriptor()
        cdef QueuedCompletion bound = QueuedCompletion.__new__(QueuedCompletion)
        bound.callback = callback
        completion_queue_retain(self.c)
        bound.queue = self.c
        return bound

    def drain(self, max=None):
        """Call the callbacks of the answers that are there.

        max: how many at most; the descriptor stays readable for the rest.

        Returns how many have been called. An exception of a callback is logged, and keeps no other one
        from being called; KeyboardInterrupt and SystemExit are raised, and the others called by the
        next `drain`. Answers that come meanwhile are for the next one, too.
        """
        cdef long called = 0
        cdef long limit
        cdef queue_item *item
        if max is not None and integer(max, "max") < 1:
            raise errors.error(constants.BADARGUMENTS, None, f"max must be at least 1: {max}")
        self.own_process()
        self.take()
        limit = self.count if max is None or max > self.count else max
        try:
            while called < limit and self.first is not NULL:
                item = self.next_item()
                called += 1
                try:
                    call_back(item)
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException:
                    log_raised("a callback of a completion queue raised", ())
        finally:
            if self.first is not NULL:
                completion_queue_wake(self.c)
        return called

    def close(self):
        """Close the queue and its descriptor, which the loop must not watch any more.

        No callback is called from now on. Requests that are under way are done all the same.
        """
        self.own_process()
        self.drop()

    cdef int descriptor(self) except -1:
        self.own_process()
        cdef int fd = completion_queue_fd(self.c)
        if fd < 0:
            raise closed_queue()
        return fd

    cdef int own_process(self) except -1:
        if self.process != core_process():
            raise errors.with_context(
                errors.ForkedException,
                constants.INVALIDSTATE,
                None,
                f"the completion queue belongs to process {self.process}, which forked this one:"
                " make a new one here",
            )
        return 0

    cdef void take(self) noexcept:
        """Take what has come, behind what is there."""
        cdef queue_item *last
        cdef long count
        cdef queue_item *items = completion_queue_take(self.c, &last, &count)
        if items is NULL:
            return
        if self.first is NULL:
            self.first = items
        else:
            self.last.next = items
        self.last = last
        self.count += count

    cdef queue_item *next_item(self) noexcept:
        cdef queue_item *item = self.first
        self.first = item.next
        self.count -= 1
        return item

    cdef int drop(self) except -1:
        """Close the queue, and let go of what is there. May run Python: finalisers."""
        cdef queue_item *items = completion_queue_close(self.c)
        cdef queue_item *item
        while self.first is not NULL:
            let_go(self.next_item())
        while items is not NULL:
            item = items
            items = item.next
            let_go(item)
        return 0


cdef int call_back(queue_item *item) except -1:
    """Call the callback of an item, and free the item."""
    cdef call *c
    cdef transaction *t
    cdef Context context
    cdef BulkWork work
    if item.kind == ITEM_ANSWER:
        c = call_of_answer(item)
        context = taken_context(c)
        try:
            complete(context.queued.callback, context, c)
        finally:
            call_release(c)
    elif item.kind == ITEM_TRANSACTION:
        t = <transaction *>item
        context = taken_owner(t)
        try:
            complete_transaction(context.queued.callback, context, t)
        finally:
            transaction_free(t)
    elif item.kind == ITEM_BULK:
        work = taken_work(bulk_ending(item))
        if work.context is not None:
            work.stage_is_over(work.context.queued.callback)
    elif item.kind == ITEM_PROGRESS:
        work = work_of(bulk_progressing(item))
        if work is not None:
            work.tell_progress()
    else:
        call_object(<object_item *>item)
    return 0


cdef int let_go(queue_item *item) except -1:
    """Free an item, and do not call its callback."""
    if item.kind == ITEM_ANSWER:
        taken_context(call_of_answer(item))
        call_release(call_of_answer(item))
    elif item.kind == ITEM_TRANSACTION:
        taken_owner(<transaction *>item)
        transaction_free(<transaction *>item)
    elif item.kind == ITEM_BULK:
        taken_work(bulk_ending(item)).end()
    elif item.kind == ITEM_PROGRESS:
        bulk_release(bulk_progressing(item))
    else:
        taken_object(<object_item *>item)
    return 0
