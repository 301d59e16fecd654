/* The order of names (pure): that of strcmp, found out with few calls of it.
 *
 * Siblings begin alike as a rule, and differ soon behind that. So eight bytes from there on are compared as
 * one number, and strcmp sees only those that are equal in them.
 */
#include "memory.h"
#include "order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BY_INSERTION 12 /* for so many at most, to prepare takes longer than to compare */
#define KEY_BYTES 8

typedef struct {
    uint64_t key;
    const char *rest; /* of the name, from the key on */
} keyed_name;

/* How many bytes all names begin with. */
static size_t common_length(const char **names, int count) {
    size_t length = strlen(names[0]);
    for (int i = 1; i < count; i++) {
        size_t same = 0;
        while (same < length && names[i][same] == names[0][same]) same++;
        length = same;
    }
    return length;
}

/* The next bytes as a number, which sorts as they do; zeros behind the end. */
static uint64_t key_of(const char *rest) {
    uint64_t key = 0;
    for (int i = 0; i < KEY_BYTES; i++) {
        key = key << 8 | (unsigned char)*rest;
        rest += *rest != 0;
    }
    return key;
}

static int is_before(const keyed_name *one, const keyed_name *other) {
    return one->key != other->key ? one->key < other->key : strcmp(one->rest, other->rest) < 0;
}

/* Merge runs of `width` names into runs of twice as many. */
static void merge_runs(const keyed_name *from, keyed_name *to, size_t count, size_t width) {
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = start + width < count ? start + width : count;
        size_t end = middle + width < count ? middle + width : count;
        const keyed_name *left = &from[start], *right = &from[middle];
        while (left < &from[middle] && right < &from[end])
            *to++ = is_before(right, left) ? *right++ : *left++;
        while (left < &from[middle]) *to++ = *left++;
        while (right < &from[end]) *to++ = *right++;
    }
}

static void sort_few(const char **names, int count) {
    for (int i = 1; i < count; i++) {
        const char *name = names[i];
        int place = i;
        for (; place > 0 && strcmp(names[place - 1], name) > 0; place--) names[place] = names[place - 1];
        names[place] = name;
    }
}

void order_names(const char **names, int count) {
    if (count <= MAX_BY_INSERTION) {
        sort_few(names, count);
        return;
    }
    size_t common = common_length(names, count), many = (size_t)count;
    keyed_name *both = core_alloc(sizeof *both * many * 2), *sorted = both, *room = both + many;
    for (size_t i = 0; i < many; i++) {
        sorted[i].rest = names[i] + common;
        sorted[i].key = key_of(sorted[i].rest);
    }
    for (size_t width = 1; width < many; width *= 2) {
        merge_runs(sorted, room, many, width);
        keyed_name *merged = room;
        room = sorted;
        sorted = merged;
    }
    for (size_t i = 0; i < many; i++) names[i] = sorted[i].rest - common;
    free(both);
}
