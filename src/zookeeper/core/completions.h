/* Which thread calls the C client's completions, and what else its I/O thread does in each round. */
#ifndef ZOOKEEPER_COMPLETIONS_H
#define ZOOKEEPER_COMPLETIONS_H

#include "client.h"

/* The handle whose answers this thread, its I/O thread or a leader, is just reading, or NULL. */
zk_handle *completions_whose(void);
/* The handle whose completions and watchers this thread is just calling, or NULL. */
zk_handle *completions_calling(void);
/* Hand one answer to the C client, and call its completion, with `sending` held. As zookeeper_process. */
int completions_read(zk_handle *handle);
/* The C client's completion thread is needed again: before closing. */
void completions_apart(zk_handle *handle);
/* zookeeper_close, with all that is queued called; `zh` is gone afterwards. */
int completions_close(zhandle_t *zh);

#endif
