/*
 * A load generator for calc-servers: one process, one thread, no framework, so
 * that it is faster than the server it measures. Its own load is in the result
 * ("generatorBusy", 1 is a whole core): below 1 it was not the bottleneck.
 *
 *   load tcp     -p PORT -c CONNECTIONS -d DEPTH -s SECONDS
 *   load connect -p PORT -c CONNECTIONS -s SECONDS
 *   load udp     -p PORT -c SOCKETS -s SECONDS
 *   load idle    -p PORT -c CONNECTIONS -s SECONDS -i PID
 *   load bulk    -p PORT -c CONNECTIONS -s SECONDS
 *   load sink
 *
 * tcp      each connection sends DEPTH requests in one write, waits for all
 *          their replies, and sends the next: a closed loop.
 * connect  each of CONNECTIONS connects, asks once, closes, and connects again.
 * udp      each socket sends a datagram, waits for the reply, and sends the next.
 *          A request not answered within 200 ms is lost, and sent again.
 * idle     CONNECTIONS ask once each and stay. Reports how much memory process PID
 *          holds for each, and how long a probe (connect, ask, close) takes.
 * bulk     each connection, in a process of its own, sends as fast as it can, then
 *          waits for the count of bytes that arrived: "perSecond" is in bytes.
 * sink     the other end of bulk: prints its port, counts the bytes of each
 *          connection, and answers with the count.
 *
 * Every reply is compared with the right one, byte for byte; a wrong reply ends
 * the run with exit code 1. Prints one JSON object.
 *
 * Latencies are kept for every request, in buckets of 1.6% width. A closed loop
 * sends nothing while it waits, so a stall counts once although many requests would
 * have suffered: coordinated omission. "corrected" adds the requests that would have
 * been sent meanwhile at the usual pace (the median), as HdrHistogram does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000 * 1000 * 1000;
static const int64_t LOST_AFTER = 200 * 1000 * 1000;

static void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

/* Nanoseconds of a clock that only goes forward. */
static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

/* Seconds of CPU time that this process has used. */
static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- Latencies: 64 buckets for each power of two ---- */

enum { STEPS = 64, BUCKETS = 40 * STEPS };

struct histogram {
  uint64_t counts[BUCKETS];
  uint64_t total;
  int64_t most;
};

static int bucket_of(int64_t value) {
  if (value < STEPS) return value < 0 ? 0 : (int)value;
  int shift = 63 - __builtin_clzll((uint64_t)value) - 6;
  int bucket = (shift + 1) * STEPS + (int)(value >> shift) - STEPS;
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The middle of a bucket. */
static int64_t value_of(int bucket) {
  if (bucket < STEPS) return bucket;
  int shift = bucket / STEPS - 1;
  int64_t width = (int64_t)1 << shift;
  return (int64_t)(STEPS + bucket % STEPS) * width + width / 2;
}

static void record(struct histogram *histogram, int64_t value) {
  histogram->counts[bucket_of(value)]++;
  histogram->total++;
  if (value > histogram->most) histogram->most = value;
}

static int64_t quantile(const struct histogram *histogram, double share) {
  uint64_t wanted = (uint64_t)(share * (double)histogram->total);
  uint64_t seen = 0;
  for (int bucket = 0; bucket < BUCKETS; bucket++) {
    seen += histogram->counts[bucket];
    if (seen > wanted) return value_of(bucket);
  }
  return histogram->most;
}

/* Adds what a client at the usual pace would have waited during each stall. */
static void correct(const struct histogram *raw, struct histogram *corrected) {
  *corrected = *raw;
  int64_t interval = quantile(raw, 0.5);
  if (interval < 1) return;
  for (int bucket = 0; bucket < BUCKETS; bucket++) {
    uint64_t count = raw->counts[bucket];
    if (count == 0) continue;
    for (int64_t missed = value_of(bucket) - interval; missed >= interval; missed -= interval) {
      corrected->counts[bucket_of(missed)] += count;
      corrected->total += count;
    }
  }
}

static void print_histogram(const char *name, const struct histogram *histogram) {
  printf(",\"%s\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}", name,
         quantile(histogram, 0.5) / 1e3, quantile(histogram, 0.9) / 1e3,
         quantile(histogram, 0.99) / 1e3, quantile(histogram, 0.999) / 1e3,
         histogram->most / 1e3);
}

/* ---- Requests and the expected replies ---- */

enum { EXCHANGES = 256, MAX_DEPTH = 256, LINES = EXCHANGES + MAX_DEPTH };

static struct {
  char requests[LINES * 32], replies[LINES * 64];
  /* Where line N begins; it ends where the next begins. */
  int request_at[LINES + 1], reply_at[LINES + 1];
} exchanges;

/* The same numbers in every run: up to six digits, both signs. */
static void make_exchanges(void) {
  static const char *nouns[] = {"Sum", "Diff", "Product"};
  uint32_t random = 1;
  char *request = exchanges.requests, *reply = exchanges.replies;
  for (int line = 0; line < LINES; line++) {
    if (line == EXCHANGES) random = 1; /* starts over: a pipeline may wrap around the end */
    long operands[2];
    for (int i = 0; i < 2; i++) {
      random = random * 1664525 + 1013904223;
      operands[i] = (long)(random >> 8) % (i == 0 ? 1000000 : 1000) - (line % 8 == 0 ? 5000 : 0);
    }
    long a = operands[0], b = operands[1];
    long results[] = {a + b, a - b, a * b};
    exchanges.request_at[line] = (int)(request - exchanges.requests);
    exchanges.reply_at[line] = (int)(reply - exchanges.replies);
    request += sprintf(request, "%ld %ld %c\n", a, b, "+-*"[line % EXCHANGES % 3]);
    reply += sprintf(reply, "%s of %ld and %ld is %ld\n", nouns[line % EXCHANGES % 3], a, b,
                     results[line % EXCHANGES % 3]);
  }
  exchanges.request_at[LINES] = (int)(request - exchanges.requests);
  exchanges.reply_at[LINES] = (int)(reply - exchanges.replies);
}

/* ---- Clients ---- */

struct client {
  int fd;
  int number;
  int line;     /* the first exchange pending */
  int depth;    /* how many are pending */
  int answered; /* how many of them are complete */
  int received; /* bytes of their replies received */
  int total;    /* replies so far */
  int64_t asked_at;
};

static struct {
  const char *mode;
  int port, connections, depth, pid;
  double seconds;
  int epoll;
  uint64_t answers, lost;
  struct histogram latency;
} load = {.connections = 1, .depth = 1, .seconds = 1};

static struct sockaddr_in server_address(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/* Clients use 64 addresses of the loopback network: one has too few ports. */
static void open_client(struct client *client, int type) {
  client->fd = socket(AF_INET, type, 0);
  if (client->fd < 0) fail("cannot open socket %d: %s", client->number, strerror(errno));
  int on = 1;
  if (type == SOCK_STREAM) {
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in local = {.sin_family = AF_INET};
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)client->number % 64);
    if (bind(client->fd, (struct sockaddr *)&local, sizeof local) < 0)
      fail("cannot bind: %s", strerror(errno));
  }
  struct sockaddr_in server = server_address();
  if (connect(client->fd, (struct sockaddr *)&server, sizeof server) < 0)
    fail("cannot connect: %s", strerror(errno));
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
    fail("cannot watch: %s", strerror(errno));
}

/* Requests are short: the kernel accepts a whole pipeline at once. */
static void ask(struct client *client, int depth, int line_end) {
  client->line = (client->line + client->depth) % EXCHANGES;
  client->depth = depth;
  client->answered = client->received = 0;
  client->asked_at = now();
  const char *bytes = exchanges.requests + exchanges.request_at[client->line];
  int end = exchanges.request_at[client->line + depth] - (line_end ? 0 : 1);
  int length = end - exchanges.request_at[client->line];
  if (send(client->fd, bytes, (size_t)length, MSG_NOSIGNAL) != length)
    fail("cannot send: %s", strerror(errno));
}

/* Reads what has arrived; returns whether all replies are complete. */
static int receive_replies(struct client *client) {
  char buffer[65536];
  ssize_t count = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0) fail("cannot receive: %s", strerror(errno));
  if (count == 0) fail("closed by the server");
  int start = exchanges.reply_at[client->line];
  int end = exchanges.reply_at[client->line + client->depth];
  const char *expected = exchanges.replies + start + client->received;
  if (count > end - start - client->received || memcmp(buffer, expected, (size_t)count) != 0)
    fail("wrong reply: %.*s, expected %.*s", (int)count, buffer, (int)count, expected);
  client->received += (int)count;
  int64_t waited = now() - client->asked_at;
  while (client->answered < client->depth &&
         start + client->received >= exchanges.reply_at[client->line + client->answered + 1]) {
    client->answered++;
    client->total++;
    load.answers++;
    record(&load.latency, waited);
  }
  return client->answered == client->depth;
}

/* Replies of the client that got the fewest, relative to the average. */
static double least_share(const struct client *clients) {
  int least = clients[0].total;
  for (int i = 1; i < load.connections; i++)
    if (clients[i].total < least) least = clients[i].total;
  return load.answers == 0 ? 0 : (double)least * load.connections / (double)load.answers;
}

static struct client *make_clients(void) {
  struct client *clients = calloc((size_t)load.connections, sizeof *clients);
  for (int i = 0; i < load.connections; i++) {
    clients[i].number = i;
    clients[i].line = i * 7 % EXCHANGES;
  }
  return clients;
}

/* Waits for the next events of any client, until the end. */
static int wait_for(struct epoll_event *events, int most, int64_t end) {
  int64_t left = end - now();
  if (left <= 0) return -1;
  int count = epoll_wait(load.epoll, events, most, (int)(left / 1000000) + 1);
  if (count < 0 && errno != EINTR) fail("cannot wait: %s", strerror(errno));
  return count < 0 ? 0 : count;
}

static void run_tcp(struct client *clients, int64_t end) {
  struct epoll_event events[512];
  for (int i = 0; i < load.connections; i++) ask(&clients[i], load.depth, 1);
  for (int count; (count = wait_for(events, 512, end)) >= 0;) {
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (receive_replies(client)) ask(client, load.depth, 1);
    }
  }
}

/* The latency includes connecting. */
static void connect_and_ask(struct client *client) {
  int64_t start = now();
  open_client(client, SOCK_STREAM);
  ask(client, 1, 1);
  client->asked_at = start;
}

static void run_connect(struct client *clients, int64_t end) {
  struct epoll_event events[512];
  for (int i = 0; i < load.connections; i++) connect_and_ask(&clients[i]);
  for (int count; (count = wait_for(events, 512, end)) >= 0;) {
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (!receive_replies(client)) continue;
      close(client->fd);
      connect_and_ask(client);
    }
  }
}

/* The reply has no line end, as the request has none. */
static int receive_datagram(struct client *client) {
  char buffer[2048];
  ssize_t count = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0) fail("cannot receive: %s", strerror(errno));
  const char *expected = exchanges.replies + exchanges.reply_at[client->line];
  int length = exchanges.reply_at[client->line + 1] - exchanges.reply_at[client->line] - 1;
  if (count != length || memcmp(buffer, expected, (size_t)length) != 0)
    fail("wrong reply: %.*s, expected %.*s", (int)count, buffer, length, expected);
  load.answers++;
  record(&load.latency, now() - client->asked_at);
  return 1;
}

static void resend_lost(struct client *clients) {
  for (int i = 0; i < load.connections; i++) {
    if (now() - clients[i].asked_at < LOST_AFTER) continue;
    load.lost++;
    close(clients[i].fd); /* discards a late reply */
    open_client(&clients[i], SOCK_DGRAM);
    ask(&clients[i], 1, 0);
  }
}

static void run_udp(struct client *clients, int64_t end) {
  struct epoll_event events[512];
  int64_t next_check = now() + LOST_AFTER;
  for (int i = 0; i < load.connections; i++) ask(&clients[i], 1, 0);
  while (1) {
    int count = wait_for(events, 512, next_check < end ? next_check : end);
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (receive_datagram(client)) ask(client, 1, 0);
    }
    if (now() >= end) return;
    if (now() < next_check) continue;
    resend_lost(clients);
    next_check = now() + LOST_AFTER;
  }
}

/* ---- Idle connections ---- */

/* Kilobytes of memory that a process holds. */
static double memory_of(int pid) {
  char path[64];
  long pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) fail("cannot read %s", path);
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void ask_once(struct client *client) {
  struct epoll_event event;
  ask(client, 1, 1);
  do {
    epoll_wait(load.epoll, &event, 1, -1);
  } while (!receive_replies(client));
}

/* Records the latencies of probes; returns kilobytes per idle connection. */
static double run_idle(struct client *clients) {
  struct client probe = {0};
  for (int64_t end = now() + SECOND; now() < end;) { /* warms up the server */
    connect_and_ask(&probe);
    while (!receive_replies(&probe)) wait_for(&(struct epoll_event){0}, 1, now() + SECOND);
    close(probe.fd);
  }
  double before = memory_of(load.pid);
  for (int i = 0; i < load.connections; i++) {
    open_client(&clients[i], SOCK_STREAM);
    ask_once(&clients[i]);
  }
  double kilobytes = (memory_of(load.pid) - before) / load.connections;
  load.answers = 0;
  load.latency = (struct histogram){0};
  for (int64_t end = now() + (int64_t)(load.seconds * SECOND); now() < end;) {
    connect_and_ask(&probe);
    while (!receive_replies(&probe)) wait_for(&(struct epoll_event){0}, 1, now() + SECOND);
    close(probe.fd);
  }
  return kilobytes;
}

/* ---- A few connections, as fast as possible ---- */

enum { BLOCK = 262144, LAST = 1 };
static char block[BLOCK];

static void send_block(int fd, char first) {
  block[0] = first;
  for (size_t sent = 0; sent < sizeof block;) {
    ssize_t count = send(fd, block + sent, sizeof block - sent, MSG_NOSIGNAL);
    if (count < 0) fail("cannot send: %s", strerror(errno));
    sent += (size_t)count;
  }
  load.answers += sizeof block;
}

/* The last block marks the end, not the end of the stream, which forwarders may lose. */
static void send_bulk(int64_t end) {
  struct client client = {0};
  uint64_t arrived;
  open_client(&client, SOCK_STREAM);
  for (size_t i = 0; i < sizeof block; i++) block[i] = (char)(i * 31);
  while (now() < end) send_block(client.fd, 0);
  send_block(client.fd, LAST);
  if (recv(client.fd, &arrived, sizeof arrived, MSG_WAITALL) != sizeof arrived)
    fail("the far end did not report how much arrived");
  if (arrived != load.answers) fail("%lu of %lu bytes arrived", arrived, load.answers);
  close(client.fd);
}

static void run_bulk(int64_t end) {
  int sums[2];
  if (pipe(sums) < 0) fail("cannot make a pipe: %s", strerror(errno));
  for (int i = 0; i < load.connections; i++) {
    if (fork() != 0) continue;
    send_bulk(end);
    if (write(sums[1], &load.answers, sizeof load.answers) < 0) fail("cannot report the count");
    exit(0);
  }
  for (int i = 0; i < load.connections; i++) {
    uint64_t sum;
    int status;
    if (wait(&status) < 0 || status != 0) fail("a connection failed");
    if (read(sums[0], &sum, sizeof sum) != sizeof sum) fail("a connection reported nothing");
    load.answers += sum;
  }
}

/* Counts the bytes of a connection up to its last block. */
static uint64_t count_blocks(int fd) {
  uint64_t arrived = 0;
  int last = 0;
  for (ssize_t count; (count = recv(fd, block, sizeof block, 0)) > 0;) {
    uint64_t start = (arrived + BLOCK - 1) / BLOCK * BLOCK; /* of the first block in this piece */
    if (start < arrived + (uint64_t)count) last = block[start - arrived] == LAST;
    arrived += (uint64_t)count;
    if (last && arrived % BLOCK == 0) break;
  }
  return arrived;
}

static void run_sink(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = server_address();
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0)
    fail("cannot listen: %s", strerror(errno));
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  signal(SIGCHLD, SIG_IGN); /* ended children need no wait() */
  while (1) {
    int fd = accept(listener, NULL, NULL);
    if (fork() == 0) {
      uint64_t arrived = count_blocks(fd);
      send(fd, &arrived, sizeof arrived, MSG_NOSIGNAL);
      exit(0);
    }
    close(fd);
  }
}

static void read_arguments(int count, char **words) {
  int option;
  if (count < 2) fail("expected tcp, connect, udp, idle, bulk or sink");
  load.mode = words[1];
  optind = 2;
  while ((option = getopt(count, words, "p:c:d:s:i:")) != -1) {
    if (option == 'p') load.port = atoi(optarg);
    else if (option == 'c') load.connections = atoi(optarg);
    else if (option == 'd') load.depth = atoi(optarg);
    else if (option == 's') load.seconds = atof(optarg);
    else if (option == 'i') load.pid = atoi(optarg);
    else exit(2);
  }
  if (strcmp(load.mode, "sink") == 0) return; /* any free port */
  if (load.port < 1 || load.connections < 1 || load.depth < 1 || load.depth > MAX_DEPTH)
    fail("expected a port, and a depth from 1 to %d", MAX_DEPTH);
}

static void raise_file_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **words) {
  read_arguments(count, words);
  if (strcmp(load.mode, "sink") == 0) run_sink();
  raise_file_limit();
  make_exchanges();
  load.epoll = epoll_create1(0);
  struct client *clients = make_clients();
  int udp = strcmp(load.mode, "udp") == 0, idle = strcmp(load.mode, "idle") == 0;
  int connects = strcmp(load.mode, "connect") == 0, bulk = strcmp(load.mode, "bulk") == 0;
  for (int i = 0; i < load.connections && !idle && !connects && !bulk; i++)
    open_client(&clients[i], udp ? SOCK_DGRAM : SOCK_STREAM);

  double kilobytes = 0, cpu = cpu_seconds();
  int64_t start = now(), end = start + (int64_t)(load.seconds * SECOND);
  if (udp) run_udp(clients, end);
  else if (idle) kilobytes = run_idle(clients);
  else if (connects) run_connect(clients, end);
  else if (bulk) run_bulk(end);
  else run_tcp(clients, end);
  double seconds = (double)(now() - start) / SECOND;

  struct histogram *corrected = calloc(1, sizeof *corrected);
  correct(&load.latency, corrected);
  printf("{\"perSecond\":%.0f,\"answers\":%lu,\"lost\":%lu,\"generatorBusy\":%.3f",
         (double)load.answers / seconds, load.answers, load.lost, (cpu_seconds() - cpu) / seconds);
  if (!udp && !idle && !connects && !bulk) printf(",\"leastShare\":%.3f", least_share(clients));
  if (idle) printf(",\"kilobytesEach\":%.2f", kilobytes);
  print_histogram("micros", &load.latency);
  print_histogram("corrected", corrected);
  puts("}");
  return 0;
}
