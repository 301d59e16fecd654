/* Files that are opened by a name, without ever waiting for one: to open a FIFO waits for its other end,
 * and to read from it for what that writes. */
#include "regular.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *__wrap_fopen(const char *file, const char *mode);
FILE *__wrap_fopen64(const char *file, const char *mode);
FILE *__real_fopen(const char *file, const char *mode);

static FILE *opened(const char *file, int takes_devices, const char **why) {
    struct stat status;
    /* A program that is started meanwhile must not inherit the descriptor, that of a key least. */
    int number = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *stream = NULL;
    if (number < 0 || fstat(number, &status) != 0) {
        *why = strerror(errno);
    } else if (!S_ISREG(status.st_mode) && !(takes_devices && S_ISCHR(status.st_mode))) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        *why = errno == EISDIR ? strerror(EISDIR) : "it is no regular file";
    } else if ((stream = fdopen(number, "r")) == NULL) {
        *why = strerror(errno);
    }
    if (stream == NULL && number >= 0) {
        int kept = errno;
        close(number);
        errno = kept;
    }
    return stream;
}

FILE *tls_open_regular(const char *file, const char **why) { return opened(file, 0, why); }

/* OpenSSL opens files of a folder of authorities by one of these, on the thread of a handle, whenever a
 * server shows a certificate. Its own settings may be /dev/null. */
FILE *__wrap_fopen(const char *file, const char *mode) {
    const char *why = NULL;
    if (mode[0] != 'r' || strchr(mode, '+')) return __real_fopen(file, mode);
    return opened(file, 1, &why);
}

FILE *__wrap_fopen64(const char *file, const char *mode) { return __wrap_fopen(file, mode); }
