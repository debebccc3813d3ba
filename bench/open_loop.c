/* The sending half of bench/open_loop.py: HTTP/1.1 requests at given times over keep-alive connections, one thread.
 *
 * open_loop HOST PORT CONNECTIONS TIMEOUT_S PATIENCE_S KEEP < plan > outcome
 *
 * plan:    u32 requests, u32 sends, { u32 length, bytes } for each request, f64 seconds for each send, ascending
 * outcome: f64 start on the monotonic clock, one struct outcome for each send, the kept answers one after another
 *
 * A send that finds every connection busy at its time waits for one. Latency counts from the intended time. A client
 * gives up after TIMEOUT_S, and its request is lost (status 0). A request that waits for a connection longer than
 * PATIENCE_S is not sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct request { uint32_t length; char *bytes; };
struct outcome { double sent_s, latency_s; uint64_t answer_at; uint32_t status, answer_length; };
struct connection {
    int fd;          /* -1: closed; the next send opens it again */
    long send;       /* the send under way; -1: none */
    uint32_t left;   /* bytes of the request that are not yet written */
    char *in;
    size_t length, room;
};

static struct request *requests;
static struct outcome *outcomes;
static double *times, start, timeout_s, patience_s;
static uint32_t request_count;
static struct connection *connections;
static int *idle, idle_first, idle_count, connection_count, epoll_fd, keep;
static struct sockaddr_in address;
static char *kept;
static size_t kept_length, kept_room;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what) { perror(what); exit(1); }

static void must_read(void *into, size_t length) {
    if (length && fread(into, length, 1, stdin) != 1) { fputs("open_loop: the plan ends early\n", stderr); exit(1); }
}

static void *room_for(void *bytes, size_t *room, size_t needed) {
    if (needed <= *room) return bytes;
    while (*room < needed) *room = *room ? *room * 2 : 4096;
    if (!(bytes = realloc(bytes, *room))) fail("realloc");
    return bytes;
}

static void shut(struct connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll_fd, operation, c->fd, &event)) fail("epoll_ctl");
}

/* Ends the send under way, if any, and lets the connection take another. */
static void finish(struct connection *c, uint32_t status) {
    if (c->send < 0) return;
    struct outcome *outcome = &outcomes[c->send];
    outcome->status = status;
    outcome->latency_s = now() - start - times[c->send];
    if (keep && status) {
        kept = room_for(kept, &kept_room, kept_length + c->length);
        memcpy(kept + kept_length, c->in, c->length);
        outcome->answer_at = kept_length;
        outcome->answer_length = c->length;
        kept_length += c->length;
    }
    c->send = -1;
    idle[(idle_first + idle_count++) % connection_count] = c - connections;
}

static void lose(struct connection *c) { shut(c); finish(c, 0); }

static int open_again(struct connection *c) {
    int on = 1;
    if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0) fail("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) { shut(c); return 0; }
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    return 1;
}

static void write_on(struct connection *c) {
    struct request *r = &requests[c->send % request_count];
    while (c->left) {
        ssize_t done = send(c->fd, r->bytes + r->length - c->left, c->left, MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == ENOTCONN)) { watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT); return; }
        if (done < 0) { lose(c); return; }
        c->left -= done;
    }
}

static void begin(struct connection *c, long send) {
    c->send = send;
    c->length = 0;
    c->left = requests[send % request_count].length;
    outcomes[send].sent_s = now() - start;
    if (c->fd < 0 && !open_again(c)) { lose(c); return; }
    write_on(c);
}

/* The length of the whole answer, or 0 while it is not complete. `last`: the server will close the connection. */
static size_t whole(struct connection *c, int *last) {
    char *end = memmem(c->in, c->length, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = end + 4 - c->in, body = 0;
    int chunked = 0;
    for (char *line = memmem(c->in, head, "\r\n", 2) + 2; line < end; line = memmem(line, end + 2 - line, "\r\n", 2) + 2) {
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
        if (!strncasecmp(line, "transfer-encoding: chunked", 26)) chunked = 1;
        if (!strncasecmp(line, "connection: close", 17)) *last = 1;
    }
    if (!chunked) return c->length >= head + body ? head + body : 0;
    return c->length >= head + 5 && !memcmp(c->in + c->length - 5, "0\r\n\r\n", 5) ? c->length : 0;
}

static void read_on(struct connection *c) {
    for (;;) {
        c->in = room_for(c->in, &c->room, c->length + 65536);
        ssize_t got = recv(c->fd, c->in + c->length, c->room - c->length, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) { lose(c); return; }
        c->length += got;
        int last = 0;
        if (c->send >= 0 && whole(c, &last)) {
            uint32_t status = c->length > 12 ? strtoul(c->in + 9, NULL, 10) : 0;
            if (last || status >= 400) shut(c); /* TorchServe closes after an error, and does not always announce it */
            finish(c, status);
            return;
        }
    }
}

int main(int argc, char **argv) {
    uint32_t sends;
    if (argc != 7) { fputs("open_loop HOST PORT CONNECTIONS TIMEOUT_S PATIENCE_S KEEP < plan > outcome\n", stderr); return 2; }
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) { fputs("open_loop: HOST: an IPv4 address\n", stderr); return 2; }
    connection_count = atoi(argv[3]), timeout_s = atof(argv[4]), patience_s = atof(argv[5]), keep = atoi(argv[6]);
    must_read(&request_count, 4);
    must_read(&sends, 4);
    requests = calloc(request_count, sizeof *requests);
    for (uint32_t i = 0; i < request_count; i++) {
        must_read(&requests[i].length, 4);
        requests[i].bytes = malloc(requests[i].length);
        must_read(requests[i].bytes, requests[i].length);
    }
    times = calloc(sends, sizeof *times);
    must_read(times, sends * sizeof *times);
    outcomes = calloc(sends, sizeof *outcomes);
    connections = calloc(connection_count, sizeof *connections);
    idle = calloc(connection_count, sizeof *idle);
    if ((epoll_fd = epoll_create1(0)) < 0) fail("epoll_create1");
    for (int i = 0; i < connection_count; i++) {
        connections[i].send = -1;
        open_again(&connections[i]);
        idle[idle_count++] = i;
    }
    usleep(20000); /* enough for a listening server to accept them */
    start = now();
    double looked = 0;
    for (uint32_t next = 0; next < sends || idle_count < connection_count;) {
        double at = now() - start;
        while (next < sends && idle_count && times[next] <= at) {
            if (at - times[next] > patience_s) { outcomes[next] = (struct outcome){.sent_s = NAN, .latency_s = at - times[next]}; next++; continue; }
            int place = idle[idle_first];
            idle_first = (idle_first + 1) % connection_count, idle_count--;
            begin(&connections[place], next++);
            at = now() - start;
        }
        double pause = next < sends && idle_count ? times[next] - at : 0.05;
        if (pause < 0) pause = 0;
        if (pause > 0.05) pause = 0.05;
        struct timespec wait = {.tv_nsec = pause * 1e9};
        struct epoll_event events[256];
        int found = epoll_pwait2(epoll_fd, events, 256, &wait, NULL);
        if (found < 0 && errno != EINTR) fail("epoll_pwait2");
        for (int i = 0; i < found; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                watch(c, EPOLL_CTL_MOD, EPOLLIN);
                if (c->send >= 0) write_on(c);
            }
            if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_on(c);
        }
        if (at - looked < 0.1) continue;
        looked = at;
        for (int i = 0; i < connection_count; i++)
            if (connections[i].send >= 0 && at - times[connections[i].send] > timeout_s) lose(&connections[i]);
    }
    fwrite(&start, sizeof start, 1, stdout);
    fwrite(outcomes, sizeof *outcomes, sends, stdout);
    if (kept_length) fwrite(kept, kept_length, 1, stdout);
    return fflush(stdout) ? 1 : 0;
}
