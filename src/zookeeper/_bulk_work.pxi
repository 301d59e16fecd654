# Operations on many nodes: each is a few bulk operations of the core, one after the other (stages).
#
# A thread that waits goes from stage to stage itself. Without one the end of a stage is queued, as
# the answer of a single request is, and the thread that takes it out begins the next: a loop that drains
# its CompletionQueue, or the handle's event thread. Both have the same stages and results.

cdef enum:
    # Two reads, a barrier and the watches; and the look at the root.
    MAX_STAGES = 5


@cython.internal
cdef class BulkWork:
    """An operation on many nodes that is under way; `cancel` ends it."""

    cdef Handle handle
    cdef object path        # for exceptions; None where there are several
    cdef double seconds     # of a stage; < 0: while anything comes within the session timeout
    cdef object progress    # or None
    cdef object total       # for progress
    cdef Context context    # what is to be told; None: a thread waits
    cdef bulk *stages[MAX_STAGES]
    cdef int begun          # how many of them there are
    cdef bint over_at_once  # the last one was over when it had been begun
    cdef bint is_cancelled
    cdef bint is_missing    # there are nodes that are not there
    cdef read_many *root    # the look at the root; NULL: none
    cdef bint is_unknown    # it has told nothing

    def __dealloc__(self):
        self.let_go()

    def cancel(self):
        """End the operation: its completion is told NOTHING, and nothing is sent.

        Requests that are under way are done all the same. After its end it does nothing.
        """
        if self.context is not None and self.begun:
            self.is_cancelled = True
            bulk_end(self.stages[self.begun - 1], ZNOTHING)

    # For the kinds of operations to say.

    cdef bint next_stage(self) except -1:
        """Begin the next stage, or return that there is none."""
        raise NotImplementedError

    cdef object results(self):
        """Make the results, when all stages are over."""
        raise NotImplementedError

    cdef int code(self) noexcept:
        """Return why a stage that is over has failed, or ZOK."""
        return self.last().code

    cdef int stop(self) except -1:
        """Undo what was expected of the next stage: there will be none."""
        return 0

    cdef bint look(self) except -1:
        """Look at what has come, but not for long; say whether there is more."""
        return False

    cdef bint looks_meanwhile(self) noexcept:
        """Say whether there is something for `look` to do."""
        return False

    # Common to them.

    cdef bulk *last(self) noexcept:
        return self.stages[self.begun - 1]

    cdef int begin(self, bulk *stage, bint at_once=False) except -1:
        """Begin a stage, which is ours from here on.

        at_once: no Python is to run meanwhile, in no thread.
        """
        self.stages[self.begun] = stage
        self.begun += 1
        if self.is_cancelled:
            raise errors.error(constants.NOTHING)
        if self.context is not None:
            self.begin_later(stage)
        elif at_once:
            bulk_start(stage)
        else:
            with nogil:
                bulk_start(stage)
        return 0

    cdef int begin_later(self, bulk *stage) except -1:
        cdef double seconds = ROOT_LOOK if self.root is not NULL else self.seconds
        stage.context = <void *>self
        stage.answers = self.context.answers()
        stage.tells_progress = self.progress is not None or self.looks_meanwhile()
        if seconds < 0:
            stage.stall = <int64_t>self.handle.c.session_timeout * 1000000
        else:
            stage.deadline = core_now() + <int64_t>(seconds * 1e9)
        Py_INCREF(self)
        self.over_at_once = bulk_begin(stage)
        if self.over_at_once:
            Py_DECREF(self)
        return 0

    cdef bint proceed(self) except -1:
        """Begin the next stage, or return that all are over."""
        if self.next_stage():
            return True
        if not self.is_missing or self.root is not NULL or not may_lack_root(self.handle):
            return False
        self.root = read_many_new(self.handle.c, OP_GET_DATA, 1)
        read_many_path(self.root, 0, b"/")
        self.begin(&self.root.reader.base)
        return True

    cdef object fault(self):
        """Say what is wrong with the root of all paths, or None."""
        if self.root is NULL or self.is_unknown or self.root.reader.base.code != ZOK:
            return None
        if self.root.nodes[0].code != ZNONODE:
            self.handle.has_root = True
            return None
        return missing_root(self.handle)

    cdef object wait(self):
        """Wait until all stages are over, and return the results."""
        cdef int code
        try:
            while self.proceed():
                self.wait_for_stage()
                code = self.code() if self.root is NULL else ZOK
                if code != ZOK:
                    raise error_of(code, self.path)
            results = self.results()
            self.tell_all()
            return results
        finally:
            self.end()

    cdef int wait_for_stage(self) except -1:
        if self.root is NULL:
            wait_for_bulk(self.handle, self.last(), self.seconds, self.progress, self.total, self)
            return 0
        try:
            wait_for_bulk(self.handle, self.last(), ROOT_LOOK, None, None)
        except errors.OperationTimeoutException:
            self.is_unknown = True
        return 0

    cdef object later(self, completion):
        """Begin, and have a completion called at the end; returns ourselves."""
        cdef Context context = Context.__new__(Context)
        cdef int code = ZOK
        results = None
        checked_callable(completion, "a completion")
        choose_place(context, completion)
        context.number = self.handle.number
        self.context = context
        try:
            if self.begin_next():
                return self
            code = self.code()
            if code != ZOK:
                raise unsent(code, None)
            results = self.results()
            self.tell_end(code, results)
        except:
            self.end()
            raise
        self.end()
        return self

    cdef int tell_end(self, int code, results) except -1:
        """Have the completion called, although there was nothing to wait for."""
        if self.context.completion is None:
            return 0
        call = (self.context.completion, (self.context.number, code, results))
        if self.context.queued is not None:
            self.context.completion(*call[1])
            return 0
        Py_INCREF(call)
        if not queue_push_object(self.handle.c, <void *>call):
            Py_DECREF(call)
            raise unsent(ZCLOSING, None)
        return 0

    cdef bint begin_next(self) except -1:
        """Begin the next stage that is not over at once.

        False: all are over, or one has failed.
        """
        while self.proceed():
            if not self.over_at_once:
                return True
            if self.root is NULL and self.code() != ZOK:
                return False
        return False

    cdef int stage_is_over(self, callback) except -1:
        """Go on, in the thread that is to call the completion."""
        cdef int code
        results = None
        if self.context is None:
            return 0
        cdef Context context = self.context
        try:
            code = self.code() if self.root is NULL else ZOK
            if code == ZOK:
                if self.begin_next():
                    return 0
                code = self.code() if self.root is NULL else ZOK
            if code == ZOK:
                results = self.results()
                self.tell_all()
        except errors.ZooKeeperException as problem:
            code, results = problem.code, None
        except BaseException:
            # The completion is called all the same, or somebody waits for ever.
            log_raised("a bulk operation of handle %d raised", (context.number,))
            code, results = constants.SYSTEMERROR, None
        self.end()
        if callback is not None:
            callback(context.number, code, results)
        return 0

    cdef object completion(self):
        return None if self.context is None else self.context.completion

    cdef int tell_all(self) except -1:
        """Tell that all is done."""
        if self.progress is None:
            return 0
        done = self.done()
        if self.context is None:
            self.progress(done, self.total)
        else:
            self.call_progress(done)
        return 0

    cdef object done(self):
        """Count all that progress counts, when it is done."""
        return self.total

    cdef int tell_progress(self) except -1:
        """Tell how far it is, in the thread that is to call the completion."""
        cdef long told
        if self.context is None or self.begun == 0:
            return 0
        bulk_progress(self.last(), &told)
        try:
            self.look()
        except BaseException:
            return self.cancel_raised("what is made of nodes")
        if self.progress is not None:
            self.call_progress(told)
        return 0

    cdef int call_progress(self, done) except -1:
        try:
            self.progress(done, self.total)
        except BaseException:
            self.cancel_raised("progress")
        return 0

    cdef int cancel_raised(self, str subject) except -1:
        log_raised("%s of handle %d raised, and ends the operation", (subject, self.handle.number))
        self.cancel()
        return 0

    cdef int end(self) except -1:
        """Let go of everything: it has been told, or nobody is to be told."""
        self.context = None
        self.progress = None
        self.stop()
        self.let_go()
        return 0

    cdef void let_go(self) noexcept:
        while self.begun:
            self.begun -= 1
            give_up(self.stages[self.begun])
        self.root = NULL


cdef BulkWork taken_work(bulk *b):
    """Take over the work that the end of a stage is queued for."""
    cdef BulkWork work = <BulkWork>b.context
    Py_DECREF(work)
    b.context = NULL
    bulk_release(b)
    return work


cdef BulkWork work_of(bulk *b):
    """Return the work whose progress is queued; None after its end."""
    cdef BulkWork work = <BulkWork>b.context if b.context is not NULL else None
    bulk_release(b)
    return work
