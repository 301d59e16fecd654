/* What a path must look like; the server has the last word on which characters it may hold. */
#include "core.h"

#include <string.h>

const char *path_fault(const char *path, size_t length, int sequential) {
    if (length == 0) return "a path must not be empty";
    if (path[0] != '/') return "a path must start with '/'";
    if (memchr(path, 0, length)) return "a path must not hold a null character";
    if (length == 1) return NULL;
    for (const char *name = path + 1;;) {
        const char *slash = strchr(name, '/');
        size_t size = slash ? (size_t)(slash - name) : strlen(name);
        if (size == 0)
            /* The number of a sequential node may be its whole name. */
            return slash ? "a path must not hold '//'" : sequential ? NULL : "a path must not end with '/'";
        if ((size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.'))
            if (slash || !sequential) return "a path must not hold '.' or '..'";
        if (slash == NULL) return NULL;
        name = slash + 1;
    }
}
