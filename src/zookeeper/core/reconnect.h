/* The C client's own SetWatches after a reconnect: all of it on its I/O thread. */
#ifndef ZOOKEEPER_RECONNECT_H
#define ZOOKEEPER_RECONNECT_H

#include "client.h"

/* On each connect, in this order: send the watches that stay; send what the C client left over. */
void reconnect_send_standing(zk_handle *handle);
void reconnect_send_rest(zk_handle *handle);
/* The connection is lost; an answer came. */
void reconnect_note_lost(zk_handle *handle);
void reconnect_note_answer(zk_handle *handle, const struct ReplyHeader *header);
/* End the connection if the server refuses it, or do by other means what it has turned out not to do. */
void reconnect_attend(zk_handle *handle);
/* Whether the C client is about to send one to a service that does not know it. */
int reconnect_leave_out(void);
/* When the handle is closed: frees what is left over. */
void reconnect_clear(zk_handle *handle);

#endif
