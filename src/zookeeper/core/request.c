/* The operations of the C client's API, each an asynchronous request.
 *
 * A call has up to two owners: whoever made it, and the request on its way. A synchronous caller
 * waits for `finished`; an asynchronous one gets the call itself back through the queue. A caller
 * who gives up waiting (a deadline, Ctrl-C) just lets go of its reference.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static call *call_of(pending *p) { return (call *)((char *)p - offsetof(call, request)); }

call *call_new(zk_handle *handle, int waiting, void *context, int watched) {
    call *c = core_zeroed(1, sizeof *c);
    c->item.kind = ITEM_CALL;
    c->handle = handle;
    c->references = 1;
    c->waiting = waiting;
    c->context = context;
    c->watched = watched;
    c->length = -1;
    sem_init(&c->finished, 0, 0);
    return c;
}

void call_release(call *c) {
    if (--c->references) return;
    sem_destroy(&c->finished);
    free(c->value);
    deallocate_String_vector(&c->names);
    deallocate_ACL_vector(&c->acl);
    free(c);
}

int call_wait(call *c, int64_t deadline) { return core_wait(&c->finished, deadline); }

/* The request is over. A call with a context goes through the queue even if somebody waits for it:
 * the Python thread starts the watch, in order with the events, before the waiter can go on to
 * cause one, and it is the one to drop the reference to the context. */
void call_ended(call *c, int code) {
    c->code = request_code(c->handle, code);
    if (c->context) {
        if (c->waiting) {
            c->references++;
            queue_push(c->handle, &c->item);
            sem_post(&c->finished);
            call_release(c);
        } else {
            queue_push(c->handle, &c->item);
        }
    } else {
        sem_post(&c->finished);
        call_release(c);
    }
}

static void finish_call(pending *p, int code) { call_ended(call_of(p), code); }

static void copy_stat(call *c, const struct Stat *stat) {
    if (stat == NULL) return;
    c->stat = *stat;
    c->has_stat = 1;
}

static void copy_value(call *c, const char *value, size_t length) {
    c->value = core_alloc(length + 1);
    memcpy(c->value, value, length);
    c->value[length] = 0;
    c->length = (int)length;
}

/* The C client's completions: on its I/O thread (completions.c), once for each request. */

static call *call_answered(const void *data) {
    call *c = (call *)data;
    request_done(c->handle, &c->request);
    return c;
}

static void call_void_done(int code, const void *data) { call_ended(call_answered(data), code); }

static void call_stat_done(int code, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK) copy_stat(c, stat);
    call_ended(c, code);
}

static void call_data_done(int code, const char *value, int length, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK) {
        if (value && length >= 0) copy_value(c, value, (size_t)length);
        copy_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_path_stat_done(int code, const char *path, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK) {
        if (path) copy_value(c, path, strlen(path));
        copy_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_path_done(int code, const char *path, const void *data) {
    call_path_stat_done(code, path, NULL, data);
}

static void call_names_done(int code, const struct String_vector *names, const struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK && names) {
        allocate_String_vector(&c->names, names->count);
        for (int i = 0; i < names->count; i++)
            if (!(c->names.data[i] = strdup(names->data[i]))) abort();
        copy_stat(c, stat);
    }
    call_ended(c, code);
}

static void call_acl_done(int code, struct ACL_vector *acl, struct Stat *stat, const void *data) {
    call *c = call_answered(data);
    if (code == ZOK && acl) {
        allocate_ACL_vector(&c->acl, acl->count);
        for (int i = 0; i < acl->count; i++) {
            const struct ACL *entry = &acl->data[i];
            c->acl.data[i].perms = entry->perms;
            c->acl.data[i].id.scheme = strdup(entry->id.scheme ? entry->id.scheme : "");
            c->acl.data[i].id.id = strdup(entry->id.id ? entry->id.id : "");
            if (!c->acl.data[i].id.scheme || !c->acl.data[i].id.id) abort();
        }
        copy_stat(c, stat);
    }
    call_ended(c, code);
}

static int begin(call *c) {
    int code = request_begin(c->handle, &c->request, finish_call);
    if (code == ZOK) c->references++;
    return code;
}

static int sent(call *c, int code) {
    code = request_sent(c->handle, &c->request, code);
    if (code != ZOK) call_release(c);
    return code;
}

static watcher_fn watcher_of(const call *c) { return c->watched ? handle_event : NULL; }

int call_create(call *c, const char *path, const char *data, int length, const struct ACL_vector *acl,
                int flags, int64_t ttl, int with_stat) {
    int code = begin(c);
    if (code != ZOK) return code;
    zhandle_t *zh = c->handle->zh;
    if (with_stat)
        code = zoo_acreate2_ttl(zh, path, data, length, acl, flags, ttl, call_path_stat_done, c);
    else
        code = zoo_acreate_ttl(zh, path, data, length, acl, flags, ttl, call_path_done, c);
    return sent(c, code);
}

int call_delete(call *c, const char *path, int version) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_adelete(c->handle->zh, path, version, call_void_done, c));
}

int call_exists(call *c, const char *path) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_awexists(c->handle->zh, path, watcher_of(c), NULL, call_stat_done, c));
}

int call_get(call *c, const char *path) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_awget(c->handle->zh, path, watcher_of(c), NULL, call_data_done, c));
}

int call_set(call *c, const char *path, const char *data, int length, int version) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_aset(c->handle->zh, path, data, length, version, call_stat_done, c));
}

int call_get_children(call *c, const char *path) {
    int code = begin(c);
    return code != ZOK
               ? code
               : sent(c, zoo_awget_children2(c->handle->zh, path, watcher_of(c), NULL, call_names_done, c));
}

int call_get_acl(call *c, const char *path) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_aget_acl(c->handle->zh, path, call_acl_done, c));
}

int call_set_acl(call *c, const char *path, int version, const struct ACL_vector *acl) {
    int code = begin(c);
    /* The C client's prototype is not const here; it only reads. */
    return code != ZOK
               ? code
               : sent(c, zoo_aset_acl(c->handle->zh, path, version, (struct ACL_vector *)acl, call_void_done, c));
}

int call_sync(call *c, const char *path) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_async(c->handle->zh, path, call_path_done, c));
}

int call_add_auth(call *c, const char *scheme, const char *credential, int length) {
    int code = begin(c);
    return code != ZOK ? code : sent(c, credential_add(c, scheme, credential, length));
}

static void removal_done(int code, const void *data) {
    call *c = call_answered(data);
    service_trust(c->handle);
    if (code == ZOK || code == ZNOWATCHER)
        service_answered(c->handle, KNOWS_REMOVE_WATCHES);
    else
        service_lost(c->handle, KNOWS_REMOVE_WATCHES, c->sent, request_code(c->handle, code));
    call_ended(c, code);
}

int call_remove_watches(call *c, const char *path, int kind) {
    if (service_refuses(c->handle, KNOWS_REMOVE_WATCHES)) return ZUNIMPLEMENTED;
    int code = begin(c);
    if (code != ZOK) return code;
    c->sent.connection = c->handle->connections;
    c->sent.was_connected = zoo_state(c->handle->zh) == ZOO_CONNECTED_STATE;
    service_doubt(c->handle);
    /* Not zoo_aremove_watches: with a watcher it only asks the server whether there is a watch. And
     * never its local form: it takes our call for a structure of its own and writes to it. */
    return sent(c, zoo_aremove_all_watches(c->handle->zh, path, (ZooWatcherType)kind, 0,
                                           (void_completion_t *)removal_done, c));
}

int call_get_config(call *c, const char *unused) {
    (void)unused;
    int code = begin(c);
    return code != ZOK ? code : sent(c, zoo_awgetconfig(c->handle->zh, watcher_of(c), NULL, call_data_done, c));
}
