#include "raw.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASSWORD = 16, TIMEOUT = 30000, CLOSE = -11 };

char *put_int(char *at, uint32_t number)
{
    number = htonl(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

uint32_t get_int(const char *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return ntohl(number);
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

void send_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t count = send(fd, bytes, size, 0);
        if (count <= 0)
            fail("the server takes nothing");
        bytes += count;
        size -= (size_t)count;
    }
}

size_t receive_some(int fd, char *bytes, size_t room)
{
    ssize_t count = recv(fd, bytes, room, 0);
    if (count <= 0)
        fail("the server hangs up");
    return (size_t)count;
}

int32_t ask(int fd, const char *frame, size_t size, int has_header)
{
    static char answer[1 << 20];
    send_all(fd, frame, size);
    for (size_t count = 0, wanted = 4; count < wanted;) {
        count += receive_some(fd, answer + count, sizeof answer - count);
        if (count >= 4)
            wanted = 4 + get_int(answer);
        if (wanted > sizeof answer)
            fail("an answer of %zu bytes", wanted);
    }
    return has_header ? (int32_t)get_int(answer + ERROR_AT) : 0;
}

int open_session(char *hosts)
{
    char frame[4 + 4 + 8 + 4 + 8 + 4 + PASSWORD + 1] = {0};
    int fd = connected_to(hosts);
    put_int(frame, sizeof frame - 4);
    put_int(frame + 16, TIMEOUT);
    put_int(frame + 28, PASSWORD);
    ask(fd, frame, sizeof frame, 0);
    return fd;
}

void close_session(int fd)
{
    char frame[BARE_FRAME];
    put_int(put_int(put_int(frame, 8), 0x7fffffff), (uint32_t)CLOSE);
    ask(fd, frame, sizeof frame, 1);
    close(fd);
}
