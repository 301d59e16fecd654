/* Stands between a program and its TCP sockets (LD_PRELOAD): they take and give little, or nothing, and are
   counted. All settings are for the program to change, by ctypes. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* How many bytes are sent, and received, at most by one call; 0: all. */
_Atomic int sockets_send_at_most, sockets_receive_at_most;
/* Each call that sends is refused once before it succeeds; all of them are; all behind so many that were not. */
_Atomic int sockets_refuse_each, sockets_refuse_all, sockets_refuse_behind;
/* Calls; and the last that sent: its socket, and its thread. */
_Atomic long sockets_sends, sockets_receives, sockets_refusals;
_Atomic int sockets_last = -1, sockets_thread;

static __thread int has_refused;

static int is_tcp(int fd) {
    int type = 0, domain = 0;
    socklen_t size = sizeof type, domain_size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM) return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) < 0) return 0;
    return domain == AF_INET || domain == AF_INET6;
}

static int refuses(void) {
    int is_refused = sockets_refuse_all || (sockets_refuse_each && !has_refused) ||
                     (sockets_refuse_behind && sockets_sends >= sockets_refuse_behind);
    has_refused = is_refused;
    if (!is_refused) return 0;
    sockets_refusals++;
    errno = EAGAIN;
    return 1;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
    static ssize_t (*next)(int, const void *, size_t, int);
    if (next == NULL) next = (ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    if (!is_tcp(fd)) return next(fd, bytes, size, flags);
    sockets_last = fd;
    sockets_thread = gettid();
    if (refuses()) return -1;
    sockets_sends++;
    size_t most = (size_t)sockets_send_at_most;
    return next(fd, bytes, most && most < size ? most : size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    static ssize_t (*next)(int, const struct msghdr *, int);
    if (next == NULL) next = (ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
    if (!is_tcp(fd)) return next(fd, message, flags);
    if (refuses()) return -1;
    sockets_sends++;
    struct iovec parts[8];
    struct msghdr less = *message;
    size_t left = sockets_send_at_most ? (size_t)sockets_send_at_most : (size_t)-1;
    if (message->msg_iovlen > 8) return next(fd, message, flags);
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        parts[i] = message->msg_iov[i];
        if (parts[i].iov_len > left) parts[i].iov_len = left;
        left -= parts[i].iov_len;
    }
    less.msg_iov = parts;
    return next(fd, &less, flags);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags) {
    static ssize_t (*next)(int, void *, size_t, int);
    if (next == NULL) next = (ssize_t(*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
    if (!is_tcp(fd)) return next(fd, buffer, size, flags);
    sockets_receives++;
    size_t most = (size_t)sockets_receive_at_most;
    return next(fd, buffer, most && most < size ? most : size, flags);
}
