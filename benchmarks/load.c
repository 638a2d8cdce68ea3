/* The load: the clients of a server that is measured, in one process with one thread. Linux only.
 *
 * They come in by a script (what to say, what to wait for), some of them send, and every message is looked for at every
 * member of its room. A message is known by a mark in its text: ^, eight hexadecimal digits, ^. So any protocol will do
 * that passes text on as it is. Prints one JSON object. servers.py and fanout.py say how it is used.
 *
 * In what is said, these stand for something of the client's:
 *   %u its number   %r its room's (%R in four digits)   %i of its messages so far, with this one   %t the text   %l the text's length
 *   %s %e %c session, epoch and cursor of its welcome
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

#define MARK 10               /* bytes of a mark */
#define CHUNK (1 << 18)       /* read at once, at most */
#define RECENT (1u << 20)     /* messages that are known: more than can be on their way */
#define STEPS 8               /* of a script */
#define MILLI 1000000ull      /* nanoseconds */
#define SECOND 1000000000ull
#define SILENCE (300 * MILLI) /* after which the server has told everyone about everyone */

struct bytes { char *at; size_t length, room; };
struct step { const char *say, *hear; };
struct usage { double cpu; long kilobytes; };
struct times { uint64_t of[64 * 64], count; };
enum state { CONNECTING, ENTERING, IN, GONE };

struct client {
    enum state state;
    int fd, number, room;
    int place;                /* among the senders of its room */
    int steady;               /* sends its next message as soon as everyone has the last */
    int step;                 /* of the script */
    int watched;              /* epoll says when it can be written to */
    unsigned id;              /* of its last message */
    int told;                 /* of that leaving */
    struct bytes heard;       /* while it comes in */
    struct bytes unsent;
    char rest[MARK];          /* what may be the beginning of a mark */
    int rest_length;
    char session[80], epoch[80], cursor[24];
#ifdef WITH_TLS
    SSL *tls;
#endif
};

struct message {
    uint64_t due;
    unsigned number, left;    /* left: members that do not have it yet */
    int sender, counts;       /* counts: it was due while measuring */
};

static int port, server, clients = 1000, rooms = 1, senders = 100, echo = 1, at_once = 64, text_length = 64;
static int crowd, hush, missed, leaving, tls;
static double rate, seconds, warm = 1, idle, patience = 60;
static const char *template, *ping, *pong;
static struct step entry[STEPS + 1], again[2]; /* the script, and the one of who comes back */

static struct client *all;
static struct client **ready; /* senders that have their last message back */
static int ready_count;
static struct message *recent;
static const struct step *script = entry;
static unsigned *last;        /* of each client and sender of its room: the number of the last message */
static int *members, places;  /* of each room; the most senders of a room */
static int polling, inside, redialled, gone, sending;
static int left, told;        /* how many have left; to whom that was told of the last one */
static unsigned number;       /* of the last message */
static uint64_t from, till;   /* what is due in between counts */
static uint64_t sent, wanted, got, delivered, bytes_read, doubled, disordered, last_byte;
static double due;            /* when the next message is */
static struct times own, everyone, late; /* until a member has it; until all have it; how late this load was itself */
static char chunk[MARK + CHUNK];
#ifdef WITH_TLS
static SSL_CTX *context;
#endif

static void quit(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

/* ---- times: counted in classes that are 1.6 % wide ---- */

static void count(struct times *times, uint64_t time) {
    uint64_t class = time;
    if (time >= 64) {
        int power = 63 - __builtin_clzll(time);
        class = (power - 5) * 64 + (time >> (power - 6) & 63);
    }
    times->of[class]++;
    times->count++;
}

/* The milliseconds that a share of the times is below; 0 where there are none. */
static double quantile(const struct times *times, double share) {
    uint64_t below = 0, rank = share * times->count;
    for (int class = 0; class < 64 * 64; class++) {
        below += times->of[class];
        if (below > rank) return (class < 64 ? class : ldexp(64.5 + class % 64, class / 64 - 1)) / MILLI;
    }
    return 0;
}

/* ---- what processes use ---- */

static struct usage server_usage(void) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", server);
    FILE *file = server ? fopen(path, "r") : NULL;
    if (!file) return (struct usage){0};
    line[fread(line, 1, sizeof line - 1, file)] = 0;
    fclose(file);
    unsigned long user = 0, kernel = 0;
    long pages = 0;
    char *rest = strrchr(line, ')');
    if (rest) sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
                     &user, &kernel, &pages);
    return (struct usage){(double)(user + kernel) / sysconf(_SC_CLK_TCK), pages * (sysconf(_SC_PAGESIZE) / 1024)};
}

static double own_cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* ---- sockets ---- */

static void append(struct bytes *bytes, const char *at, size_t more) {
    if (bytes->length + more > bytes->room) {
        bytes->room = 2 * (bytes->length + more);
        bytes->at = realloc(bytes->at, bytes->room);
        if (!bytes->at) quit("out of memory");
    }
    memcpy(bytes->at + bytes->length, at, more);
    bytes->length += more;
}

static void watch(struct client *client, int output) {
    if (client->watched == output) return;
    client->watched = output;
    struct epoll_event event = {.events = EPOLLIN | (output ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(polling, EPOLL_CTL_MOD, client->fd, &event);
}

static void dial(struct client *client);

/* Who is turned away while coming in tries again. */
static void leave(struct client *client) {
    if (client->state == GONE) return;
    close(client->fd);
    if (client->state == IN) {
        gone++;
        client->state = GONE;
        return;
    }
    if (++redialled > 10 * clients) quit("the server lets nobody in");
    dial(client);
}

/* This and the next return -1 where the socket must be waited for, and 0 where the connection has ended. */
static ssize_t receive(struct client *client, char *to, size_t most) {
#ifdef WITH_TLS
    if (client->tls) {
        int length = SSL_read(client->tls, to, most);
        return length > 0 ? length : SSL_get_error(client->tls, length) == SSL_ERROR_WANT_READ ? -1 : 0;
    }
#endif
    ssize_t length = recv(client->fd, to, most, 0);
    return length >= 0 ? length : errno == EAGAIN ? -1 : 0;
}

static ssize_t give(struct client *client, const char *at, size_t most) {
#ifdef WITH_TLS
    if (client->tls) {
        int taken = SSL_write(client->tls, at, most);
        if (taken > 0) return taken;
        int why = SSL_get_error(client->tls, taken);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
#endif
    ssize_t taken = send(client->fd, at, most, MSG_NOSIGNAL);
    return taken >= 0 ? taken : errno == EAGAIN ? -1 : 0;
}

static void flush(struct client *client) {
    struct bytes *unsent = &client->unsent;
    size_t done = 0;
    while (done < unsent->length) {
        ssize_t taken = give(client, unsent->at + done, unsent->length - done);
        if (taken == 0) return leave(client);
        if (taken < 0) break;
        done += taken;
    }
    unsent->length -= done;
    memmove(unsent->at, unsent->at + done, unsent->length);
    watch(client, unsent->length > 0);
}

static void dial(struct client *client) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) quit("socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    client->state = CONNECTING;
    client->watched = 1;
    client->step = client->rest_length = 0;
    client->heard.length = client->unsent.length = 0;
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) return leave(client);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
    epoll_ctl(polling, EPOLL_CTL_ADD, client->fd, &event);
#ifdef WITH_TLS
    if (tls) {
        client->tls = SSL_new(context);
        SSL_set_fd(client->tls, client->fd);
        SSL_set_connect_state(client->tls);
    }
#endif
}

/* ---- saying something ---- */

static size_t write_text(char *to) {
    static const char filler[] = " the tide is out so we walk along the shore";
    int at = sprintf(to, "^%08x^", number);
    for (; at < text_length; at++) to[at] = filler[(at - MARK) % (sizeof filler - 1)];
    return at;
}

static void say(struct client *client, const char *what) {
    char line[8192], *to = line;
    for (; *what; what++) {
        if (*what != '%') {
            *to++ = *what;
            continue;
        }
        switch (*++what) {
        case 'u': to += sprintf(to, "%d", client->number); break;
        case 'r': to += sprintf(to, "%d", client->room); break;
        case 'R': to += sprintf(to, "%04d", client->room); break;
        case 'i': to += sprintf(to, "%u", client->id); break;
        case 'l': to += sprintf(to, "%d", text_length); break;
        case 't': to += write_text(to); break;
        case 's': to += sprintf(to, "%s", client->session); break;
        case 'e': to += sprintf(to, "%s", client->epoch); break;
        case 'c': to += sprintf(to, "%s", client->cursor); break;
        default: quit("%%%c means nothing", *what);
        }
    }
    append(&client->unsent, line, to - line);
    if (!client->watched) flush(client);
}

static void send_message(struct client *client, uint64_t when) {
    struct message *message = &recent[++number % RECENT];
    unsigned readers = members[client->room] - !echo;
    *message = (struct message){when, number, readers, client->number, when >= from && when < till};
    client->id++;
    sent++;
    wanted += readers;
    say(client, template);
}

/* What is due goes out, and its time counts from when it was due: a server that makes its senders wait gains nothing. */
static void send_due(void) {
    static int turn;
    uint64_t time = now();
    while (sending && rate > 0 && due <= time) {
        struct client *client = &all[crowd + turn++ % (senders - crowd)];
        if (due >= from) count(&late, time - due);
        if (client->state == IN) send_message(client, due);
        due -= log(1 - drand48()) * SECOND / rate;
    }
}

/* ---- hearing something ---- */

static void arrived(struct client *client, const char *digits, uint64_t time) {
    unsigned which = 0;
    for (int at = 0; at < 8; at++) which = which << 4 | (digits[at] <= '9' ? digits[at] - '0' : digits[at] - 'a' + 10);
    struct message *message = &recent[which % RECENT];
    if (message->number != which) quit("message %u came, which was never sent, or long ago", which);
    struct client *sender = &all[message->sender];
    unsigned *before = &last[(size_t)client->number * places + sender->place];
    if (which <= *before) {
        if (which == *before) doubled++;
        else disordered++;
        return;
    }
    *before = which;
    got++;
    if (time >= from && time < till) delivered++;
    int counts = message->counts && (!crowd || !sender->steady); /* beside a crowd only what the others say */
    if (counts) count(&own, time - message->due);
    if (--message->left) return;
    if (counts) count(&everyone, time - message->due);
    if (sender->steady && sending) ready[ready_count++] = sender;
}

/* Whoever has their last message back sends the next, at the end of a turn: all that was read in it had come by then. */
static void send_next(void) {
    uint64_t time = now();
    for (int each = 0; each < ready_count; each++)
        if (sending && ready[each]->state == IN) send_message(ready[each], time);
    ready_count = 0;
}

/* Find the marks in what was read; the rest of what was read before stands in front of it. */
static void find_marks(struct client *client, char *at, char *end, uint64_t time) {
    char *mark;
    while (end - at >= MARK && (mark = memchr(at, '^', end - at - MARK + 1))) {
        if (mark[MARK - 1] == '^') {
            arrived(client, mark + 1, time);
            at = mark + MARK;
        } else at = mark + 1;
    }
    if (end - at >= MARK) at = end - MARK + 1;
    client->rest_length = end - at;
    memcpy(client->rest, at, end - at);
}

static void copy_field(char *to, size_t most, const struct bytes *in, const char *name, const char *end) {
    char *at = memmem(in->at, in->length, name, strlen(name));
    if (!at) return;
    at += strlen(name);
    size_t length = strcspn(at, end);
    if (length >= most) quit("%s is too long", name);
    memcpy(to, at, length);
    to[length] = 0;
}

/* Say what the script says next, until an answer must be waited for. */
static void go_on(struct client *client) {
    const struct step *step = &script[client->step];
    if (step->say) say(client, step->say);
    else if (!step->hear && client->state == ENTERING) {
        client->state = IN;
        inside++;
    }
}

/* While a client comes in, it looks at all it has heard since its last step. */
static void hear(struct client *client, const char *at, size_t length, uint64_t time) {
    struct bytes *heard = &client->heard;
    append(heard, at, length);
    const char *sought, *found;
    while ((sought = script[client->step].hear) && (found = memmem(heard->at, heard->length, sought, strlen(sought)))) {
        if (missed && !client->session[0] && memchr(found, '\n', heard->at + heard->length - found)) {
            copy_field(client->session, sizeof client->session, heard, "\"session\":\"", "\"");
            copy_field(client->epoch, sizeof client->epoch, heard, "\"epoch\":\"", "\"");
            copy_field(client->cursor, sizeof client->cursor, heard, "\"seq\":", ",}");
        }
        size_t done = found - heard->at + strlen(sought);
        heard->length -= done;
        memmove(heard->at, found + strlen(sought), heard->length);
        client->step++;
        go_on(client);
    }
    if (client->state != IN) return;
    find_marks(client, heard->at, heard->at + heard->length, time);
    free(heard->at);
    *heard = (struct bytes){0};
}

static void answer_pings(struct client *client, char *at, char *end) {
    while ((at = memmem(at, end - at, ping, strlen(ping)))) { /* one that is cut in two is missed: the next is not */
        say(client, pong);
        at += strlen(ping);
    }
}

static void read_some(struct client *client) {
    char *data = chunk + MARK;
    do {
        ssize_t length = receive(client, data, CHUNK);
        if (length == 0) leave(client);
        if (length <= 0) return;
        uint64_t time = last_byte = now();
        if (time >= from && time < till) bytes_read += length;
        if (client->told < left) {
            client->told = left;
            told++;
        }
        if (client->state == ENTERING) hear(client, data, length, time);
        else {
            char *at = data - client->rest_length;
            memcpy(at, client->rest, client->rest_length);
            find_marks(client, at, data + length, time);
        }
        if (ping) answer_pings(client, data, data + length);
    } while (tls && client->state != GONE); /* what OpenSSL holds already, epoll does not tell */
}

/* ---- the loop ---- */

static void connected(struct client *client) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return leave(client);
    client->state = ENTERING;
    go_on(client);
}

static void turn(uint64_t until) {
    static struct epoll_event events[1024];
    uint64_t time = now(), wake = until;
    if (sending && rate > 0 && due < wake) wake = due;
    if (wake > time + 50 * MILLI) wake = time + 50 * MILLI;
    struct timespec wait = {0, wake > time ? wake - time : 0};
    int count = epoll_pwait2(polling, events, 1024, &wait, NULL);
    for (int each = 0; each < count; each++) {
        struct client *client = events[each].data.ptr;
        if (client->state == CONNECTING) connected(client);
        if (client->state != GONE && events[each].events & EPOLLOUT) flush(client);
        if (client->state != GONE && events[each].events & ~EPOLLOUT) read_some(client);
        if (each % 16 == 15) send_due();
    }
    send_due();
    send_next();
}

/* All come in, so many at once; then wait until nothing more is said about that. */
static void come_in(void) {
    uint64_t began = now();
    for (int next = 0; inside < clients;) {
        while (next < clients && next - inside < at_once) dial(&all[next++]);
        turn(now() + 50 * MILLI);
        if (now() - began > patience * SECOND) quit("only %d of %d are in after %g s", inside, clients, patience);
    }
}

static void settle(void) {
    last_byte = now();
    for (uint64_t began = now(); now() - last_byte < SILENCE && now() - began < patience * SECOND;) turn(last_byte + SILENCE);
}

/* The last to come leave, one after another. Returns in milliseconds the median time until all others were told something. */
static double leave_one_by_one(void) {
    static struct times times;
    while (left < leaving) {
        struct client *client = &all[--clients];
        client->state = GONE;
        members[client->room]--;
        left++;
        told = 0;
        uint64_t began = now();
        close(client->fd);
        while (told < clients && now() - began < patience * SECOND) turn(now() + 50 * MILLI);
        if (told < clients) quit("%d of %d were told nothing of who left within %g s", clients - told, clients, patience);
        count(&times, last_byte - began);
    }
    return quantile(&times, .5);
}

/* The senders send, first to warm up. Returns the share of a core that this load used. */
static double talk(double *took, struct usage *used) {
    uint64_t began = now();
    from = began + warm * SECOND;
    till = from + seconds * SECOND;
    due = began;
    sending = 1;
    for (int each = 0; each < senders; each++)
        if (all[each].steady && !(hush && each < crowd)) send_message(&all[each], now());
    while (now() < from) turn(from);
    struct usage before = server_usage();
    double cpu = own_cpu();
    uint64_t start = now();
    while (now() < till) turn(till);
    struct usage after = server_usage();
    *took = (double)(now() - start) / SECOND;
    *used = (struct usage){after.cpu - before.cpu, after.kilobytes};
    sending = 0;
    cpu = own_cpu() - cpu;
    for (uint64_t end = now(); got < wanted && now() - (last_byte > end ? last_byte : end) < 5 * SECOND;) turn(now() + MILLI);
    return cpu / *took;
}

/* Say what will be missed, wait on standard input until the server was started anew, and come back. */
static double miss(void) {
    for (int each = 0; each < missed; each++) {
        send_message(&all[each % senders], now());
        for (uint64_t end = now() + patience * SECOND; got < wanted && now() < end;) turn(end);
    }
    puts("missed");
    fflush(stdout);
    if (getchar() == EOF) quit("nobody said that the server is back");
    for (int each = 0; each < clients; each++) {
        struct client *client = &all[each];
        if (client->state != GONE) close(client->fd);
    }
    for (unsigned each = 1; each <= number; each++) recent[each].left = clients;
    memset(last, 0, sizeof *last * clients * places);
    script = again;
    inside = gone = got = 0;
    uint64_t began = now();
    come_in();
    while (got < wanted && now() - began < patience * SECOND) turn(began + patience * SECOND);
    return (double)(now() - began) / SECOND;
}

static void prepare(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    all = calloc(clients, sizeof *all);
    ready = calloc(clients, sizeof *ready);
    recent = calloc(RECENT, sizeof *recent);
    members = calloc(rooms, sizeof *members);
    for (int each = 0; each < clients; each++) {
        struct client *client = &all[each];
        client->number = each;
        client->room = !crowd ? each % rooms : each < crowd ? 0 : 1 + (each - crowd) % (rooms - 1);
        client->steady = rate == 0 || each < crowd;
        client->place = members[client->room]++;
        if (each < senders && client->place >= places) places = client->place + 1;
    }
    last = calloc((size_t)clients * places + 1, sizeof *last);
    polling = epoll_create1(0);
#ifdef WITH_TLS
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#else
    if (tls) quit("this load was built without TLS");
#endif
}

static void read_options(int argc, char **argv) {
    static const struct option names[] = {
        {"port", 1, 0, 'p'}, {"server", 1, 0, 'v'}, {"clients", 1, 0, 'c'}, {"rooms", 1, 0, 'r'}, {"senders", 1, 0, 's'},
        {"echo", 1, 0, 'e'}, {"at-once", 1, 0, 'a'}, {"text", 1, 0, 't'}, {"say", 1, 0, 'S'}, {"hear", 1, 0, 'H'},
        {"send", 1, 0, 'm'}, {"again", 1, 0, 'A'}, {"rate", 1, 0, 'R'}, {"seconds", 1, 0, 'd'}, {"warm", 1, 0, 'w'},
        {"idle", 1, 0, 'i'}, {"crowd", 1, 0, 'C'}, {"hush", 0, 0, 'h'}, {"missed", 1, 0, 'M'}, {"tls", 0, 0, 'T'},
        {"leaving", 1, 0, 'L'}, {"patience", 1, 0, 'P'}, {"ping", 1, 0, 'q'}, {"pong", 1, 0, 'Q'}, {0}};
    int steps = 0, option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'v': server = atoi(optarg); break;
        case 'c': clients = atoi(optarg); break;
        case 'r': rooms = atoi(optarg); break;
        case 's': senders = atoi(optarg); break;
        case 'e': echo = atoi(optarg); break;
        case 'a': at_once = atoi(optarg); break;
        case 't': text_length = atoi(optarg); break;
        case 'S': if (steps == STEPS) quit("too many steps"); entry[steps].say = optarg; break;
        case 'H': if (steps == STEPS) quit("too many steps"); entry[steps++].hear = optarg; break;
        case 'm': template = optarg; break;
        case 'A': again[0] = (struct step){optarg, "\"welcome\""}; break;
        case 'R': rate = atof(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'w': warm = atof(optarg); break;
        case 'i': idle = atof(optarg); break;
        case 'C': crowd = atoi(optarg); break;
        case 'h': hush = 1; break;
        case 'M': missed = atoi(optarg); break;
        case 'T': tls = 1; break;
        case 'L': leaving = atoi(optarg); break;
        case 'P': patience = atof(optarg); break;
        case 'q': ping = optarg; break;
        case 'Q': pong = optarg; break;
        default: quit("see fanout.py for what it takes");
    }
    if (!port || !template) quit("--port and --send are needed");
    if (senders + leaving > clients || rooms > clients || crowd > senders || (rate > 0 && crowd == senders))
        quit("too few clients");
    if (text_length < MARK || text_length > 4096) quit("a text has %d to 4096 bytes", MARK);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    prepare();
    struct usage empty = server_usage(), talking = {0};
    uint64_t began = now();
    come_in();
    double all_in = (double)(now() - began) / SECOND;
    settle();
    double settled = (double)(last_byte - began) / SECOND;
    struct usage full = server_usage();
    double entry_cpu = full.cpu - empty.cpu;
    for (uint64_t end = now() + idle * SECOND; now() < end;) turn(end);
    full.cpu = server_usage().cpu - full.cpu;
    full.kilobytes = server_usage().kilobytes;
    double kilobytes_each = (double)(full.kilobytes - empty.kilobytes) / clients;
    double took = 0, share = 0, back = missed ? miss() : 0, leave_told = leave_one_by_one();
    if (seconds > 0) share = talk(&took, &talking);
    printf("{\"all_in\": %.4f, \"settled\": %.4f, \"entry_cpu\": %.2f, \"kilobytes_each\": %.3f, \"idle_cpu\": %.5f, "
           "\"back\": %.4f, \"leave_told\": %.3f, \"sent\": %lu, \"per_second\": %.0f, \"per_cpu_second\": %.0f, "
           "\"server\": %.3f, \"load\": %.3f, \"bytes_each\": %.1f, \"p50\": %.3f, \"p99\": %.3f, \"all_p50\": %.3f, \"all_p99\": %.3f, \"late\": %.3f, "
           "\"lost\": %ld, \"doubled\": %lu, \"disordered\": %lu, \"gone\": %d, \"redialled\": %d}\n",
           all_in, settled, entry_cpu, kilobytes_each, idle > 0 ? full.cpu / idle : 0,
           back, leave_told, sent, took > 0 ? delivered / took : 0, talking.cpu > 0 ? delivered / talking.cpu : 0,
           took > 0 ? talking.cpu / took : 0, share, delivered ? (double)bytes_read / delivered : 0, quantile(&own, .5),
           quantile(&own, .99), quantile(&everyone, .5), quantile(&everyone, .99), quantile(&late, .99),
           (long)(wanted - got), doubled, disordered, gone, redialled);
    return 0;
}
