/* Readers who each have subscriptions of their own, and one conductor who has some of their streams pushed.
 *
 *   streams PID PORT READERS SECONDS WINDOW PAUSE_US PATH READER_FILE CONDUCTOR_FILE GO_FILE
 *
 * READER_FILE holds what readers say, a text a line; a line "%" ends what one of them says, or what all of them say
 * if there is no other, and at a line "%2" he waits until he has had two texts. The conductor says CONDUCTOR_FILE,
 * alike, then the lines of GO_FILE behind its first, in turn: at most WINDOW of them are unanswered, and no two
 * come within PAUSE_US. What answers begin with is the first line of GO_FILE. Every text at a reader is a push,
 * once all are in and a second has passed.
 *
 * Prints one line of JSON of the SECONDS after that, or of fewer if SIGTERM ends them: goes, pushes, bytes, the
 * reads that gave anything, and the CPU time that the process PID used.
 */
#define LINES_MAX 65536
#include "client.h"

#include <signal.h>

static uint64_t pushes, push_bytes, answers;
static const char *answer_begins;
static size_t answer_size;

static void text_came(Client *client) {
    if (!client->begin) {
        pushes++;
        push_bytes += client->size;
    } else if ((size_t)client->begun >= answer_size && !memcmp(client->begin, answer_begins, answer_size)) {
        answers++;
    }
}

static double cpu_s_of(int pid) {
    char path[64], text[4096];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) fail("the server is gone");
    fclose(file);
    sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

/* Let `count` clients in, who say the lines from `at` on; gives the line behind their last. */
static int bring(Client *all, int number, int count, const Lines *lines, int at) {
    static Lines hello;
    uint64_t texts = 0;
    hello.count = 0;
    while (at < lines->count && lines->lines[at][0] != '%') hello.lines[hello.count++] = lines->lines[at++];
    if (at < lines->count && lines->lines[at][1]) texts = atoi(lines->lines[at++] + 1);
    bring_in(all, number, count, &hello, texts);
    for (; at < lines->count && lines->lines[at][0] != '%'; at++)
        for (int i = number; i < number + count; i++) put_text(&all[i], lines->lines[at]);
    if (at == lines->count) fail("what is said does not end, or has too many lines");
    return at + 1;
}

static volatile sig_atomic_t told_to_end;

static void end_soon(int number) {
    (void)number;
    told_to_end = 1;
}

int main(int count, char **words) {
    if (count != 11) fail("see the source");
    int pid = atoi(words[1]), readers = atoi(words[3]), window = atoi(words[5]);
    int64_t lasts_ns = (int64_t)(atof(words[4]) * 1e9), pause_ns = atoll(words[6]) * 1000;
    static Lines reader_lines, conductor_lines, go;
    read_lines(words[8], &reader_lines);
    read_lines(words[9], &conductor_lines);
    read_lines(words[10], &go);
    answer_begins = go.lines[0];
    answer_size = strlen(answer_begins);

    int ends = 0;
    for (int i = 0; i < reader_lines.count; i++) ends += !strcmp(reader_lines.lines[i], "%");
    int alike = ends == 1;
    signal(SIGTERM, end_soon);
    begin_clients(atoi(words[2]), words[7], 0);
    Client *all = calloc(readers + 1, sizeof *all), *conductor = &all[readers];
    conductor->begin = malloc(BEGIN_BYTES);
    int at = bring(all, 0, alike ? readers : 1, &reader_lines, 0);
    for (int i = 1; i < readers && !alike; i++) at = bring(all, i, 1, &reader_lines, at);
    bring(all, readers, 1, &conductor_lines, 0);

    static struct epoll_event events[1024];
    uint64_t goes = 0, goes_before = 0, answers_before = answers;
    int64_t now = now_ns(), began = now, end = now + 1000000000, next_go = now + 200000000;
    double cpu_s = 0;
    int warm = 1;
    while (!told_to_end && ((now = now_ns()) < end || warm)) {
        if (now >= end) {
            warm = 0;
            pushes = push_bytes = reads = 0;
            goes_before = goes;
            cpu_s = cpu_s_of(pid);
            began = now;
            end = now + lasts_ns;
        }
        while (now >= next_go && goes - (answers - answers_before) < (uint64_t)window) {
            put_text(conductor, go.lines[1 + goes++ % (go.count - 1)]);
            next_go += pause_ns;
        }
        int ready = epoll_wait(poll_fd, events, 1024, pause_ns ? 1 : 10);
        for (int k = 0; k < ready; k++) receive(&all[events[k].data.u32]);
    }
    cpu_s = cpu_s_of(pid) - cpu_s;
    printf("{\"seconds\":%.3f,\"goes\":%llu,\"pushes\":%llu,\"bytes\":%llu,\"reads\":%llu,\"cpu_s\":%.3f}\n",
           (now_ns() - began) / 1e9, (unsigned long long)(goes - goes_before), (unsigned long long)pushes,
           (unsigned long long)push_bytes, (unsigned long long)reads, cpu_s);
    return 0;
}
