/* Memory and time: checked allocation, arenas, and the clock. */
#ifndef ZOOKEEPER_MEMORY_H
#define ZOOKEEPER_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Like malloc, calloc, realloc, and never NULL: without memory they end the process, as nothing
 * useful can be done on the C client's threads then. To be freed by `free`. */
void *core_alloc(size_t size);
void *core_zeroed(size_t count, size_t size);
void *core_resize(void *memory, size_t size); /* `memory` may be NULL */
char *core_copy(const char *text);            /* as strdup */

/* Many small allocations that are freed together. All zero is an empty one. */
typedef struct arena_block arena_block;
typedef struct {
    arena_block *blocks;
} arena;

void *arena_alloc(arena *a, size_t size);                     /* freed with the arena */
char *arena_copy(arena *a, const char *bytes, size_t length); /* the same; adds a final NUL */
void arena_free(arena *a);                                    /* leaves an empty one */

/* Nanoseconds of the monotonic clock. */
int64_t core_now(void);
#define MILLISECOND ((int64_t)1000000)

static inline int64_t core_clamp(int64_t min, int64_t value, int64_t max) {
    return value > max ? max : value < min ? min : value;
}

/* Overwrite a secret, though nothing reads the memory any more. */
void core_wipe(void *memory, size_t size);

#endif
