/* Requests that the C client's API does not offer, on its own session. */
#ifndef ZOOKEEPER_RAW_REQUEST_H
#define ZOOKEEPER_RAW_REQUEST_H

#include "client.h"
#include "pending.h"
#include "service.h"

/* Part of what describes the request, which is its owner's: it lives from raw_request_send, if that
 * gave ZOK, until `finished` is called. */
typedef struct raw_request {
    pending request;
    struct raw_request *next; /* guarded by travelling_lock */
    zk_handle *handle;
    int32_t op;
    int32_t xid;
    dispatch sent; /* its bytes, where they matter, are for the owner to say */
    int may_be_sent;
    int written;  /* both parts of our request replaced the C client's */
    int answer_code; /* ZOK once read_answer has run and understood the answer */
    /* Write the request's body, with `submit` held. Returns a jute code (< 0: failed). */
    int (*write)(struct raw_request *, struct oarchive *);
    /* Read the answer's body, on the I/O thread. Returns a jute code. */
    int (*read_answer)(struct raw_request *, struct iarchive *, int64_t zxid);
    /* Called exactly once after raw_request_send gave ZOK. */
    void (*finished)(struct raw_request *, int code);
} raw_request;

/* The owner has set `op` and the three functions. */
int raw_request_send(zk_handle *handle, raw_request *request);
/* Whether a request that ends with the code was lost, and there was no connection in all its time. */
int raw_request_never_sent(const raw_request *request, int code);
/* The bytes of an answer's body, for read_answer that reads them itself; NULL: they are not known. */
const char *raw_request_body(const struct iarchive *in, size_t *size);
/* The zxid of the answer that is being handled; in completions only. */
int64_t raw_request_answer_zxid(void);
/* The C client writes a header: whether it is of a request of ours, whose number it then has. */
int raw_request_replaces(struct RequestHeader *header);
/* Have reads that this thread sends ask for no watch, though the C client keeps one. */
void raw_request_without_watch(int yes);
/* The C client has read a header. */
void raw_request_note_answer(const struct ReplyHeader *header);
void raw_request_after_fork(void);

#endif
