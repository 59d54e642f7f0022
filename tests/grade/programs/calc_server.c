/* A calculator server for the lesson's clients: no line ends, a thread for each client. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int parse(const char *word, long long *value) {
  char *end;
  errno = 0;
  *value = strtoll(word, &end, 10);
  return errno == 0 && *end == '\0' && end != word;
}

static void answer(const char *request, char *reply, size_t size) {
  char o1[32], o2[32], op[8], more[2];
  long long a, b, result;
  int words = sscanf(request, "%31s %31s %7s %1s", o1, o2, op, more);
  if (words != 3) {
    snprintf(reply, size, "Error: expected O1 O2 OP");
    return;
  }
  if (!parse(o1, &a) || !parse(o2, &b)) {
    snprintf(reply, size, "Error: not an integer of 64 bits");
    return;
  }
  if (strcmp(op, "+") == 0 && !__builtin_add_overflow(a, b, &result))
    snprintf(reply, size, "Sum of %s and %s is %lld", o1, o2, result);
  else if (strcmp(op, "-") == 0 && !__builtin_sub_overflow(a, b, &result))
    snprintf(reply, size, "Diff of %s and %s is %lld", o1, o2, result);
  else if (strcmp(op, "*") == 0 && !__builtin_mul_overflow(a, b, &result))
    snprintf(reply, size, "Product of %s and %s is %lld", o1, o2, result);
  else if (strcmp(op, "/") == 0 && b != 0)
    snprintf(reply, size, "Div of %s and %s is %f", o1, o2, (double)a / (double)b);
  else
    snprintf(reply, size, "Error: not possible");
}

static void *serve(void *argument) {
  int client = (int)(long)argument;
  char request[1025], reply[256];
  ssize_t count;
  while ((count = recv(client, request, sizeof request - 1, 0)) > 0) {
    request[count] = '\0';
    answer(request, reply, sizeof reply);
    if (send(client, reply, strlen(reply), 0) < 0) break;
  }
  close(client);
  return NULL;
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {0};
  int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
  int port = argc > 1 ? atoi(argv[1]) : 40;
  signal(SIGPIPE, SIG_IGN);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0) {
    perror("bind");
    return 1;
  }
  listen(server, 5);
  for (;;) {
    pthread_t thread;
    int client = accept(server, NULL, NULL);
    if (client < 0) continue;
    if (pthread_create(&thread, NULL, serve, (void *)(long)client) == 0) pthread_detach(thread);
    else close(client);
  }
}
