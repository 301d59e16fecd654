/* Drives the C core without Python, in many threads, for ThreadSanitizer (scripts/run_tsan.py).
 *
 * driver HOSTS ROUNDS: in each round four handles are opened, used in every way while their
 * connections are cut, and closed meanwhile, one alone or all side by side.
 * driver planted: locks two mutexes in both orders, and shares a number without a lock, so that the
 * caller sees that both are found.
 */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANDLES 4
#define USERS 9
#define PATIENCE_NS 2000000000

static _Atomic long ends[4]; /* of calls: answered, lost, closed, anything else */
static _Atomic long logins;  /* by SASL */
static _Atomic long leads;   /* looks that found answers read by their callers */

static void note(int code) {
    ends[code == ZOK ? 0 : code == ZCONNECTIONLOSS ? 1 : code == ZCLOSING ? 2 : 3]++;
}

static struct ACL open_entry[] = {{31, {"world", "anyone"}}};
static const struct ACL_vector open_acl = {1, open_entry};

/* The place of Python's lock. */
static pthread_mutex_t python = PTHREAD_MUTEX_INITIALIZER;

static void let_go_of_call(call *c) {
    note(c->code);
    pthread_mutex_lock(&python);
    if (--c->takers == 0 && c->answers) completion_queue_release(c->answers);
    pthread_mutex_unlock(&python);
    call_release(c);
}

static void let_go_of_transaction(transaction *t) {
    note(t->code);
    if (t->answers) completion_queue_release(t->answers);
    transaction_free(t);
}

/* The end of a bulk operation without a waiting thread, or its progress. The context is a reference to a
 * loop's queue. */
static void let_go_of_bulk(queue_item *item) {
    long told;
    if (item->kind == ITEM_PROGRESS) {
        bulk_progress(bulk_progressing(item), &told);
        bulk_release(bulk_progressing(item));
        return;
    }
    bulk *b = bulk_ending(item);
    note(b->code);
    completion_queue_release(b->context);
    bulk_release(b);
}

/* Does the work of a handle's Python thread. */
static void *deliver(void *argument) {
    zk_handle *handle = argument;
    for (;;) {
        queue_item *item = queue_take(handle);
        long dropped;
        for (log_line *line = log_take(&dropped), *next; line; line = next) {
            next = line->next;
            free(line);
        }
        if (item == NULL && queue_stopped(handle)) return NULL;
        for (queue_item *next; item; item = next) {
            next = item->next;
            if (item->kind == ITEM_CALL)
                let_go_of_call((call *)item);
            else if (item->kind == ITEM_TRANSACTION)
                let_go_of_transaction((transaction *)item);
            else if (item->kind == ITEM_BULK || item->kind == ITEM_PROGRESS)
                let_go_of_bulk(item);
            else
                free(item);
        }
    }
}

/* 0 when the handle is closed. */
static int end_call(call *c, int code) {
    if (code == ZOK && leader_wait(c, core_now() + PATIENCE_NS)) {
        c->abandoned = 1;
        code = ZOPERATIONTIMEOUT;
    } else if (code == ZOK) {
        code = c->code;
    }
    note(code);
    call_release(c);
    return code != ZCLOSING;
}

static void *call_one_by_one(void *argument) {
    zk_handle *handle = argument;
    for (int i = 0;; i++) {
        const operation asked[] = {
            {.op = OP_GET_DATA, .path = "/a"},
            {.op = OP_SET_DATA, .path = "/a", .data = "x", .length = 1, .version = -1},
            {.op = OP_GET_CHILDREN2, .path = "/"},
            {.op = OP_CREATE, .path = "/a/s", .data = "", .acl = &open_acl, .flags = ZOO_EPHEMERAL | ZOO_SEQUENCE, .ttl = -1},
        };
        call *c = call_new(handle, 1, NULL, 0);
        if (!end_call(c, call_submit(c, &asked[i % 4]))) return NULL;
        handle_state(handle, NULL);
        char why[LAYER_WHY];
        handle_why(handle, why);
    }
}

/* Beside a thread that calls one by one, and so reads its answers itself. */
static void *call_now_and_then(void *argument) {
    zk_handle *handle = argument;
    const operation look = {.op = OP_EXISTS, .path = "/a"};
    for (;;) {
        usleep(10000);
        leads += rests_leads(handle) != 0;
        call *c = call_new(handle, 1, NULL, 0);
        if (!end_call(c, call_submit(c, &look))) return NULL;
    }
}

/* Does the work of an event loop. */
static void let_go_of_answers(queue_item *item) {
    for (queue_item *next; item; item = next) {
        next = item->next;
        if (item->kind == ITEM_ANSWER)
            let_go_of_call(call_of_answer(item));
        else if (item->kind == ITEM_BULK || item->kind == ITEM_PROGRESS)
            let_go_of_bulk(item);
        else
            let_go_of_transaction((transaction *)item);
    }
}

/* Calls and transactions whose answers are for event loops, which come and go. Their contexts are
 * references to the loop's queue. */
static void *call_from_loops(void *argument) {
    zk_handle *handle = argument;
    for (int round = 0, code = ZOK; code != ZCLOSING && code != ZINVALIDSTATE; round++) {
        completion_queue *q = completion_queue_new();
        if (q == NULL) abort();
        for (int i = 0; i < 30 && code != ZCLOSING && code != ZINVALIDSTATE; i++) {
            completion_queue_retain(q);
            call *c = call_new(handle, 0, q, i % 3 == 0);
            c->answers = q;
            const operation asked = {.op = OP_EXISTS, .path = "/a"};
            code = call_submit(c, &asked);
            if (code == ZOK)
                call_release(c);
            else
                let_go_of_call(c);
            const operation check = {.op = OP_CHECK, .path = "/a", .version = -1};
            completion_queue_retain(q);
            if (transaction_submit(handle, &check, 1, q, q) != ZOK) completion_queue_release(q);
            queue_item *last;
            long count;
            if (i % 5 == 0) let_go_of_answers(completion_queue_take(q, &last, &count));
            if (i % 7 == 0) completion_queue_wake(q);
        }
        usleep(round % 2 ? 20000 : 2000);
        let_go_of_answers(completion_queue_close(q));
        completion_queue_release(q);
    }
    return NULL;
}

static int bulk_is_over(bulk *b) {
    core_lock(&b->lock);
    int is_over = b->over;
    core_unlock(&b->lock);
    return is_over;
}

static bulk *begun_bulk(zk_handle *handle, completion_queue *q, int i) {
    read_many *r = read_many_new(handle, OP_GET_DATA, 200);
    for (long n = 0; n < 200; n++) read_many_path(r, n, "/a");
    bulk *b = &r->reader.base;
    completion_queue_retain(q);
    b->context = q;
    b->answers = i % 4 == 3 ? NULL : q;
    b->tells_progress = 1;
    b->stall = PATIENCE_NS;
    if (i % 5 == 4) b->deadline = core_now() + 1000000;
    if (bulk_begin(b)) completion_queue_release(q);
    return b;
}

/* Bulk operations that no thread waits for: some are given up, or have little time. */
static void *begin_from_loops(void *argument) {
    zk_handle *handle = argument;
    bulk *begun[8];
    queue_item *last;
    long count;
    for (int round = 0, is_closed = 0; !is_closed; round++) {
        completion_queue *q = completion_queue_new();
        if (q == NULL) abort();
        for (int i = 0; i < 8; i++) begun[i] = begun_bulk(handle, q, i);
        usleep(20000);
        let_go_of_answers(completion_queue_take(q, &last, &count));
        for (int i = 0; i < 8; i++) {
            if ((i + round) % 3 == 0) bulk_end(begun[i], ZNOTHING);
            int64_t end = core_now() + INT64_C(20000000000);
            while (!bulk_is_over(begun[i]) && core_now() < end) usleep(1000);
            if (!bulk_is_over(begun[i])) abort();
            is_closed |= begun[i]->code == ZCLOSING;
        }
        let_go_of_answers(completion_queue_close(q));
        for (int i = 0; i < 8; i++) bulk_release(begun[i]);
        completion_queue_release(q);
    }
    return NULL;
}

/* Calls whose ends come through the queue, among them credentials. */
static void *call_later(void *argument) {
    static int context;
    zk_handle *handle = argument;
    char secret[40];
    for (int i = 0;; i++) {
        call *c = call_new(handle, 0, &context, i % 3 == 0);
        snprintf(secret, sizeof secret, "user%d:x", i % 50);
        const operation asked[] = {
            {.op = OP_EXISTS, .path = "/a"},
            {.op = OP_AUTH, .scheme = "digest", .data = secret, .length = (int)strlen(secret)},
            {.op = OP_SYNC, .path = "/"},
        };
        int code = call_submit(c, &asked[i % 3]);
        call_release(c);
        if (code == ZCLOSING || code == ZINVALIDSTATE) return NULL;
        if (i % 20 == 0) usleep(1000);
    }
}

static int end_bulk(bulk *b) {
    int status = bulk_wait(b, core_now() + PATIENCE_NS);
    long told = 0;
    bulk_progress(b, &told);
    if (status) bulk_abandon(b);
    int code = status ? ZOPERATIONTIMEOUT : b->code;
    note(code);
    bulk_release(b);
    return code != ZCLOSING;
}

static void *read_many_times(void *argument) {
    zk_handle *handle = argument;
    for (int i = 0;; i++) {
        bulk *b;
        if (i % 2) {
            b = &subtree_new(handle, "/")->reader.base;
        } else {
            read_many *r = read_many_new(handle, OP_GET_DATA, 200);
            for (long n = 0; n < 200; n++) read_many_path(r, n, "/a");
            b = &r->reader.base;
        }
        bulk_start(b);
        if (!end_bulk(b)) return NULL;
    }
}

static void *write_many_times(void *argument) {
    zk_handle *handle = argument;
    for (;;) {
        operation ops[50];
        memset(ops, 0, sizeof ops);
        for (int i = 0; i < 50; i++) {
            ops[i].op = OP_SET_DATA;
            ops[i].path = "/a";
            ops[i].data = "y";
            ops[i].length = 1;
            ops[i].version = -1;
        }
        bulk_write *w = bulk_write_new(handle, ops, 50, 10, PIECE_BYTES, 4, 20, 1, 1);
        bulk_write_ready(w, 50);
        if (!end_bulk(&w->base)) return NULL;
    }
}

static void *watch_many_times(void *argument) {
    zk_handle *handle = argument;
    for (;;) {
        set_watches *s = set_watches_new(handle, 1);
        set_watches_add(s, WATCH_LIST_DATA, "/a");
        set_watches_add(s, WATCH_LIST_EXISTS, "/missing");
        set_watches_add(s, WATCH_LIST_CHILDREN, "/");
        set_watches_activate(s);
        bulk_start(&s->base);
        if (!end_bulk(&s->base)) return NULL;
        usleep(2000);
    }
}

/* Watches that stay, of both modes, and what else the C client lacks. The connection ends under all of it. */
static void *watch_for_good(void *argument) {
    zk_handle *handle = argument;
    for (int i = 0;; i++) {
        const operation asked[] = {
            {.op = OP_ADD_WATCH, .path = "/a", .flags = STANDING_RECURSIVE, .children_too = i % 2},
            {.op = OP_ADD_WATCH, .path = "/missing", .flags = STANDING_PERSISTENT},
            {.op = OP_GET_EPHEMERALS, .path = "/"},
            {.op = OP_ADD_WATCH, .path = "/a", .flags = STANDING_PERSISTENT},
            {.op = OP_GET_ALL_CHILDREN_NUMBER, .path = "/"},
            {.op = OP_REMOVE_STANDING, .path = "/a"},
            {.op = OP_WHO_AM_I},
        };
        const operation *op = &asked[i % 7];
        if (op->op == OP_REMOVE_STANDING && !standing_keep(handle, op->path, -1)) continue;
        call *c = call_new(handle, 1, NULL, 0);
        if (!end_call(c, raw_call_submit(c, op))) return NULL;
        if (i % 50 == 0) usleep(1000);
    }
}

/* Does the steps of a handle's mechanism: two tokens, whatever the server says to them. Some are slow, and
 * some fail. */
static void *do_steps(void *argument) {
    sasl_steps *steps = argument;
    step_question question;
    int left = 0;
    for (int i = 0; steps_take(steps, &question); i++) {
        free(question.challenge);
        if (question.is_first) left = 2;
        if (i % 7 == 3) usleep(20000);
        if (i % 20 == 19)
            steps_answer(steps, question.exchange, STEP_FAILED, "no ticket", 9);
        else if (left-- > 0)
            steps_answer(steps, question.exchange, STEP_TOKEN, "token", 5);
        else {
            logins++;
            steps_answer(steps, question.exchange, STEP_COMPLETE, NULL, 0);
        }
    }
    steps_release(steps);
    return NULL;
}

static pthread_t started(void *(*run)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, argument)) abort();
    return thread;
}

static void play(const char *hosts, int round) {
    void *(*uses[USERS])(void *) = {call_one_by_one, call_one_by_one,  call_later,      call_from_loops, begin_from_loops,
                                    read_many_times, write_many_times, watch_many_times, watch_for_good};
    void *(*few_uses[USERS])(void *) = {call_one_by_one, call_now_and_then};
    zk_handle *handles[HANDLES];
    pthread_t delivering[HANDLES], using[HANDLES][USERS], stepping = 0;
    for (int i = 0; i < HANDLES; i++) {
        handles[i] = handle_new(hosts, 5000, 0);
        while (lookups_wait(handle_names(handles[i]), core_now() + PATIENCE_NS)) continue;
        delivering[i] = started(deliver, handles[i]);
        if (i == 0) {
            sasl_use(handles[i], "TEST");
            steps_retain(sasl_steps_of(handles[i]));
            stepping = started(do_steps, sasl_steps_of(handles[i]));
        }
        if (handle_open(handles[i], hosts, NULL)) abort();
        queue_open(handles[i]);
        void *(**run)(void *) = i == HANDLES - 1 ? few_uses : uses;
        for (int j = 0; j < USERS; j++) using[i][j] = run[j] ? started(run[j], handles[i]) : 0;
    }
    usleep(400000);
    if (round % 2)
        handle_close_many(handles, HANDLES, ZCLOSING, core_now() + 20 * INT64_C(1000000000));
    else
        for (int i = 0; i < HANDLES; i++) handle_close(handles[i], ZCLOSING);
    for (int i = 0; i < HANDLES; i++) {
        for (int j = 0; j < USERS; j++)
            if (using[i][j]) pthread_join(using[i][j], NULL);
        pthread_join(delivering[i], NULL);
        if (i == 0) pthread_join(stepping, NULL);
        if (!handle_closed(handles[i])) abort();
        handle_free(handles[i]);
    }
}

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, two = PTHREAD_MUTEX_INITIALIZER;
static int shared;

static void *take_both(void *first) {
    pthread_mutex_t *second = first == &one ? &two : &one;
    shared++;
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    shared++;
    return NULL;
}

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "planted") == 0) {
        pthread_t thread = started(take_both, &one);
        shared++;
        pthread_join(thread, NULL);
        pthread_join(started(take_both, &two), NULL);
        return 0;
    }
    if (count != 3) return 2;
    rests_after(1, 3600 * INT64_C(1000000000));
    for (int round = 0; round < atoi(arguments[2]); round++) play(arguments[1], round);
    printf("answered %ld, lost %ld, closed %ld, otherwise %ld, logins %ld, read by callers %ld\n", ends[0], ends[1],
           ends[2], ends[3], logins, leads);
    return ends[0] && ends[1] && ends[2] && logins && leads ? 0 : 3;
}
