/* Lookups of names, on threads of ours. Any thread may call these. */
#ifndef ZOOKEEPER_LOOKUPS_H
#define ZOOKEEPER_LOOKUPS_H

#include "names.h"

#include <stdint.h>

/* Looks names up again, those for which it is time. The next moment for that, or INT64_MAX. */
int64_t lookups_refresh(server_names *list);
/* How long (nanoseconds) to wait as no address is known, or 0. Looks names up as well. */
int64_t lookups_pause(server_names *list);
/* Waits until an address is known: 0. EAI_INTR after a signal, EAI_INPROGRESS after the deadline, or
 * why no name can be looked up. */
int lookups_wait(server_names *list, int64_t deadline);
void lookups_after_fork(void);

#endif
