/* Readers of a stream, as many as are wanted, and one conductor who has it pushed. One thread, epoll.
 *
 *   load PORT READERS SECONDS WINDOW PAUSE_US LEAST PATH READER_FILE CONDUCTOR_FILE GO_FILE
 *
 * Each reader connects to PATH, upgrades, and sends the lines of READER_FILE as texts. The conductor does the
 * same with CONDUCTOR_FILE, then sends the lines of GO_FILE, one after the other and again from the first:
 * at most WINDOW of them are unanswered at a time, and PAUSE_US pass between an answer and the next (0: none).
 * A text of LEAST bytes or more at a reader is a push; any text at the conductor that begins with what the
 * first line of GO_FILE says ("ANSWER ...") is an answer.
 *
 * Prints one line of JSON: goes, pushes and bytes at all readers within SECONDS, which begin a second after the
 * last connection; all pushes ever; and, if WINDOW is 1, the microseconds from a go to the first and to the last
 * reader's push.
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

#define LINES_MAX 4096
#define ROUNDS_MAX 2000000
#define HEAD_MAX 4096

typedef struct {
    int fd;
    uint64_t need;      /* payload bytes of the frame at hand that are still to come */
    uint64_t size;      /* of the frame at hand */
    int head_len;       /* bytes of a frame's head that have come */
    unsigned char head[10];
    char begin[64];     /* first bytes of a text, for the conductor */
    int begun;
} Connection;

static char *lines_of(const char *path, char **lines, int *count) {
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(1); }
    static char buffer[4 << 20];
    size_t size = fread(buffer, 1, sizeof buffer - 1, file);
    fclose(file);
    char *text = malloc(size + 1);
    memcpy(text, buffer, size);
    text[size] = 0;
    *count = 0;
    for (char *line = strtok(text, "\n"); line && *count < LINES_MAX; line = strtok(NULL, "\n"))
        lines[(*count)++] = line;
    return text;
}

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void put(int fd, const void *data, size_t size) {
    const char *at = data;
    while (size) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) { usleep(50); continue; }
            perror("send");
            exit(1);
        }
        at += sent;
        size -= sent;
    }
}

static void put_text(int fd, const char *text) {
    size_t size = strlen(text);
    unsigned char *frame = malloc(size + 14);
    size_t at = 0;
    frame[at++] = 0x81;
    if (size < 126) frame[at++] = 0x80 | size;
    else if (size < 65536) { frame[at++] = 0x80 | 126; frame[at++] = size >> 8; frame[at++] = size; }
    else { fprintf(stderr, "too long\n"); exit(1); }
    memset(frame + at, 0, 4);  /* a mask of zeros: the text as it is */
    at += 4;
    memcpy(frame + at, text, size);
    put(fd, frame, at + size);
    free(frame);
}

static int dial(int port, const char *path) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) { perror("connect"); exit(1); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char head[HEAD_MAX];
    int size = snprintf(head, sizeof head,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path, port);
    put(fd, head, size);
    char got[HEAD_MAX];
    int have = 0;
    while (have < 4 || memcmp(got + have - 4, "\r\n\r\n", 4)) {  /* byte by byte: frames may follow at once */
        if (have == sizeof got || recv(fd, got + have, 1, 0) != 1) { fprintf(stderr, "no upgrade\n"); exit(1); }
        have++;
    }
    if (strncmp(got, "HTTP/1.1 101", 12)) { fprintf(stderr, "%.*s", have, got); exit(1); }
    return fd;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double part(const int64_t *sorted, int count, double share) {
    return count ? sorted[(int)((count - 1) * share)] / 1000.0 : 0;
}

static uint64_t pushes, push_bytes, answers, least, all_pushes;
static char *answer_begins;
static size_t answer_size;

static void text_ended(Connection *each, int is_conductor) {
    int opcode = each->head[0] & 15;
    if (opcode == 8) { fprintf(stderr, "closed by the server\n"); exit(1); }
    if (opcode != 1 && opcode != 0) return;
    if (!is_conductor) {
        if (each->size >= least) { pushes++; all_pushes++; push_bytes += each->size; }
    } else if ((size_t)each->begun >= answer_size && !memcmp(each->begin, answer_begins, answer_size)) {
        answers++;
    }
}

static void take(Connection *each, const unsigned char *data, size_t size, int is_conductor) {
    while (size) {
        if (each->need) {
            size_t part = size < each->need ? size : each->need;
            if (is_conductor) {
                size_t room = sizeof each->begin - each->begun, copied = part < room ? part : room;
                memcpy(each->begin + each->begun, data, copied);
                each->begun += copied;
            }
            each->need -= part;
            data += part;
            size -= part;
            if (!each->need) text_ended(each, is_conductor);
            continue;
        }
        static const int wanted[] = {4, 10};
        each->head[each->head_len++] = *data++;
        size--;
        if (each->head_len < 2) continue;
        int length = each->head[1] & 127;
        int full = length < 126 ? 2 : wanted[length - 126];
        if (each->head_len < full) continue;
        uint64_t bytes = length;
        if (length >= 126) {
            bytes = 0;
            for (int i = 2; i < full; i++) bytes = bytes << 8 | each->head[i];
        }
        each->head_len = 0;
        each->begun = 0;
        each->need = each->size = bytes;
        if (!bytes) text_ended(each, is_conductor);
    }
}

int main(int count, char **words) {
    if (count != 11) { fprintf(stderr, "see the source\n"); return 2; }
    int port = atoi(words[1]), readers = atoi(words[2]), window = atoi(words[4]);
    double seconds = atof(words[3]);
    int64_t pause_ns = atoll(words[5]) * 1000;
    least = atoll(words[6]);
    static char *reader_lines[LINES_MAX], *conductor_lines[LINES_MAX], *go_lines[LINES_MAX];
    int reader_count, conductor_count, go_count;
    lines_of(words[8], reader_lines, &reader_count);
    lines_of(words[9], conductor_lines, &conductor_count);
    lines_of(words[10], go_lines, &go_count);
    answer_begins = go_lines[0];
    answer_size = strlen(answer_begins);

    int poll_fd = epoll_create1(0);
    Connection *all = calloc(readers + 1, sizeof *all);
    for (int i = 0; i <= readers; i++) {
        all[i].fd = dial(port, words[7]);
        char **lines = i < readers ? reader_lines : conductor_lines;
        int lines_count = i < readers ? reader_count : conductor_count;
        for (int k = 0; k < lines_count; k++) put_text(all[i].fd, lines[k]);
        fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    static unsigned char buffer[1 << 20];
    static struct epoll_event events[1024];
    static int64_t first_ns[ROUNDS_MAX], last_ns[ROUNDS_MAX];
    int rounds = 0, warm = 1;
    uint64_t goes = 0, answers_before = 0;
    int64_t began = now_ns(), end = began + 1000000000, go_at = 0, next_go = began + 500000000;
    uint64_t round_pushes = 0;
    int64_t first = 0;
    int go_line = 0;
    for (;;) {
        int64_t now = now_ns();
        if (now >= end) {
            if (!warm) break;
            warm = 0;  /* a second in which everyone has had the first push, and caches are warm */
            pushes = push_bytes = 0;
            goes = 0;
            rounds = 0;
            answers_before = answers = 0;
            began = now;
            end = now + (int64_t)(seconds * 1e9);
            go_at = 0;
            next_go = now + 20000000;
            usleep(20000);
            while (recv(all[readers].fd, buffer, sizeof buffer, 0) > 0) {}
            for (int i = 0; i <= readers; i++) {
                ssize_t got;
                while ((got = recv(all[i].fd, buffer, sizeof buffer, 0)) > 0)
                    take(&all[i], buffer, got, i == readers);
            }
            pushes = push_bytes = answers = 0;
            continue;
        }
        if (window == 1) {
            /* A round is over when the last reader has its push. */
            if (go_at && pushes - round_pushes >= (uint64_t)readers) {
                if (!warm && rounds < ROUNDS_MAX) {
                    first_ns[rounds] = first - go_at;
                    last_ns[rounds++] = now - go_at;
                }
                go_at = 0;
                next_go = now + pause_ns;
            }
            if (!go_at && now >= next_go) {
                round_pushes = pushes;
                first = 0;
                go_at = now_ns();
                go_line = go_line % (go_count - 1) + 1;
                put_text(all[readers].fd, go_lines[go_line]);
                goes++;
            }
        } else {
            while (goes - (answers - answers_before) < (uint64_t)window) {
                go_line = go_line % (go_count - 1) + 1;
                put_text(all[readers].fd, go_lines[go_line]);
                goes++;
            }
        }
        int wait_ms = window == 1 && !go_at ? 0 : 10;
        int ready = epoll_wait(poll_fd, events, 1024, wait_ms);
        for (int k = 0; k < ready; k++) {
            int i = events[k].data.u32;
            ssize_t got = recv(all[i].fd, buffer, sizeof buffer, 0);
            if (got == 0) { fprintf(stderr, "ended by the server\n"); return 1; }
            if (got > 0) take(&all[i], buffer, got, i == readers);
            if (go_at && !first && pushes > round_pushes) first = now_ns();
        }
    }
    double lasted = (now_ns() - began) / 1e9;
    qsort(first_ns, rounds, sizeof *first_ns, by_size);
    qsort(last_ns, rounds, sizeof *last_ns, by_size);
    printf("{\"seconds\":%.3f,\"goes\":%llu,\"pushes\":%llu,\"bytes\":%llu,\"all_pushes\":%llu,\"rounds\":%d,"
           "\"first_p50_us\":%.1f,\"first_p99_us\":%.1f,\"last_p50_us\":%.1f,\"last_p99_us\":%.1f}\n",
           lasted, (unsigned long long)goes, (unsigned long long)pushes, (unsigned long long)push_bytes,
           (unsigned long long)all_pushes, rounds, part(first_ns, rounds, 0.5), part(first_ns, rounds, 0.99), part(last_ns, rounds, 0.5),
           part(last_ns, rounds, 0.99));
    return 0;
}
