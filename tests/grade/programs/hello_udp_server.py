# A hello server over UDP: answers each datagram.
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, address = server.recvfrom(65535)
    print("Datagram received from", address, flush=True)
    server.sendto(b"Hello\n" if data.endswith(b"\n") else b"Hello", address)
