/* The lesson's message client, with each call checked. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *message = "Hello Server HBD";
  char reply[1025];
  struct timeval limit = {3, 0};
  struct sockaddr_in address = {0};
  int client = socket(AF_INET, SOCK_STREAM, 0);
  int port = argc > 1 ? atoi(argv[1]) : 40;
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connect(client, (struct sockaddr *)&address, sizeof address) < 0) {
    perror("connect");
    return 1;
  }
  send(client, message, strlen(message), 0);
  ssize_t count = recv(client, reply, sizeof reply - 1, 0);
  if (count < 0) {
    perror("recv");
    return 1;
  }
  if (count == 0) {
    fprintf(stderr, "the server closed without a reply\n");
    return 1;
  }
  reply[count] = '\0';
  printf("%s\n", reply);
  close(client);
  return 0;
}
