/*
 * Preloaded into wineserver, which asks a failed socket for its error. On Linux that takes the error
 * away (socket(7), SO_ERROR), so a program's recv() sees the end of the stream instead of a reset.
 * Here the error of a connection that was reset is reported and stays where it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Whether a connection was established and then reset, and nobody has read the error yet. */
static int holds_reset(int fd) {
  struct pollfd state = {.fd = fd};
  if (poll(&state, 1, 0) != 1 || !(state.revents & POLLERR)) return 0;
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  /* A connection that was refused has never measured a round trip. */
  return info.tcpi_state == TCP_CLOSE && info.tcpi_rtt > 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
  static int (*real)(int, int, int, void *, socklen_t *);
  if (!real) real = dlsym(RTLD_NEXT, "getsockopt");
  if (level == SOL_SOCKET && name == SO_ERROR && holds_reset(fd)) {
    *(int *)value = ECONNRESET;
    return 0;
  }
  return real(fd, level, name, value, size);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags) {
  static ssize_t (*real)(int, void *, size_t, int);
  if (!real) real = dlsym(RTLD_NEXT, "recv");
  int unread = 0;
  if ((flags & MSG_PEEK) && ioctl(fd, FIONREAD, &unread) == 0 && unread == 0 && holds_reset(fd)) {
    errno = ECONNRESET;
    return -1;
  }
  return real(fd, buffer, size, flags);
}
