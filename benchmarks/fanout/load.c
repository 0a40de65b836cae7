/* Readers of a stream, as many as are wanted, and one conductor who has it pushed. One thread, epoll.
 *
 *   load PORT TLS READERS SECONDS WINDOW PAUSE_US LEAST STAMPED ANSWERS PATH READER_FILE CONDUCTOR_FILE GO_FILE
 *
 * Each reader connects to PATH, by TLS if that is 1, upgrades, and sends the lines of READER_FILE as texts. The
 * conductor does the same with CONDUCTOR_FILE, then sends the lines of GO_FILE, one after the other and again from
 * the first: at most WINDOW of them are unanswered at a time, and PAUSE_US pass between an answer and the next
 * (0: none). A text of LEAST bytes or more at a reader is a push; any text at the conductor that begins with what
 * the first line of GO_FILE says is an answer; each go has ANSWERS of them. With LOAD_OFFER in the environment
 * readers offer these extensions; what comes compressed is counted as it comes.
 *
 * Prints one line of JSON: goes, pushes and bytes at all readers within SECONDS, which begin a second after the
 * last connection; all pushes ever; and, if WINDOW is 1, the microseconds from a go to the first and to the last
 * reader's push. If STAMPED is 1 they run from what the push says: "ts", microseconds of the clock that does not go
 * back.
 */
#include "client.h"

#define ROUNDS_MAX 2000000

static uint64_t pushes, push_bytes, answers, least, all_pushes;
static int64_t stamp_ns; /* of the newest push, if it has one */
static const char *answer_begins;
static size_t answer_size;

static void text_came(Client *client) {
    if (!client->begin) {
        if (client->size < least) return;
        pushes++;
        all_pushes++;
        push_bytes += client->size;
        if (client->tail) stamp_ns = number_after(client, "\"ts\":") * 1000;
    } else if ((size_t)client->begun >= answer_size && !memcmp(client->begin, answer_begins, answer_size)) {
        answers++;
    }
}

int main(int count, char **words) {
    if (count != 14) { fprintf(stderr, "see the source\n"); return 2; }
    int readers = atoi(words[3]), window = atoi(words[5]);
    double seconds = atof(words[4]);
    int64_t pause_ns = atoll(words[6]) * 1000;
    least = atoll(words[7]);
    uint64_t answers_each = atoll(words[9]);
    static Lines reader_lines, conductor_lines, go;
    read_lines(words[11], &reader_lines);
    read_lines(words[12], &conductor_lines);
    read_lines(words[13], &go);
    answer_begins = go.lines[0];
    answer_size = strlen(answer_begins);

    begin_clients(atoi(words[1]), words[10], atoi(words[2]));
    Client *all = calloc(readers + 1, sizeof *all), *conductor = &all[readers];
    conductor->begin = malloc(BEGIN_BYTES);
    int is_stamped = atoi(words[8]);
    for (int i = 0; is_stamped && i < readers; i++) all[i].tail = malloc(TAIL_BYTES);
    bring_in(all, 0, readers, &reader_lines, 0);
    bring_in(all, readers, 1, &conductor_lines, 0);

    static struct epoll_event events[1024];
    static int64_t first_ns[ROUNDS_MAX], last_ns[ROUNDS_MAX];
    int rounds = 0, warm = 1;
    uint64_t goes = 0, goes_before = 0;
    int64_t began = now_ns(), end = began + 1000000000, go_at = 0, next_go = began + 500000000;
    uint64_t round_pushes = 0;
    int64_t first = 0;
    int go_line = 0;
    for (;;) {
        int64_t now = now_ns();
        /* A round that has begun is waited for, but not for ever. */
        if (now >= end && (window != 1 || !go_at || now >= end + 5000000000)) {
            if (!warm) break;
            warm = 0;  /* a second in which everyone has had the first push, and caches are warm */
            goes_before = goes;
            rounds = 0;
            began = now;
            end = now + (int64_t)(seconds * 1e9);
            go_at = 0;
            next_go = now + 20000000;
            usleep(20000);
            int ready = readers + 1;
            while (ready) {  /* what is under way still belongs to that second */
                ready = epoll_wait(poll_fd, events, 1024, 0);
                for (int k = 0; k < ready; k++) receive(&all[events[k].data.u32]);
            }
            pushes = push_bytes = 0;
            continue;
        }
        if (window == 1) {
            /* A round is over when the last reader has its push. */
            if (go_at && pushes - round_pushes >= (uint64_t)readers) {
                if (!warm && rounds < ROUNDS_MAX) {
                    int64_t from = is_stamped ? stamp_ns : go_at;
                    first_ns[rounds] = first - from;
                    last_ns[rounds++] = now - from;
                }
                go_at = 0;
                next_go = now + pause_ns;
            }
            if (!go_at && now >= next_go && now < end) {
                round_pushes = pushes;
                first = 0;
                go_at = now_ns();
                go_line = go_line % (go.count - 1) + 1;
                put_text(conductor, go.lines[go_line]);
                goes++;
            }
        } else {
            /* Not before who has just come in has been let in. */
            while (now >= next_go && goes - answers / answers_each < (uint64_t)window) {
                go_line = go_line % (go.count - 1) + 1;
                put_text(conductor, go.lines[go_line]);
                goes++;
            }
        }
        /* Without a pause it never sleeps: waking it would be at the server's cost, and the more often the
         * nearer both are in speed, which no reader on another machine ever costs. */
        int wait_ms = !pause_ns || (window == 1 && !go_at) ? 0 : 10;
        int ready = epoll_wait(poll_fd, events, 1024, wait_ms);
        for (int k = 0; k < ready; k++) {
            receive(&all[events[k].data.u32]);
            if (go_at && !first && pushes > round_pushes) first = now_ns();
        }
    }
    double lasted = (now_ns() - began) / 1e9;
    qsort(first_ns, rounds, sizeof *first_ns, by_size);
    qsort(last_ns, rounds, sizeof *last_ns, by_size);
    printf("{\"seconds\":%.3f,\"goes\":%llu,\"pushes\":%llu,\"bytes\":%llu,\"all_pushes\":%llu,\"rounds\":%d,"
           "\"first_p50_us\":%.1f,\"first_p99_us\":%.1f,\"last_p50_us\":%.1f,\"last_p99_us\":%.1f}\n",
           lasted, (unsigned long long)(goes - goes_before), (unsigned long long)pushes, (unsigned long long)push_bytes,
           (unsigned long long)all_pushes, rounds, part(first_ns, rounds, 0.5), part(first_ns, rounds, 0.99),
           part(last_ns, rounds, 0.5), part(last_ns, rounds, 0.99));
    return 0;
}
