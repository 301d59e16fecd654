/* The count of requests that may change nodes, or that have a server catch up with others.
 *
 * They are counted when they are sent, as an answer may be lost, and when they are answered, before
 * any caller hears of that.
 */
#include "client.h"
#include "write_count.h"

static int64_t writes;

void write_count_note(int32_t op) {
    switch (op) {
    case OP_EXISTS:
    case OP_GET_DATA:
    case OP_GET_ACL:
    case OP_GET_CHILDREN:
    case OP_GET_CHILDREN2:
    case OP_CHECK:
    case OP_MULTI_READ:
    case OP_REMOVE_WATCHES:
    case OP_SET_WATCHES:
    case OP_GET_EPHEMERALS:
    case OP_GET_ALL_CHILDREN_NUMBER:
    case OP_SET_WATCHES2:
    case OP_ADD_WATCH:
    case OP_WHO_AM_I: return;
    }
    __atomic_fetch_add(&writes, 1, __ATOMIC_SEQ_CST);
}

int64_t write_count_now(void) { return __atomic_load_n(&writes, __ATOMIC_SEQ_CST); }
