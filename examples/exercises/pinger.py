import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    request, client = server.recvfrom(65535)
    words = request.decode(errors="replace").split()
    if len(words) == 2 and words[0] == "PING":
        server.sendto(f"PONG {words[1]}".encode(), client)
