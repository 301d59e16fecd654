/* A relay between clients and one server that counts, and cuts connections when it is told to.
 *
 *   relay PORT            prints its own port, then obeys the words on standard input:
 *   count                 prints connections made so far, requests, bytes to the server, bytes to clients,
 *                         and the most connections within 10 ms since the last word
 *   cut                   breaks all connections
 *   refuse, allow         breaks all connections and is no server any more; is one again
 *
 * Thousands of connections in one thread: what it costs is little beside what is measured. Requests are
 * counted by their frames, pings and the first ones of connections included.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <netinet/tcp.h>

#define BUFFER (256 * 1024)
#define EVENTS 256

/* One direction of a connection: what has been read of `from` and not yet been written. */
typedef struct side {
    int fd;
    struct side *other;
    struct link *link;
    char *waiting;
    size_t start, end;
    int is_client;
    /* Of the frames that a client sends: how much is left of this one, and of its length. */
    uint32_t left, length_bytes, length;
} side;

typedef struct link {
    side client, server;
    struct link *next, **back;
    int dead;
} link_t;

/* As a server has it, unless clientPortListenBacklog says otherwise. */
#define BACKLOG 50

static int poller, listener = -1;
static struct sockaddr_in own;
static uint64_t connections, requests, up, down;
static uint64_t moment, in_moment, peak;
static link_t *links, *graveyard;
static char scratch[BUFFER];

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static void bury(link_t *l) {
    if (l->dead) return;
    l->dead = 1;
    struct linger at_once = {1, 0};
    setsockopt(l->client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    setsockopt(l->server.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(l->client.fd);
    close(l->server.fd);
    *l->back = l->next;
    if (l->next) l->next->back = l->back;
    l->next = graveyard; /* events for it may be in hand */
    graveyard = l;
}

static void watch(side *s, int op) {
    struct epoll_event event = {.events = 0, .data.ptr = s};
    if (s->other->end == s->other->start) event.events |= EPOLLIN; /* nothing of it waits */
    if (s->end > s->start) event.events |= EPOLLOUT;
    epoll_ctl(poller, op, s->fd, &event);
}

static void count_frames(side *s, const char *bytes, size_t count) {
    while (count) {
        if (s->left == 0) {
            s->length = s->length << 8 | (unsigned char)*bytes++;
            count--;
            if (++s->length_bytes == 4) {
                s->left = s->length;
                s->length = s->length_bytes = 0;
                requests++;
            }
        } else {
            uint32_t part = s->left < count ? s->left : (uint32_t)count;
            s->left -= part;
            bytes += part;
            count -= part;
        }
    }
}

/* `s` can be written to: what waits for it goes out. */
static int flush(side *s) {
    while (s->start < s->end) {
        ssize_t sent = send(s->fd, s->waiting + s->start, s->end - s->start, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        s->start += (size_t)sent;
    }
    free(s->waiting);
    s->waiting = NULL;
    s->start = s->end = 0;
    return 0;
}

/* `s` can be read from: it goes to the other side, or waits for it. */
static int pass_on(side *s) {
    side *to = s->other;
    if (to->end > to->start) return 0;
    ssize_t count = recv(s->fd, scratch, sizeof scratch, 0);
    if (count < 0) return errno == EAGAIN ? 0 : -1;
    if (count == 0) return -1;
    if (s->is_client) {
        up += (uint64_t)count;
        count_frames(s, scratch, (size_t)count);
    } else {
        down += (uint64_t)count;
    }
    ssize_t sent = send(to->fd, scratch, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) return -1;
    if (sent < 0) sent = 0;
    if (sent < count) {
        to->end = (size_t)(count - sent);
        to->waiting = malloc(to->end);
        if (to->waiting == NULL) give_up("memory");
        memcpy(to->waiting, scratch + sent, to->end);
    }
    return 0;
}

static int plain_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) give_up("socket");
    return fd;
}

/* Connections by hundredths of a second. */
static void count_connection(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t hundredth = (uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000;
    if (hundredth != moment) in_moment = 0;
    moment = hundredth;
    if (++in_moment > peak) peak = in_moment;
    connections++;
}

static void open_port(void) {
    int one = 1;
    if (listener >= 0) return;
    listener = plain_socket();
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, BACKLOG) < 0) give_up("listen");
    struct epoll_event accepted = {.events = EPOLLIN, .data.ptr = &listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &accepted);
}

static void close_port(void) {
    if (listener >= 0) close(listener);
    listener = -1;
    while (links) bury(links);
}

static void welcome(const struct sockaddr_in *target) {
    if (listener < 0) return; /* closed while this was in hand */
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    count_connection();
    int server = plain_socket();
    int one = 1;
    if (connect(server, (const struct sockaddr *)target, sizeof *target) < 0 && errno != EINPROGRESS) {
        close(server);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    link_t *l = calloc(1, sizeof *l);
    if (l == NULL) give_up("memory");
    l->client = (side){.fd = fd, .other = &l->server, .link = l, .is_client = 1};
    l->server = (side){.fd = server, .other = &l->client, .link = l};
    l->next = links;
    l->back = &links;
    if (links) links->back = &l->next;
    links = l;
    watch(&l->client, EPOLL_CTL_ADD);
    watch(&l->server, EPOLL_CTL_ADD);
}

static void obey(void) {
    static char line[256];
    if (fgets(line, sizeof line, stdin) == NULL) exit(0);
    if (strcmp(line, "cut\n") == 0)
        while (links) bury(links);
    else if (strcmp(line, "refuse\n") == 0)
        close_port();
    else if (strcmp(line, "allow\n") == 0)
        open_port();
    printf("%llu %llu %llu %llu %llu\n", (unsigned long long)connections, (unsigned long long)requests,
           (unsigned long long)up, (unsigned long long)down, (unsigned long long)peak);
    peak = 0;
    fflush(stdout);
}

static void attend(side *s, uint32_t events) {
    if (s->link->dead) return;
    int code = 0;
    if (events & EPOLLOUT) code = flush(s);
    if (code == 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) code = pass_on(s);
    if (code < 0 || (events & EPOLLERR)) {
        bury(s->link);
        return;
    }
    watch(s, EPOLL_CTL_MOD);
    watch(s->other, EPOLL_CTL_MOD);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "relay PORT\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(EPOLL_CLOEXEC);
    own = (struct sockaddr_in){.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    open_port();
    getsockname(listener, (struct sockaddr *)&own, &size);
    setvbuf(stdin, NULL, _IONBF, 0); /* what has been read ahead is not polled for */
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    struct epoll_event hear = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &hear);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                obey();
            else if (events[i].data.ptr == &listener)
                welcome(&target);
            else
                attend(events[i].data.ptr, events[i].events);
        }
        while (graveyard) {
            link_t *next = graveyard->next;
            free(graveyard->client.waiting);
            free(graveyard->server.waiting);
            free(graveyard);
            graveyard = next;
        }
    }
}
