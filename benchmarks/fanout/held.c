/* A crowd that connects as fast as it is let in, and stays: what it costs, and how late each of it is told.
 *
 *   held PORT TLS COUNT TEXTS PATH HELLO_FILE [CONDUCTOR_FILE GO_FILE PACE_US LEAST STAMPED]
 *
 * COUNT clients connect to PATH, by TLS if that is 1, 64 at a time; each sends the lines of HELLO_FILE and is in
 * once it has had TEXTS texts. Then a line of JSON says how many seconds that took. The end of stdin ends it.
 *
 * With a conductor, a line on stdin has it measured for as many seconds as the line says: the conductor says the
 * lines of GO_FILE, from the second to the last and again, one each PACE_US. A text of LEAST bytes or more is a
 * push. If STAMPED is 1 its last 256 bytes tell "seq" and "ts": pushes with the same seq are one, and the delay runs
 * from the stamp, which is in milliseconds. If not, a client's pushes follow the goes one by one, and the delay runs
 * from the go. "measured" is printed when the time is over, and figures in JSON once nothing more comes.
 */
#include "client.h"

#define DELAYS_MAX 20000000
#define ROUNDS_MAX 1000000
#define SECOND 1000000000LL

typedef struct {
    uint64_t seq;
    int64_t at, first, last; /* stamp or go; the first and the last client's push */
    uint64_t told;
} Round;

static Round rounds[ROUNDS_MAX];
static int round_count, is_stamped;
static int64_t *delays, *behind;
static size_t delay_count;
static uint64_t least, merged, *pushes_of, newest_at;
static int is_counting;
static int64_t begin_at;

static Round *stamped(Client *client, int64_t seq) {
    for (int k = round_count - 1; k >= 0; k--)
        if (rounds[k].seq == (uint64_t)seq) return &rounds[k];
    if (round_count == ROUNDS_MAX) fail("more rounds than there is room for");
    Round *made = &rounds[round_count++];
    *made = (Round){.seq = seq, .at = number_after(client, "\"ts\":") * 1000000};
    return made;
}

static void text_came(Client *client) {
    if (client->size == 1 && client->begin && client->begin[0] == '2') put_text(client, "3"); /* Engine.IO's ping */
    if (!is_counting || !client->tail || client->size < least) return;
    newest_at = now_ns();
    int64_t now = newest_at;
    Round *round;
    if (is_stamped) {
        int64_t seq = number_after(client, "\"seq\":");
        if (seq < 0) fail("a push without its stamp");
        round = stamped(client, seq);
        now = clock_ns(CLOCK_REALTIME);
        if (number_after(client, "\"merged\":") > 0 && round->at >= begin_at)
            merged += number_after(client, "\"merged\":");
    } else {
        if (pushes_of[client->number] == (uint64_t)round_count) fail("a push that nobody asked for");
        round = &rounds[pushes_of[client->number]++];
    }
    if (!round->told++) round->first = now;
    round->last = now;
    if (round->at < begin_at) return;
    if (delay_count == DELAYS_MAX) fail("more pushes than there is room for");
    delays[delay_count] = now - round->at;
    behind[delay_count++] = now - round->first;
}

static void turn(Client *all, int wait_ms) {
    static struct epoll_event events[1024];
    int ready = epoll_wait(poll_fd, events, 1024, wait_ms);
    for (int k = 0; k < ready; k++) receive(&all[events[k].data.u32]);
}

static void measure(Client *all, int count, const Lines *go, int64_t pace_ns, double seconds) {
    Client *conductor = &all[count];
    round_count = 0;
    delay_count = merged = 0;
    memset(pushes_of, 0, count * sizeof *pushes_of);
    is_counting = 1;
    int64_t began = now_ns(), next = began, begin = began + SECOND, end = begin + seconds * SECOND;
    begin_at = INT64_MAX;
    int line = 1;
    while (now_ns() < end) {
        if (begin_at == INT64_MAX && now_ns() >= begin)
            begin_at = is_stamped ? clock_ns(CLOCK_REALTIME) : now_ns(); /* the second before is to warm up */
        if (now_ns() >= next) {
            next += pace_ns;
            if (!is_stamped) rounds[round_count++] = (Round){.at = now_ns()};
            put_text(conductor, go->lines[line]);
            line = line % (go->count - 1) + 1;
        }
        turn(all, next > now_ns() ? 1 : 0);
    }
    printf("measured\n");
    fflush(stdout);
    newest_at = now_ns();
    for (int64_t last = now_ns() + 10 * SECOND; now_ns() < last && now_ns() - (int64_t)newest_at < SECOND;) turn(all, 100);
    is_counting = 0;
    uint64_t told = 0, all_rounds = 0;
    int64_t *lasts = malloc(sizeof *lasts * (round_count + 1));
    for (int k = 0; k < round_count; k++) {
        if (rounds[k].at < begin_at || !rounds[k].told) continue;
        told += rounds[k].told;
        lasts[all_rounds++] = rounds[k].last - rounds[k].first;
    }
    qsort(delays, delay_count, sizeof *delays, by_size);
    qsort(behind, delay_count, sizeof *behind, by_size);
    qsort(lasts, all_rounds, sizeof *lasts, by_size);
    printf("{\"pushes\":%llu,\"told\":%llu,\"merged\":%llu,\"delay_p50_us\":%.1f,\"delay_p99_us\":%.1f,"
           "\"delay_max_us\":%.1f,\"behind_p50_us\":%.1f,\"behind_p99_us\":%.1f,\"behind_max_us\":%.1f,"
           "\"last_p50_us\":%.1f}\n",
           (unsigned long long)all_rounds, (unsigned long long)told, (unsigned long long)merged,
           part(delays, delay_count, 0.5), part(delays, delay_count, 0.99), part(delays, delay_count, 1),
           part(behind, delay_count, 0.5), part(behind, delay_count, 0.99), part(behind, delay_count, 1),
           part(lasts, all_rounds, 0.5));
    fflush(stdout);
    free(lasts);
}

int main(int count, char **words) {
    if (count != 7 && count != 12) { fprintf(stderr, "see the source\n"); return 2; }
    int clients = atoi(words[3]), has_conductor = count == 12;
    static Lines hello, conductor_lines, go;
    read_lines(words[6], &hello);
    begin_clients(atoi(words[1]), words[5], atoi(words[2]));
    Client *all = calloc(clients + 1, sizeof *all);
    pushes_of = calloc(clients + 1, sizeof *pushes_of);
    for (int k = 0; k < clients; k++) {
        all[k].begin = malloc(BEGIN_BYTES);
        if (has_conductor) all[k].tail = malloc(TAIL_BYTES);
    }
    int64_t began = now_ns();
    bring_in(all, 0, clients, &hello, atoll(words[4]));
    double took = (now_ns() - began) / 1e9;
    int64_t pace_ns = 0;
    if (has_conductor) {
        read_lines(words[7], &conductor_lines);
        read_lines(words[8], &go);
        pace_ns = atoll(words[9]) * 1000;
        least = atoll(words[10]);
        is_stamped = atoi(words[11]);
        delays = malloc(sizeof *delays * DELAYS_MAX);
        behind = malloc(sizeof *behind * DELAYS_MAX);
        bring_in(all, clients, 1, &conductor_lines, 0);
    }
    printf("{\"connected\":%d,\"seconds\":%.3f}\n", clients, took);
    fflush(stdout);
    fcntl(0, F_SETFL, O_NONBLOCK);
    for (;;) {
        char line[64];
        ssize_t got = read(0, line, sizeof line - 1);
        if (got == 0) return 0;
        if (got > 0 && has_conductor) {
            line[got] = 0;
            measure(all, clients, &go, pace_ns, atof(line));
        }
        turn(all, 50);
    }
}
