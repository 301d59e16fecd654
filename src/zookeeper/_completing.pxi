# The ends of asynchronous requests: their completions, and the threads that call these.
#
# The completion of a request is called on the handle's event thread; or, when it is one that a
# CompletionQueue has bound, where that queue is drained, and the event thread need not wake for it.

cdef class BulkWork

# A completion's arguments after handle and code.
ctypedef tuple (*results_function)(call *)


@cython.final
@cython.internal
cdef class QueuedCompletion:
    """A completion that is called where its queue is drained."""

    cdef completion_queue *queue
    cdef object callback

    def __dealloc__(self):
        if self.queue is not NULL:
            completion_queue_release(self.queue)

    def __call__(self, *arguments):
        """Queue the call, as something else than the C client has come to the answer."""
        self.its_queue()
        work = (self.callback, arguments)
        cdef object_item *item = queue_object(<void *>work)
        Py_INCREF(work)
        if not completion_queue_push(self.queue, &item.item):
            taken_object(item)

    def around(self, wrap):
        """Return one of the same queue, for what `wrap` makes of the function."""
        cdef completion_queue *queue = self.its_queue()
        cdef QueuedCompletion other = QueuedCompletion.__new__(QueuedCompletion)
        other.callback = wrap(self.callback)
        completion_queue_retain(queue)
        other.queue = queue
        return other

    cdef completion_queue *its_queue(self) except NULL:
        """Return its queue, which one that is not made by `bind` does not have."""
        if self.queue is NULL:
            raise TypeError("a bound completion comes from CompletionQueue.bind")
        return self.queue

    def __repr__(self):
        return f"<{self.callback!r}, in a completion queue>"


@cython.final
@cython.internal
@cython.freelist(64)
cdef class Context:
    """The work to be done when a request has finished."""

    cdef object completion  # or None
    cdef QueuedCompletion queued  # the same, if it is one
    cdef results_function results
    cdef bytes kinds        # of the results of a transaction
    cdef int number         # of the handle
    cdef object watcher     # or None
    cdef int watch_kind
    cdef str path
    cdef bint missing_too   # an exists: its watch is set on a missing node as well
    cdef bint forget        # a remove_watches
    cdef bint local         # one that forgets even if the server cannot be asked
    cdef bint carried       # one of what the registry has: a server that knows nothing of it has done it

    cdef completion_queue *answers(self) noexcept:
        """Return the event loop's queue that its answer is for, or NULL."""
        return NULL if self.queued is None else self.queued.queue


cdef int choose_place(Context context, completion) except -1:
    """Note the completion of a request, and where it is to be called."""
    context.completion = completion
    if not isinstance(completion, QueuedCompletion):
        return 0
    context.queued = completion
    if completion_queue_fd(context.queued.its_queue()) < 0:
        raise closed_queue()
    return 0


# ---- taken from a queue ------------------------------------------------------------------------

cdef Context taken_context(call *c):
    """Take over the call's part in its context. The caller releases the call."""
    cdef Context context = <Context>c.context
    c.takers -= 1
    if c.takers == 0:
        Py_DECREF(context)
        c.context = NULL
    return context


cdef Context taken_owner(transaction *t):
    """Take over the transaction's context. The caller frees the transaction."""
    cdef Context context = <Context>t.owner
    Py_DECREF(context)
    return context


cdef object taken_object(object_item *item):
    """Take the object out of an item, and free the item."""
    taken = <object>item.object
    Py_DECREF(taken)
    free(item)
    return taken


# ---- called ------------------------------------------------------------------------------------

cdef int call_object(object_item *item) except -1:
    """Call the function of an item with its arguments."""
    function, arguments = taken_object(item)
    function(*arguments)
    return 0


cdef int complete(callback, Context context, call *c) except -1:
    """Call what is to be told of the end of a request, if there is anything."""
    if callback is not None:
        callback(context.number, c.code, *context.results(c))
    return 0


cdef int complete_transaction(callback, Context context, transaction *t) except -1:
    if callback is not None:
        callback(context.number, t.code, transaction_results(t, context.kinds))
    return 0
