/* The rules for paths, and the chroot in front of them.
 *
 * The rules are the server's (org.apache.zookeeper.common.PathUtils). It is asked all the same, but
 * bulk reads would only hear that there is no such node, and the C client gives no reason.
 */
#include "memory.h"
#include "path.h"

#include <stdlib.h>
#include <string.h>

/* The character at `text`, and how many bytes it takes, in UTF-8 that is known to be valid but for
 * single bytes that were invalid where they came from. */
static uint32_t character_at(const unsigned char *text, int *bytes) {
    if (text[0] >= 0xf0 && text[1] && text[2] && text[3]) {
        *bytes = 4;
        return (text[0] & 7u) << 18 | (text[1] & 63u) << 12 | (text[2] & 63u) << 6 | (text[3] & 63u);
    }
    if (text[0] >= 0xe0 && text[1] && text[2]) {
        *bytes = 3;
        return (text[0] & 15u) << 12 | (text[1] & 63u) << 6 | (text[2] & 63u);
    }
    if (text[0] >= 0xc0 && text[1]) {
        *bytes = 2;
        return (text[0] & 31u) << 6 | (text[1] & 63u);
    }
    *bytes = 1;
    return text[0];
}

static int is_forbidden(uint32_t c) {
    return c <= 0x1f || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0;
}

/* Most paths are: one look for all characters is much quicker than one for each. */
static int is_printable_ascii(const char *path, size_t length) {
    unsigned char other = 0;
    for (size_t i = 0; i < length; i++) other |= (unsigned char)(path[i] - ' ') > '~' - ' ';
    return !other;
}

static uint32_t first_forbidden(const char *path, size_t length) {
    if (is_printable_ascii(path, length)) return 0;
    int bytes;
    for (size_t i = 0; i < length; i += (size_t)bytes) {
        uint32_t c = character_at((const unsigned char *)path + i, &bytes);
        if (is_forbidden(c)) return c;
    }
    return 0;
}

static const char *name_fault(const char *name, size_t size, int is_last, int sequential) {
    /* A sequential node's name goes on with its number, which may be all of it. */
    if (is_last && sequential) return NULL;
    if (size == 0) return is_last ? "a path must not end with '/'" : "a path must not hold '//'";
    if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))) return "a path must not hold '.' or '..'";
    return NULL;
}

const char *path_fault(const char *path, size_t length, int sequential, uint32_t *character) {
    *character = 0;
    if (length == 0) return "a path must not be empty";
    if (path[0] != '/') return "a path must start with '/'";
    if (memchr(path, 0, length)) return "a path must not hold a null character";
    if ((*character = first_forbidden(path, length))) return "a path must not hold the character";
    if (length == 1) return NULL;
    const char *name = path + 1;
    for (;;) {
        const char *slash = strchr(name, '/');
        size_t size = slash ? (size_t)(slash - name) : strlen(name);
        const char *fault = name_fault(name, size, slash == NULL, sequential);
        if (fault || slash == NULL) return fault;
        name = slash + 1;
    }
}

char *path_with_chroot(const char *chroot, const char *path) {
    size_t prefix = strlen(chroot);
    size_t length = prefix && path[1] == 0 ? 0 : strlen(path);
    char *full = core_alloc(prefix + length + 1);
    memcpy(full, chroot, prefix);
    memcpy(full + prefix, path, length);
    full[prefix + length] = 0;
    return full;
}

int path_write(const char *chroot, struct oarchive *out, const char *path) {
    if (chroot[0] == 0) return out->serialize_String(out, "path", (char **)&path);
    char *full = path_with_chroot(chroot, path);
    int result = out->serialize_String(out, "path", &full);
    free(full);
    return result;
}

const char *path_without_chroot(const char *chroot, const char *path) {
    size_t prefix = strlen(chroot);
    if (prefix == 0 || strncmp(path, chroot, prefix) != 0) return path;
    return path[prefix] ? path + prefix : "/";
}
