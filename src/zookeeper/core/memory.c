/* Memory and time: checked allocation, arenas, and the clock. */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* AddressSanitizer sees where blocks end, not where what lies in them does: one each for it. */
#ifdef __SANITIZE_ADDRESS__
#define ARENA_BLOCK_BYTES 1
#else
#define ARENA_BLOCK_BYTES 65536
#endif
#define ALIGNMENT 16

struct arena_block {
    arena_block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) char bytes[];
};

static void *checked(void *memory) {
    if (memory == NULL) {
        fputs("zookeeper: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *core_alloc(size_t size) { return checked(malloc(size ? size : 1)); }

void *core_zeroed(size_t count, size_t size) { return checked(calloc(count ? count : 1, size)); }

void *core_resize(void *memory, size_t size) { return checked(realloc(memory, size ? size : 1)); }

char *core_copy(const char *text) { return checked(strdup(text)); }

void *arena_alloc(arena *a, size_t size) {
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    arena_block *block = a->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
        block = core_alloc(sizeof *block + room);
        block->used = 0;
        block->size = room;
        block->next = a->blocks;
        a->blocks = block;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

char *arena_copy(arena *a, const char *bytes, size_t length) {
    char *copy = arena_alloc(a, length + 1);
    if (length) memcpy(copy, bytes, length);
    copy[length] = 0;
    return copy;
}

void arena_free(arena *a) {
    while (a->blocks) {
        arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}

int64_t core_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* explicit_bzero has come late to glibc. */
void core_wipe(void *memory, size_t size) {
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}
