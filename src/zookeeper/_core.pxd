# The C core as Python's half sees it; core/core.h explains it.
from libc.stddef cimport size_t
from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t

cdef extern from "core.h" nogil:
    enum: ZOK, ZNONODE, ZNOTHING, ZCLOSING, ZCONNECTIONLOSS, ZNOWATCHER, ZUNIMPLEMENTED, ZBADARGUMENTS

    struct Stat:
        int64_t czxid, mzxid, ctime, mtime, ephemeralOwner, pzxid
        int32_t version, cversion, aversion, dataLength, numChildren

    struct String_vector:
        int32_t count
        char **data

    struct Id:
        char *scheme
        char *id

    struct ACL:
        int32_t perms
        Id id

    struct ACL_vector:
        int32_t count
        ACL *data

    ctypedef struct zhandle_t:
        pass

    ctypedef struct clientid_t:
        int64_t client_id
        char passwd[16]

    ctypedef enum ZooLogLevel:
        pass

    const char *ZOO_VERSION
    void zoo_set_debug_level(ZooLogLevel level)
    void zoo_deterministic_conn_order(int yes)

    # Operations of the protocol, and one of ours.
    enum: OP_CREATE, OP_CREATE2, OP_CREATE_CONTAINER, OP_CREATE_TTL, OP_DELETE, OP_SET_DATA, OP_CHECK
    enum: OP_EXISTS, OP_GET_DATA, OP_GET_CHILDREN, OP_GET_CHILDREN2, OP_GET_ACL, OP_SET_ACL, OP_SYNC
    enum: OP_AUTH, OP_REMOVE_WATCHES, OP_REMOVE_STANDING, OP_GET_CONFIG, OP_RECONFIG, OP_ADD_WATCH
    enum: OP_GET_EPHEMERALS, OP_GET_ALL_CHILDREN_NUMBER, OP_WHO_AM_I

    int64_t core_now()
    int core_process()
    int64_t write_count_now()
    void *core_zeroed(size_t count, size_t size)

    ctypedef struct yields:
        int64_t next_at
    void yields_offer(yields *y)

    enum item_kind:
        ITEM_EVENT, ITEM_CALL, ITEM_ANSWER, ITEM_TRANSACTION, ITEM_BULK, ITEM_PROGRESS

    struct queue_item:
        queue_item *next
        item_kind kind

    ctypedef struct event_item:
        queue_item item
        int type, state, outside
        int64_t zxid
        char path[1]

    ctypedef struct object_item:
        queue_item item
        void *object

    ctypedef struct completion_queue:
        pass

    object_item *queue_object(void *object)
    completion_queue *completion_queue_new()
    void completion_queue_retain(completion_queue *q)
    void completion_queue_release(completion_queue *q)
    int completion_queue_fd(completion_queue *q)
    bint completion_queue_push(completion_queue *q, queue_item *item)
    queue_item *completion_queue_take(completion_queue *q, queue_item **last, long *count)
    void completion_queue_wake(completion_queue *q)
    queue_item *completion_queue_close(completion_queue *q)
    void completion_queue_after_fork()

    ctypedef struct pending:
        pass

    struct zk_handle:
        int session_timeout
        char *chroot

    enum:
        LAYER_WHY
    ctypedef struct layer:
        pass
    ctypedef struct layer_config:
        pass
    ctypedef struct layer_functions:
        pass
    const char *LAYER_CAPSULE
    const char *LAYER_CONFIGURATION

    void layer_use(layer *l, const layer_functions *functions, layer_config *config)

    ctypedef enum step_result:
        STEP_TOKEN, STEP_COMPLETE, STEP_FAILED
    ctypedef struct step_question:
        long exchange
        int is_first
        char host[1]
        char *challenge
        size_t size
    ctypedef struct sasl_steps:
        pass

    void sasl_use(zk_handle *handle, const char *name)
    sasl_steps *sasl_steps_of(zk_handle *handle)
    void steps_retain(sasl_steps *s)
    void steps_release(sasl_steps *s)
    void steps_stop(sasl_steps *s)
    bint steps_are_busy(sasl_steps *s)
    bint steps_take(sasl_steps *s, step_question *question)
    void steps_answer(sasl_steps *s, long exchange, step_result result, const char *bytes, size_t size)

    ctypedef struct server_names:
        pass

    int lookups_wait(server_names *names, int64_t deadline)
    const char *address_failure(int code)
    void lookups_after_fork()
    void candidates_in_given_order(int yes)

    zk_handle *handle_new(const char *hosts, int timeout_ms, int read_only)
    server_names *handle_names(zk_handle *handle)
    layer *handle_layer(zk_handle *handle)
    void handle_why(zk_handle *handle, char *why)
    void handle_awaited(zk_handle *handle, char *what)
    int handle_is_refused(zk_handle *handle)
    int handle_open(zk_handle *handle, const char *hosts, const clientid_t *client)
    void handle_close(zk_handle *handle, int farewell)
    void handle_close_many(zk_handle **handles, long count, int farewell, int64_t deadline)
    bint handle_closed(zk_handle *handle)
    void rests_after(unsigned int calls, int64_t nanoseconds)
    unsigned int rests_leads(zk_handle *handle)
    void handle_free(zk_handle *handle)
    int handle_state(zk_handle *handle, clientid_t *client)

    bint queue_push_object(zk_handle *handle, void *object)
    queue_item *queue_take(zk_handle *handle)
    void queue_open(zk_handle *handle)
    void queue_stop(zk_handle *handle)
    int queue_stopped(zk_handle *handle)
    void queue_after_fork()

    struct call:
        queue_item item
        int waiting, abandoned, watched, takers
        void *context
        completion_queue *answers
        int code, never_sent
        Stat stat
        int has_stat
        char *value
        int length
        String_vector names
        ACL_vector acl
        int32_t number

    call *call_new(zk_handle *handle, int waiting, void *context, int watched)
    void call_release(call *c)
    int leader_wait(call *c, int64_t deadline)
    call *call_of_answer(queue_item *answer)
    ctypedef struct c_operation "operation":
        int32_t op
        const char *path
        const char *scheme
        const char *joining
        const char *leaving
        const char *members
        const char *data
        int length
        int32_t size, version, flags, children_too
        int64_t ttl, config
        const ACL_vector *acl

    int call_submit(call *c, const c_operation *op)
    bint raw_call_knows(const c_operation *op)
    int raw_call_submit(call *c, const c_operation *op)
    bint standing_keep(zk_handle *handle, const char *path, int mode)

    void raw_request_after_fork()
    void service_after_fork()
    int service_hangs_up_at(const zk_handle *handle, long size)

    struct bulk:
        int code, over, abandoned, tells_progress
        void *context
        completion_queue *answers
        int64_t deadline, stall

    void bulk_retain(bulk *b)
    void bulk_release(bulk *b)
    bint bulk_begin(bulk *b)
    void bulk_end(bulk *b, int code)
    bulk *bulk_ending(queue_item *item)
    bulk *bulk_progressing(queue_item *item)
    void bulk_start(bulk *b)
    int bulk_wait(bulk *b, int64_t deadline)
    void bulk_abandon(bulk *b)
    long bulk_progress(bulk *b, long *told)

    ctypedef struct node_read:
        const char *path
        int code, length
        const char *data
        const ACL *entries
        Stat stat
        int names_count
        char **names

    ctypedef struct reader:
        bulk base
        int64_t lowest_zxid

    ctypedef struct read_many:
        reader reader
        long count
        node_read *nodes

    read_many *read_many_new(zk_handle *handle, int32_t op, long count)
    void read_many_path(read_many *r, long index, const char *path)

    ctypedef struct tree_node:
        node_read read
        int64_t index, first_child
        int32_t children, depth, path_length
        int16_t is_handed_out

    struct subtree:
        reader reader
        long count

    subtree *subtree_new(zk_handle *handle, const char *root)
    tree_node *subtree_node(subtree *s, int64_t index)
    long subtree_complete(subtree *s, tree_node ***blocks)
    tree_node *subtree_node_in(tree_node **blocks, int64_t index)

    ctypedef struct write_result:
        int code
        const char *path
        Stat stat
        int has_stat, never_sent

    struct transaction:
        queue_item item
        const c_operation *ops
        write_result *results
        int count, code, failure
        completion_queue *answers
        void *owner

    int transaction_submit(zk_handle *handle, const c_operation *ops, int count, void *context,
                           completion_queue *answers)
    void transaction_free(transaction *t)
    long operation_size(zk_handle *handle, const c_operation *op)

    ctypedef struct bulk_write:
        bulk base
        write_result *results
        long next, ready, batch, serial

    bulk_write *bulk_write_new(zk_handle *handle, const c_operation *ops, long count, long batch,
                               long batch_bytes, int in_flight, long serial, int stop, int divisible)
    int bulk_write_ready(bulk_write *w, long count)

    enum: WATCH_LIST_DATA, WATCH_LIST_EXISTS, WATCH_LIST_CHILDREN

    struct set_watches:
        bulk base

    set_watches *set_watches_new(zk_handle *handle, int64_t zxid)
    void set_watches_add(set_watches *s, int list, const char *path)
    void set_watches_activate(set_watches *s)
    void set_watches_forget(zk_handle *handle, const char *path, int kinds)

    const char *path_fault(const char *path, size_t length, int sequential, uint32_t *character)

    struct log_line:
        log_line *next
        char text[1]

    log_line *log_take(long *dropped)
    void log_after_fork()
