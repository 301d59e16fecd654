# Waiting for the end of an operation on many nodes, and giving it up.

# How often (nanoseconds) a waiting thread looks for progress, signals and stalls.
cdef int64_t LOOK_AGAIN = 100000000
# How soon it looks for what it does something with. While nothing comes it looks less and less often, each
# time after a part of the time that it has come to.
cdef int64_t LOOK_SOON = 1000000
cdef int64_t LOOK_PART = 4


cdef object wait_for_bulk(
    Handle handle, bulk *b, double seconds, progress, total, BulkWork work=None
):
    """Wait until a bulk operation that has been started is over.

    `work` may look at what has come meanwhile. `progress` is called a few times a second.

    Without a timeout (seconds < 0) it is given up when nothing has happened for the session timeout.
    Whatever it raises, the operation may go on: `give_up` it.
    """
    cdef int status
    cdef long done, told
    cdef long last_done = -1
    cdef long last_told = -1
    cdef bint looks = work is not None and work.looks_meanwhile()
    cdef bint has_more = False
    cdef int64_t pause = LOOK_SOON if looks else LOOK_AGAIN
    cdef int64_t now = core_now()
    cdef int64_t stalled_at = now
    cdef int64_t tell_at = now + LOOK_AGAIN
    cdef int64_t deadline = 0 if seconds < 0 else now + <int64_t>(seconds * 1e9)
    cdef int64_t slice
    while True:
        slice = now + pause
        if deadline and slice > deadline:
            slice = deadline
        with nogil:
            status = bulk_wait(b, slice)
        if status == 0:
            return
        PyErr_CheckSignals()
        now = core_now()
        done = bulk_progress(b, &told)
        if looks:
            pause = min(max((now - stalled_at) // LOOK_PART, LOOK_SOON), LOOK_AGAIN)
        if looks and (has_more or done != last_done):
            has_more = work.look()
            pause = 0 if has_more else LOOK_SOON
        if done != last_done:
            last_done = done
            stalled_at = now = core_now()
        if progress is not None and done != last_told and now >= tell_at:
            last_told = done
            progress(told, total)
            stalled_at = now = core_now()
            tell_at = now + LOOK_AGAIN
        if not deadline and now > stalled_at + <int64_t>handle.c.session_timeout * 1000000:
            raise errors.error(constants.OPERATIONTIMEOUT, None, "nothing came for the session timeout")
        if deadline and now >= deadline:
            raise errors.error(constants.OPERATIONTIMEOUT, None, "not finished within the time given")


cdef void give_up(bulk *b) noexcept:
    """Let go of a bulk operation, over or not.

    It sends nothing more, and reads nothing of ours.

    That is the only end that it has: there is no telling what raises while the I/O thread works for it.
    """
    if b is not NULL:
        with nogil:
            bulk_abandon(b)
            bulk_release(b)
