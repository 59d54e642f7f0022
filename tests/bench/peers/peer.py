"""The calculator on Python's own modules: peer.py asyncio|threads tcp|udp

asyncio uses protocols, which are faster than streams; threads is socketserver
with a thread for each connection."""

import asyncio
import contextlib
import socket
import socketserver
import sys

NOUNS = {"+": "Sum", "-": "Diff", "*": "Product"}


def calculate(request):
    a, b, operator = request.split()
    x, y = int(a), int(b)
    result = x + y if operator == "+" else x - y if operator == "-" else x * y
    return f"{NOUNS[operator]} of {a} and {b} is {result}"


class Stream(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.pending = b""
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        *lines, self.pending = (self.pending + data).split(b"\n")
        replies = [calculate(line.decode()) + "\n" for line in lines]
        self.transport.write("".join(replies).encode())


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, sender):
        self.transport.sendto(calculate(data.decode()).encode(), sender)


async def serve_asyncio(udp):
    loop = asyncio.get_running_loop()
    if udp:
        transport, _ = await loop.create_datagram_endpoint(
            Datagrams, local_addr=("127.0.0.1", 0)
        )
        print(transport.get_extra_info("sockname")[1], flush=True)
    else:
        server = await loop.create_server(Stream, "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


class StreamHandler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the client is done
            for line in self.rfile:
                self.wfile.write((calculate(line.decode()) + "\n").encode())


class DatagramHandler(socketserver.BaseRequestHandler):
    def handle(self):
        data, receiver = self.request
        receiver.sendto(calculate(data.decode()).encode(), self.client_address)


class ThreadingServer(socketserver.ThreadingTCPServer):
    request_queue_size = 4096
    daemon_threads = True
    block_on_close = False


def serve_threads(udp):
    if udp:
        server = socketserver.UDPServer(("127.0.0.1", 0), DatagramHandler)
    else:
        server = ThreadingServer(("127.0.0.1", 0), StreamHandler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


kind, transport = sys.argv[1:]
if kind == "asyncio":
    asyncio.run(serve_asyncio(transport == "udp"))
else:
    serve_threads(transport == "udp")
