/* WebSocket clients of this machine, with TLS or without it: one thread, epoll, nothing ever waits in a call.
 *
 * `bring_in` connects, upgrades and says the first texts; `receive` reads what came and calls `text_came` of the
 * program for each text. Whatever goes wrong ends the program with the reason on stderr.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef LINES_MAX
#define LINES_MAX 4096
#endif
#define HEAD_MAX 4096
#define BEGIN_BYTES 64
#define TAIL_BYTES 256
#define AT_ONCE 64 /* connections that are being made at a time */

typedef enum { OUTSIDE, CONNECTING, SECURING, ASKING, UPGRADED } State;

typedef struct {
    int fd, number;
    SSL *ssl;           /* NULL: plain */
    State state;
    char *answer;       /* to the upgrade, as far as it has come */
    int answer_size;
    uint64_t texts;     /* that have come */
    uint64_t need;      /* payload bytes of the frame at hand that are still to come */
    uint64_t size;      /* of the frame at hand */
    int head_len;       /* bytes of a frame's head that have come */
    unsigned char head[10];
    char *begin, *tail; /* the first and the last bytes of a text, where the program asks for them */
    int begun, tailed;
    unsigned char ping[125]; /* what a ping carries, for its pong */
} Client;

typedef struct {
    char *lines[LINES_MAX];
    int count;
} Lines;

static void text_came(Client *client); /* the program's */

static int poll_fd;
static const char *stream_path;
static int server_port;
static SSL_CTX *tls; /* NULL: plain */
static unsigned char incoming[1 << 20];
static uint64_t reads; /* that gave anything */

static int64_t clock_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static int64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void read_lines(const char *path, Lines *into) {
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(1); }
    static char buffer[4 << 20];
    size_t size = fread(buffer, 1, sizeof buffer - 1, file);
    fclose(file);
    char *text = malloc(size + 1);
    memcpy(text, buffer, size);
    text[size] = 0;
    into->count = 0;
    for (char *line = strtok(text, "\n"); line && into->count < LINES_MAX; line = strtok(NULL, "\n"))
        into->lines[into->count++] = line;
}

static void begin_clients(int port, const char *path, int with_tls) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server_port = port;
    stream_path = path;
    poll_fd = epoll_create1(0);
    if (with_tls) {
        tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
}

static void put(Client *client, const void *data, size_t size) {
    const char *at = data;
    while (size) {
        ssize_t sent = client->ssl ? SSL_write(client->ssl, at, size) : send(client->fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            if (client->ssl ? SSL_get_error(client->ssl, sent) == SSL_ERROR_WANT_WRITE : errno == EAGAIN) {
                usleep(50);
                continue;
            }
            fail("the server took no more");
        }
        at += sent;
        size -= sent;
    }
}

static void put_text(Client *client, const char *text) {
    size_t size = strlen(text), at = 0;
    unsigned char *frame = malloc(size + 14);
    frame[at++] = 0x81;
    if (size < 126) frame[at++] = 0x80 | size;
    else if (size < 65536) { frame[at++] = 0x80 | 126; frame[at++] = size >> 8; frame[at++] = size; }
    else fail("a text is too long");
    memset(frame + at, 0, 4); /* a mask of zeros: the text as it is */
    at += 4;
    memcpy(frame + at, text, size);
    put(client, frame, at + size);
    free(frame);
}

/* Bytes that came, -1 if none are there. */
static ssize_t pull(Client *client, void *into, size_t size) {
    ssize_t got = client->ssl ? SSL_read(client->ssl, into, size) : recv(client->fd, into, size, 0);
    if (got > 0) return got;
    if (client->ssl ? SSL_get_error(client->ssl, got) == SSL_ERROR_WANT_READ : got < 0 && errno == EAGAIN) return -1;
    fail("ended by the server");
    return 0;
}

static void keep(Client *client, const unsigned char *data, size_t size) {
    if ((client->head[0] & 15) == 9) {
        memcpy(client->ping + (client->size - client->need), data, size);
        return;
    }
    if (client->begin && client->begun < BEGIN_BYTES) {
        size_t room = BEGIN_BYTES - client->begun, copied = size < room ? size : room;
        memcpy(client->begin + client->begun, data, copied);
        client->begun += copied;
    }
    if (!client->tail) return;
    if (size >= TAIL_BYTES) {
        memcpy(client->tail, data + size - TAIL_BYTES, TAIL_BYTES);
        client->tailed = TAIL_BYTES;
        return;
    }
    size_t kept = client->tailed, room = TAIL_BYTES - size;
    if (kept > room) {
        memmove(client->tail, client->tail + kept - room, room);
        kept = room;
    }
    memcpy(client->tail + kept, data, size);
    client->tailed = kept + size;
}

/* The number that stands after a name in the last bytes of a text, -1 if none does. */
static inline int64_t number_after(Client *client, const char *name) {
    char *at = memmem(client->tail, client->tailed, name, strlen(name));
    if (!at) return -1;
    int64_t number = 0;
    char *end = client->tail + client->tailed;
    for (at += strlen(name); at < end && *at >= '0' && *at <= '9'; at++) number = number * 10 + *at - '0';
    return number;
}

static void frame_came(Client *client) {
    int opcode = client->head[0] & 15;
    if (opcode == 8) fail("closed by the server");
    if (opcode == 9) {
        unsigned char pong[6 + sizeof client->ping] = {0x8a, 0x80 | client->size};
        memcpy(pong + 6, client->ping, client->size);
        put(client, pong, 6 + client->size);
    }
    if (opcode > 1) return;
    client->texts++;
    text_came(client);
    client->begun = client->tailed = 0;
}

static void take(Client *client, const unsigned char *data, size_t size) {
    while (size) {
        if (client->need) {
            size_t part = size < client->need ? size : client->need;
            keep(client, data, part);
            client->need -= part;
            data += part;
            size -= part;
            if (!client->need) frame_came(client);
            continue;
        }
        client->head[client->head_len++] = *data++;
        size--;
        if (client->head_len < 2) continue;
        int length = client->head[1] & 127;
        int full = length < 126 ? 2 : length == 126 ? 4 : 10;
        if (client->head_len < full) continue;
        uint64_t bytes = length;
        if (length >= 126) {
            bytes = 0;
            for (int i = 2; i < full; i++) bytes = bytes << 8 | client->head[i];
        }
        client->head_len = 0;
        client->need = client->size = bytes;
        if ((client->head[0] & 15) == 9 && bytes > sizeof client->ping) fail("a ping that is too long");
        if (!bytes) frame_came(client);
    }
}

/* What has come for a client, all of it: OpenSSL may hold more than epoll knows of. */
static void receive(Client *client) {
    ssize_t got;
    do {
        got = pull(client, incoming, sizeof incoming);
        if (got <= 0) break;
        reads++;
        take(client, incoming, got);
    } while (client->ssl);
}

static void dial(Client *client, int number) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server_port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int one = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    client->number = number;
    if (client->fd < 0) fail("no descriptor is left for a connection");
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) { perror("connect"); exit(1); }
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls) {
        client->ssl = SSL_new(tls);
        SSL_set_fd(client->ssl, client->fd);
        SSL_set_connect_state(client->ssl);
    }
    client->state = CONNECTING;
    client->answer = malloc(HEAD_MAX);
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = number};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, client->fd, &event);
}

static void watch(Client *client, uint32_t what) {
    struct epoll_event event = {.events = what, .data.u32 = client->number};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

static void ask(Client *client) {
    char head[HEAD_MAX];
    /* Who is answered reads what comes, so it is to come plain. */
    const char *offer = client->begin ? NULL : getenv("LOAD_OFFER");
    int size = snprintf(head, sizeof head,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
        stream_path, server_port, offer ? "Sec-WebSocket-Extensions: " : "", offer ? offer : "", offer ? "\r\n" : "");
    put(client, head, size);
    client->state = ASKING;
    watch(client, EPOLLIN);
}

/* One step of a connection that is being made; `hello` is said once it is upgraded. */
static void step(Client *client, const Lines *hello) {
    if (client->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) fail(strerror(error));
        client->state = client->ssl ? SECURING : ASKING;
        if (!client->ssl) { ask(client); return; }
    }
    if (client->state == SECURING) {
        int done = SSL_do_handshake(client->ssl);
        if (done == 1) { ask(client); return; }
        int error = SSL_get_error(client->ssl, done);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) fail("no TLS");
        watch(client, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
        return;
    }
    ssize_t got;
    while ((got = pull(client, client->answer + client->answer_size, HEAD_MAX - client->answer_size - 1)) > 0) {
        client->answer_size += got;
        client->answer[client->answer_size] = 0;
        char *end = strstr(client->answer, "\r\n\r\n");
        if (!end) {
            if (client->answer_size == HEAD_MAX - 1) fail("a head without end");
            continue;
        }
        if (strncmp(client->answer, "HTTP/1.1 101", 12)) fail(client->answer);
        client->state = UPGRADED;
        for (int k = 0; k < hello->count; k++) put_text(client, hello->lines[k]);
        size_t head_size = end + 4 - client->answer;
        /* Frames may have come on its heels. */
        take(client, (unsigned char *)client->answer + head_size, client->answer_size - head_size);
        free(client->answer);
        client->answer = NULL;
        receive(client);
        return;
    }
}

/* Connect clients[0..count) and let each say its hello, AT_ONCE of them at a time; returns when every one has had
 * `texts` texts. Numbers of clients that are in already lie below `number`. */
static void bring_in(Client *clients, int number, int count, const Lines *hello, uint64_t texts) {
    struct epoll_event events[AT_ONCE * 4];
    int begun = 0, in = 0;
    char *is_in = calloc(count + 1, 1);
    while (in < count) {
        while (begun < count && begun - in < AT_ONCE) {
            dial(&clients[number + begun], number + begun);
            begun++;
        }
        int ready = epoll_wait(poll_fd, events, AT_ONCE * 4, 10000);
        if (ready == 0) fail("nothing came for 10 s");
        for (int k = 0; k < ready; k++) {
            Client *client = &clients[events[k].data.u32];
            if (client->state == UPGRADED) receive(client);
            else step(client, hello);
            int at = client->number - number;
            if (at >= 0 && !is_in[at] && client->state == UPGRADED && client->texts >= texts) {
                is_in[at] = 1;
                in++;
            }
        }
    }
    free(is_in);
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Microseconds below which a share of them lies. */
static double part(const int64_t *sorted, size_t count, double share) {
    return count ? sorted[(size_t)((count - 1) * share)] / 1000.0 : 0;
}
