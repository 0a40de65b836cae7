/* The limit: a server that does nothing but send. One thread, epoll, one send() for each reader and push.
 *
 *   limit BYTES      prints its port, then serves until it is killed
 *
 * Whoever upgrades is a reader. Who sends a text that begins with "go" has a text of BYTES sent to all, which ends
 * with the time as `load` reads it ("ts", microseconds of the clock that does not go back), and is answered "ok". Requests are not checked: this is what the kernel allows, not a server.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READERS_MAX 65536
#define STAMP_BYTES 21

static int readers[READERS_MAX], reader_count;
static char upgraded[READERS_MAX * 2];

static void put(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) return;
            continue;
        }
        data += sent;
        size -= sent;
    }
}

int main(int count, char **words) {
    size_t size = count > 1 ? atoll(words[1]) : 200;
    char *frame = malloc(size + 10);
    size_t at = 0;
    frame[at++] = 0x81;
    if (size < 126) frame[at++] = size;
    else { frame[at++] = 126; frame[at++] = size >> 8; frame[at++] = size; }
    memset(frame + at, 'x', size);
    size_t frame_size = at + size;

    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in here = {.sin_family = AF_INET};
    inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
    socklen_t here_size = sizeof here;
    if (bind(listening, (struct sockaddr *)&here, sizeof here) || listen(listening, 4096)) return 1;
    getsockname(listening, (struct sockaddr *)&here, &here_size);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);

    int poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening}, events[256];
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listening, &event);
    static const char accepted[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static char buffer[65536];
    for (;;) {
        int ready = epoll_wait(poll_fd, events, 256, -1);
        for (int k = 0; k < ready; k++) {
            int fd = events[k].data.fd;
            if (fd == listening) {
                int one = 1, made;
                while ((made = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    struct epoll_event in = {.events = EPOLLIN, .data.fd = made};
                    epoll_ctl(poll_fd, EPOLL_CTL_ADD, made, &in);
                }
                continue;
            }
            ssize_t got = recv(fd, buffer, sizeof buffer, 0);
            if (got <= 0) {
                if (got == 0 || errno != EAGAIN) {
                    for (int i = 0; i < reader_count; i++)
                        if (readers[i] == fd) readers[i--] = readers[--reader_count];
                    upgraded[fd] = 0;
                    close(fd);
                }
                continue;
            }
            if (!upgraded[fd]) {
                upgraded[fd] = 1;
                readers[reader_count++] = fd;
                put(fd, accepted, sizeof accepted - 1);
                continue;
            }
            for (ssize_t here_at = 0; here_at + 8 <= got; here_at += 6 + (buffer[here_at + 1] & 127)) {
                if (memcmp(buffer + here_at + 6, "go", 2)) continue;
                struct timespec now;
                clock_gettime(CLOCK_MONOTONIC, &now);
                char stamp[STAMP_BYTES + 1];
                long long us = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
                snprintf(stamp, sizeof stamp, "\"ts\":%016lld", us);
                memcpy(frame + frame_size - STAMP_BYTES, stamp, STAMP_BYTES);
                for (int i = 0; i < reader_count; i++) put(readers[i], frame, frame_size);
                put(fd, "\x81\x02ok", 4);
            }
        }
    }
}
