/*
 * The calculator as one epoll loop, the limit of what one thread can do: no
 * checks, whole lines expected, 64-bit integers: peer_epoll tcp|udp
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Writes the reply to the request, a line without its end; returns the length. */
static int calculate(char *request, char *reply) {
  char *a = request, *b = strchr(a, ' ') + 1, *operator= strchr(b, ' ') + 1;
  b[-1] = operator[-1] = 0;
  long long x = atoll(a), y = atoll(b);
  if (*operator== '+') return sprintf(reply, "Sum of %s and %s is %lld", a, b, x + y);
  if (*operator== '-') return sprintf(reply, "Diff of %s and %s is %lld", a, b, x - y);
  return sprintf(reply, "Product of %s and %s is %lld", a, b, x * y);
}

/* Returns whether the connection stays open. */
static int answer(int fd) {
  static char requests[16384 + 1], replies[16384 * 16];
  ssize_t count = recv(fd, requests, sizeof requests - 1, 0);
  if (count <= 0) return 0;
  requests[count] = 0;
  int length = 0;
  for (char *line = requests, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    length += calculate(line, replies + length);
    replies[length++] = '\n';
  }
  return send(fd, replies, (size_t)length, MSG_NOSIGNAL) == length;
}

static void serve_tcp(int listener) {
  int epoll = epoll_create1(0), on = 1;
  struct epoll_event events[512], event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  while (1) {
    int count = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        if (!answer(fd)) close(fd);
        continue;
      }
      event.data.fd = accept(listener, NULL, NULL);
      if (event.data.fd < 0) continue;
      setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
    }
  }
}

static void serve_udp(int socket) {
  char request[65536], reply[65536];
  struct sockaddr_in from;
  while (1) {
    socklen_t size = sizeof from;
    ssize_t count = recvfrom(socket, request, sizeof request - 1, 0, (void *)&from, &size);
    if (count < 0) continue;
    request[count] = 0;
    int length = calculate(request, reply);
    sendto(socket, reply, (size_t)length, 0, (void *)&from, size);
  }
}

int main(int count, char **words) {
  int udp = count > 1 && strcmp(words[1], "udp") == 0;
  int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, (void *)&address, size) < 0 || (!udp && listen(fd, 4096) < 0)) return 1;
  getsockname(fd, (void *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  if (udp) serve_udp(fd);
  serve_tcp(fd);
}
