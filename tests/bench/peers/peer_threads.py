"""The calculator on socketserver, a thread for each connection: peer_threads.py tcp|udp"""

import contextlib
import socketserver
import sys

NOUNS = {"+": "Sum", "-": "Diff", "*": "Product"}


def calculate(request):
    a, b, operator = request.split()
    x, y = int(a), int(b)
    result = x + y if operator == "+" else x - y if operator == "-" else x * y
    return f"{NOUNS[operator]} of {a} and {b} is {result}"


class Stream(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the client is done
            for line in self.rfile:
                self.wfile.write((calculate(line.decode()) + "\n").encode())


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        socket.sendto(calculate(data.decode()).encode(), self.client_address)


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 4096
    daemon_threads = True
    block_on_close = False


if sys.argv[1] == "udp":
    server = socketserver.UDPServer(("127.0.0.1", 0), Datagram)
else:
    server = Server(("127.0.0.1", 0), Stream)
print(server.server_address[1], flush=True)
server.serve_forever()
