/* The C core of the binding: what lies between the ZooKeeper C client and Python.
 *
 * Nothing here knows Python: objects pass through as `void *`, and no function needs or takes
 * the GIL. Four ideas carry it:
 *
 *   1. The C client's two threads (I/O, completion) never touch Python. Events and results
 *      go into the handle's queue (queue.c); one Python thread per handle takes it from there.
 *      Answers for an event loop go into a completion queue of its own (completion_queue.c).
 *   2. Every request is asynchronous. A synchronous call waits for it by itself (call.c), so that
 *      deadlines, Ctrl-C and closing work.
 *   3. Every request is in its handle's list of pending ones from before it is sent until it has
 *      finished (pending.c). The C client forgets completions when it is closed; the list does not.
 *   4. Requests that the C client's API does not offer (MultiRead, transactions of any operation,
 *      SetWatches) travel on its own session all the same (raw_request.c).
 *
 * Files call one another downwards only, in this order; tests/test_core.py reads the calls:
 *
 *     close_many, handle                         sessions
 *     leader                                     answers that the callers read themselves
 *     headers, events, completions, sending      what the C client calls on its I/O thread
 *     raw_call, reconnect, set_watches, watch_one  watches, and other operations that the C client lacks
 *     write_many, write_one, transaction         writes
 *     read_many, subtree, multi_read, read_one   reads
 *     reader, bulk                               work on many nodes
 *     request, credentials, call                 one operation
 *     raw_request, standing, pending             sending, and the end of what is sent
 *     transport, attempt, sasl, steps, probe     connections
 *     rests                                      when that is so
 *     stream                                     what is sent and read, by few system calls
 *     layer, frames, pauses                      what they are made of
 *     race, asked, refusals                      their beginning; the requests under way on them; what they refuse
 *     resolve, lookups, service, write_count     what is known of servers
 *     names, candidates, sizes                   hosts and addresses; sizes of requests
 *     log, queue, completion_queue, wakeups, yields, threads, address, order, memory, posts, locks, path
 *     answers, codes, process
 *
 * This header is for Python's half and for tests. A file of the core includes what it uses. A header
 * says at each declaration which pointers may be NULL and which side frees them. All others are not
 * NULL, and stay the caller's. The order of all locks is in locks.h.
 */
#ifndef ZOOKEEPER_CORE_H
#define ZOOKEEPER_CORE_H

#include "candidates.h"
#include "close_many.h"
#include "completion_queue.h"
#include "credentials.h"
#include "handle.h"
#include "leader.h"
#include "log.h"
#include "lookups.h"
#include "path.h"
#include "process.h"
#include "read_many.h"
#include "raw_call.h"
#include "request.h"
#include "sasl.h"
#include "set_watches.h"
#include "standing.h"
#include "subtree.h"
#include "threads.h"
#include "write_count.h"
#include "write_many.h"
#include "yields.h"

#endif
