/* The calculator server of a first lesson in C: one client after another, nothing checked. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_in address = {0};
  int server = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_port = htons(atoi(argv[1]));
  address.sin_addr.s_addr = INADDR_ANY;
  bind(server, (struct sockaddr *)&address, sizeof address);
  listen(server, 1);
  printf("Calculator Server is running....\n");
  while (1) {
    int client = accept(server, NULL, NULL);
    char request[1024], reply[256], op;
    int count, a, b;
    while ((count = read(client, request, sizeof request - 1)) > 0) {
      request[count] = '\0';
      sscanf(request, "%d %d %c", &a, &b, &op);
      if (op == '+') sprintf(reply, "Sum of %d and %d is %d", a, b, a + b);
      if (op == '-') sprintf(reply, "Diff of %d and %d is %d", a, b, a - b);
      if (op == '*') sprintf(reply, "Product of %d and %d is %d", a, b, a * b);
      if (op == '/') sprintf(reply, "Div of %d and %d is %.2f", a, b, (double)a / b);
      write(client, reply, strlen(reply));
    }
    close(client);
  }
}
