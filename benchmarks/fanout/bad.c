/* Readers who behave badly: they subscribe, and then hardly read, or not at all.
 *
 *   bad HOST PORT COUNT BYTES_A_SECOND PONG_EVERY_S PATH READER_FILE
 *
 * Each connects with the smallest receive buffer there is, upgrades at PATH, and sends the lines of READER_FILE
 * as texts. Once all have, a line says so; then each reads BYTES_A_SECOND (0: nothing) and sends a pong that
 * nobody asked for every PONG_EVERY_S seconds (0: never), so as not to be taken for dead. Until it is killed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES_MAX 64
#define TEXT_MAX 65536

static void put(int fd, const void *data, size_t size) {
    if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) { perror("send"); exit(1); }
}

static void put_text(int fd, const char *text) {
    size_t size = strlen(text), at = 0;
    unsigned char frame[TEXT_MAX + 8];
    if (size > TEXT_MAX - 1) { fprintf(stderr, "too long\n"); exit(1); }
    frame[at++] = 0x81;
    if (size < 126) frame[at++] = 0x80 | size;
    else { frame[at++] = 0x80 | 126; frame[at++] = size >> 8; frame[at++] = size; }
    memset(frame + at, 0, 4);  /* a mask of zeros: the text as it is */
    at += 4;
    memcpy(frame + at, text, size);
    put(fd, frame, at + size);
}

static int dial(const char *host, int port, const char *path) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, least = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) { perror("connect"); exit(1); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char head[1024], got[1024];
    int size = snprintf(head, sizeof head,
        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path, host, port);
    put(fd, head, size);
    int have = 0;
    while (have < 4 || memcmp(got + have - 4, "\r\n\r\n", 4)) {
        if (have == sizeof got || recv(fd, got + have, 1, 0) != 1) { fprintf(stderr, "no upgrade\n"); exit(1); }
        have++;
    }
    if (strncmp(got, "HTTP/1.1 101", 12)) { fprintf(stderr, "%.*s", have, got); exit(1); }
    return fd;
}

int main(int count, char **words) {
    if (count != 8) { fprintf(stderr, "see the source\n"); return 2; }
    int port = atoi(words[2]), readers = atoi(words[3]), bytes = atoi(words[4]), pong_every_s = atoi(words[5]);
    static char text[TEXT_MAX], dropped[TEXT_MAX];
    FILE *file = fopen(words[7], "r");
    if (!file || bytes > TEXT_MAX) { perror(words[7]); return 1; }
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *lines[LINES_MAX];
    int line_count = 0;
    for (char *line = strtok(text, "\n"); line && line_count < LINES_MAX; line = strtok(NULL, "\n"))
        lines[line_count++] = line;
    int *all = calloc(readers, sizeof *all);
    for (int i = 0; i < readers; i++) {
        all[i] = dial(words[1], port, words[6]);
        for (int k = 0; k < line_count; k++) put_text(all[i], lines[k]);
    }
    printf("ready\n");
    fflush(stdout);
    static const unsigned char pong[6] = {0x8a, 0x80};
    for (int second = 1;; second++) {
        sleep(1);
        for (int i = 0; i < readers; i++) {
            if (bytes) recv(all[i], dropped, bytes, MSG_DONTWAIT);
            if (pong_every_s && second % pong_every_s == 0) send(all[i], pong, sizeof pong, MSG_NOSIGNAL);
        }
    }
}
