/* One get after the other on a raw socket, with prepared bytes, the answers thrown away: the floor of
   a synchronous get. The session is opened and closed, and nothing else of a client is here.

   floor_get HOST:PORT PATH CALLS

   PATH is read CALLS times, after a tenth as many calls that do not count. Printed: the median and
   the mean of a call in microseconds, and the calls a second. */

#include "client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PASSWORD = 16, TIMEOUT = 30000, GET_DATA = 4, CLOSE = -11, XID_AT = 4, ERROR_AT = 12 };

static char *put_int(char *at, uint32_t number)
{
    number = htonl(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static int connected_to(char *hosts)
{
    char *port = strrchr(hosts, ':');
    if (port == NULL)
        fail("no HOST:PORT: %s", hosts);
    *port++ = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(hosts, port, &hints, &found))
        fail("%s is not known", hosts);
    int yes = 1, fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen))
        fail("no connection to %s", hosts);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    freeaddrinfo(found);
    return fd;
}

/* Send a frame, read the one that answers it, and return its error. */
static int32_t ask(int fd, const char *frame, size_t size, int has_header)
{
    static char answer[1 << 20];
    if (send(fd, frame, size, 0) != (ssize_t)size)
        fail("the server takes nothing");
    for (size_t count = 0, wanted = 4; count < wanted;) {
        ssize_t more = recv(fd, answer + count, sizeof answer - count, 0);
        if (more <= 0)
            fail("the server hangs up");
        count += (size_t)more;
        uint32_t length;
        memcpy(&length, answer, sizeof length);
        if (count >= 4)
            wanted = 4 + ntohl(length);
        if (wanted > sizeof answer)
            fail("an answer of %zu bytes", wanted);
    }
    uint32_t error = 0;
    if (has_header)
        memcpy(&error, answer + 4 + ERROR_AT, sizeof error);
    return (int32_t)ntohl(error);
}

static void open_session(int fd)
{
    char frame[64], *at = frame;
    at = put_int(at, 4 + 8 + 4 + 8 + 4 + PASSWORD + 1);
    memset(at, 0, sizeof frame - 4);
    put_int(at + 12, TIMEOUT);
    put_int(at + 24, PASSWORD);
    ask(fd, frame, 4 + 4 + 8 + 4 + 8 + 4 + PASSWORD + 1, 0);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("usage: floor_get HOST:PORT PATH CALLS");
    long calls = count_argument(argv[3], "CALLS"), warm = calls / 10;
    size_t length = strlen(argv[2]), size = 4 + 8 + 4 + length + 1;
    char *frame = calloc(1, size), *at = frame;
    double *seconds = calloc((size_t)calls, sizeof *seconds);
    if (frame == NULL || seconds == NULL)
        fail("out of memory");
    int fd = connected_to(argv[1]);
    open_session(fd);

    at = put_int(put_int(put_int(at, (uint32_t)size - 4), 1), GET_DATA);
    memcpy(put_int(at, (uint32_t)length), argv[2], length);
    double begun = 0;
    for (long call = -warm; call < calls; call++) {
        double start = now();
        if (call == 0)
            begun = start;
        put_int(frame + XID_AT, (uint32_t)(call + warm + 1));
        if (ask(fd, frame, size, 1))
            fail("%s cannot be read", argv[2]);
        if (call >= 0)
            seconds[call] = now() - start;
    }
    double elapsed = now() - begun;

    put_int(put_int(put_int(frame, 8), (uint32_t)calls + 1), (uint32_t)CLOSE);
    ask(fd, frame, 12, 1);
    report_calls(seconds, calls, elapsed);
    free(seconds);
    free(frame);
    return 0;
}
