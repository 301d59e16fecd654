/* Credentials (add_auth) of a handle. */
#ifndef ZOOKEEPER_CREDENTIALS_H
#define ZOOKEEPER_CREDENTIALS_H

#include "call.h"

/* Have a credential, which is copied, sent, now or with the next connection, and the call told of the
 * answer to it. With `submit` held. */
int credential_add(call *c, const char *scheme, const char *secret, int length);
/* On the I/O thread: an answer to a credential has come. */
void credentials_note_answer(int code);
/* After each round of the I/O thread, which had that result. */
void credentials_attend(zk_handle *handle, zhandle_t *zh, int code);
void credentials_clear(zk_handle *handle);

#endif
