/* The ceiling: what the machine's kernel lets any server reach. Linux only.
 *
 * It speaks just enough of the protocol for the load, keeps nothing, checks nothing and parses nothing. Its messages have
 * the same fields as chat-server's, so they are as long. What a turn of its loop brings to a room is joined, and each
 * member is written to once. `ceiling PORT` listens on loopback.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FILES 65536
#define ROOMS 4096
#define CHUNK (1 << 16)
#define FRAME 256             /* bytes of a message besides its text, at most */

struct bytes { char *at; size_t length, room; };
struct client { int room; struct bytes line, unsent; };
struct room { int *members, count, space, dirty; struct bytes said; };

static struct client *clients[FILES];
static struct room rooms[ROOMS];
static int dirty[ROOMS], dirty_count, polling;
static unsigned long seq;

static char *space(struct bytes *bytes, size_t more) {
    if (bytes->length + more > bytes->room) bytes->at = realloc(bytes->at, bytes->room = 2 * (bytes->length + more));
    if (!bytes->at) abort();
    return bytes->at + bytes->length;
}

static void append(struct bytes *bytes, const char *at, size_t more) {
    memcpy(space(bytes, more), at, more);
    bytes->length += more;
}

static void watch(int fd, int how, int output) {
    struct epoll_event event = {.events = EPOLLIN | (output ? EPOLLOUT : 0), .data.fd = fd};
    epoll_ctl(polling, how, fd, &event);
}

static void give(int fd, const char *at, size_t length) {
    struct bytes *unsent = &clients[fd]->unsent;
    ssize_t taken = unsent->length ? 0 : send(fd, at, length, MSG_NOSIGNAL);
    if (taken == (ssize_t)length || (taken < 0 && errno != EAGAIN)) return; /* an end is seen by reading */
    if (taken < 0) taken = 0;
    if (!unsent->length) watch(fd, EPOLL_CTL_MOD, 1);
    append(unsent, at + taken, length - taken);
}

static void flush(int fd) {
    struct bytes *unsent = &clients[fd]->unsent;
    ssize_t taken = send(fd, unsent->at, unsent->length, MSG_NOSIGNAL);
    if (taken <= 0) return;
    unsent->length -= taken;
    memmove(unsent->at, unsent->at + taken, unsent->length);
    if (!unsent->length) watch(fd, EPOLL_CTL_MOD, 0);
}

static void leave(int fd) {
    struct client *client = clients[fd];
    struct room *room = &rooms[client->room];
    for (int each = 0; each < room->count; each++)
        if (room->members[each] == fd) room->members[each--] = room->members[--room->count];
    free(client->line.at);
    free(client->unsent.at);
    free(client);
    clients[fd] = NULL;
    close(fd);
}

static void join(int fd, int number) {
    struct room *room = &rooms[clients[fd]->room = number % ROOMS];
    if (room->count == room->space)
        room->members = realloc(room->members, sizeof *room->members * (room->space = 2 * room->space + 4));
    room->members[room->count++] = fd;
    give(fd, "{\"type\":\"ok\",\"ref\":\"in\"}\n", 25);
}

static const char *time_now(void) {
    static char text[32];
    static long shown = -1;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    long milliseconds = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (milliseconds != shown) {
        struct tm day;
        gmtime_r(&now.tv_sec, &day);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &day);
        sprintf(text + 19, ".%03ldZ", milliseconds % 1000);
        shown = milliseconds;
    }
    return text;
}

/* The line ends in the text, and that is passed on as it is. */
static void say(int fd, const char *line, size_t length) {
    const char *id = memmem(line, length, "\"id\":", 5), *text = memmem(line, length, "\"text\":", 7);
    int number = clients[fd]->room;
    struct room *room = &rooms[number];
    if (!id || !text) return;
    size_t rest = line + length - text;
    char *to = space(&room->said, rest + FRAME);
    int head = sprintf(to, "{\"type\":\"message\",\"seq\":%lu,\"room\":\"r%d\",\"id\":%lu,\"user\":%d,\"time\":\"%s\",\"sender\":\"u%d\",",
                       ++seq, number, strtoul(id + 5, NULL, 10), fd, time_now(), fd);
    memcpy(to + head, text, rest);
    to[head + rest] = '\n';
    room->said.length += head + rest + 1;
    if (!room->dirty) dirty[dirty_count++] = number;
    room->dirty = 1;
}

static void take(int fd, const char *line, size_t length) {
    static const char begin[] = "{\"type\":\"";
    const char *kind = line + sizeof begin - 1, *room;
    if (length < sizeof begin + 20) return;
    if (*kind == 's') say(fd, line, length);
    else if (*kind == 'h') give(fd, "{\"type\":\"welcome\"}\n", 19);
    else if (*kind == 'j' && (room = memmem(line, length, "\"room\":\"r", 9))) join(fd, atoi(room + 9));
}

static void receive(int fd) {
    static char chunk[CHUNK];
    ssize_t length = recv(fd, chunk, sizeof chunk, 0);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) return leave(fd);
    struct bytes *line = &clients[fd]->line;
    char *at = chunk, *end = chunk + length, *stop;
    for (; (stop = memchr(at, '\n', end - at)); at = stop + 1) {
        if (line->length) {
            append(line, at, stop - at);
            take(fd, line->at, line->length);
            line->length = 0;
        } else take(fd, at, stop - at);
    }
    if (at < end) append(line, at, end - at);
}

static void accept_all(int listening) {
    for (int fd; (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        int yes = 1;
        if (fd >= FILES) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        clients[fd] = calloc(1, sizeof **clients);
        watch(fd, EPOLL_CTL_ADD, 0);
    }
}

static int listen_at(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 4096)) {
        perror("ceiling");
        exit(1);
    }
    return listening;
}

int main(int argc, char **argv) {
    static struct epoll_event events[1024];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    polling = epoll_create1(0);
    int listening = listen_at(argc > 1 ? atoi(argv[1]) : 0);
    watch(listening, EPOLL_CTL_ADD, 0);
    for (;;) {
        int ready = epoll_wait(polling, events, 1024, -1);
        for (int each = 0; each < ready; each++) {
            int fd = events[each].data.fd;
            if (fd == listening) accept_all(listening);
            else {
                if (events[each].events & EPOLLOUT) flush(fd);
                if (events[each].events & ~EPOLLOUT) receive(fd);
            }
        }
        for (int each = 0; each < dirty_count; each++) {
            struct room *room = &rooms[dirty[each]];
            for (int member = 0; member < room->count; member++) give(room->members[member], room->said.at, room->said.length);
            room->said.length = room->dirty = 0;
        }
        dirty_count = 0;
    }
}
