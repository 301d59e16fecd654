/* Watches that stay (AddWatch, op 106): which the server has, or is to have again. */
#ifndef ZOOKEEPER_STANDING_H
#define ZOOKEEPER_STANDING_H

#include "client.h"

/* Numbers of the protocol. */
enum { STANDING_PERSISTENT = 0, STANDING_RECURSIVE = 1 };

/* A path is one of ours here, a server path one with the chroot. */

/* A connection begins or ends: from here on, no server has any of them. */
void standing_disconnected(zk_handle *handle);
/* AddWatch is being written: the one with the latest mode is there. With `submit` held. */
void standing_put(zk_handle *handle, const char *path, int32_t mode);
/* RemoveWatches for all that a path has is being written. With `submit` held. */
void standing_withdraw(zk_handle *handle, const char *path);
/* SetWatches2 is being written: whether it is to set this one, which is there then. With `submit` held. */
int standing_renew(zk_handle *handle, const char *server_path, int32_t mode);
/* These requests have ended; on the thread that calls completions. */
void standing_put_ended(zk_handle *handle, const char *server_path, int code);
void standing_withdrawal_ended(zk_handle *handle, const char *server_path, int code);
/* A path is to have this mode by now, or -1 for none. Whether the server may have one to remove. */
int standing_keep(zk_handle *handle, const char *path, int mode);

/* The request of a one-time watch is about to be sent: a number if it must not ask for that watch, as
 * the answer is to be compared with (standing_still_covers); 0: it must. With `submit` held. */
long standing_cover(zk_handle *handle, int32_t op, const char *path);
int standing_still_covers(const zk_handle *handle, long number);
/* The same question for a server path and a kind: of the node, or of its children. With `submit` held. */
int standing_covers(const zk_handle *handle, const char *server_path, int children);
/* Whether its children need a watch of their own, set after this one. With `submit` held. */
int standing_is_recursive(const zk_handle *handle, const char *server_path);

/* Call `each` for those that a new connection's server has to be given. With `submit` held. */
void standing_each(const zk_handle *handle, void (*each)(const char *server_path, int32_t mode, void *context),
                   void *context);
/* No server will have them: forget all, and tell their watchers so. On the thread that calls
 * completions. */
void standing_give_up(zk_handle *handle);
/* End the connection, so that the next one sets everything. On the same thread. */
void standing_begin_anew(zk_handle *handle);
void standing_clear(zk_handle *handle);

#endif
