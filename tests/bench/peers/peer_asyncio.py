"""The calculator on asyncio, as protocols, which are faster than streams:
peer_asyncio.py tcp|udp"""

import asyncio
import socket
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


async def main():
    loop = asyncio.get_running_loop()
    if sys.argv[1] == "udp":
        transport, _ = await loop.create_datagram_endpoint(
            Datagrams, local_addr=("127.0.0.1", 0)
        )
        print(transport.get_extra_info("sockname")[1], flush=True)
    else:
        server = await loop.create_server(Stream, "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
