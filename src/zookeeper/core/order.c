/* The order of names (pure): that of strcmp, found out with few calls of it.
 *
 * Siblings begin alike as a rule, and differ soon behind that. So eight bytes from there on are one number,
 * by which many names are put in order a byte at a time, and strcmp sees only those that are equal in it.
 */
#include "memory.h"
#include "order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BY_INSERTION 12 /* for so many at most, to prepare takes longer than to compare */
#define MAX_BY_MERGING 200  /* for so many, to count bytes takes longer than to merge */
#define KEY_BYTES 8
#define BYTE_VALUES 256

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

/* Sort by merging, with the help of as much room; return which of the two has the result. */
static keyed_name *merge_sort(keyed_name *names, keyed_name *room, size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        merge_runs(names, room, count, width);
        keyed_name *merged = room;
        room = names;
        names = merged;
    }
    return names;
}

/* Sort by one byte of the key (0: its last one), of which `counts` has how often each value is there. */
static void sort_by_byte(const keyed_name *from, keyed_name *to, size_t count, int byte, const uint32_t *counts) {
    size_t places[BYTE_VALUES], place = 0;
    for (int value = 0; value < BYTE_VALUES; value++) {
        places[value] = place;
        place += counts[value];
    }
    for (size_t i = 0; i < count; i++) to[places[from[i].key >> 8 * byte & 255]++] = from[i];
}

/* Sort by the key alone, as merge_sort does by all. */
static keyed_name *sort_by_key(keyed_name *names, keyed_name *room, size_t count) {
    uint32_t counts[KEY_BYTES][BYTE_VALUES] = {{0}};
    for (size_t i = 0; i < count; i++)
        for (int byte = 0; byte < KEY_BYTES; byte++) counts[byte][names[i].key >> 8 * byte & 255]++;
    for (int byte = 0; byte < KEY_BYTES; byte++) {
        if (counts[byte][names[0].key >> 8 * byte & 255] == count) continue; /* it is the same in all */
        sort_by_byte(names, room, count, byte, counts[byte]);
        keyed_name *sorted = room;
        room = names;
        names = sorted;
    }
    return names;
}

/* Sort neighbours with equal keys, where they stay. */
static void sort_equals(keyed_name *names, keyed_name *room, size_t count) {
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && names[end].key == names[start].key;) end++;
        keyed_name *sorted = merge_sort(&names[start], &room[start], end - start);
        if (sorted != &names[start]) memcpy(&names[start], sorted, sizeof *names * (end - start));
    }
}

void order_names(const char **names, int count) {
    if (count <= MAX_BY_INSERTION) {
        sort_few(names, count);
        return;
    }
    size_t common = common_length(names, count), many = (size_t)count;
    keyed_name *both = core_alloc(sizeof *both * many * 2), *sorted = both;
    for (size_t i = 0; i < many; i++) {
        sorted[i].rest = names[i] + common;
        sorted[i].key = key_of(sorted[i].rest);
    }
    if (count <= MAX_BY_MERGING) {
        sorted = merge_sort(sorted, both + many, many);
    } else {
        sorted = sort_by_key(sorted, both + many, many);
        sort_equals(sorted, sorted == both ? both + many : both, many);
    }
    for (size_t i = 0; i < many; i++) names[i] = sorted[i].rest - common;
    free(both);
}
