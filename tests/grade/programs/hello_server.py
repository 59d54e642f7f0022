# A hello server: prints a greeting for each client and closes.
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
print("Server is Running....", flush=True)
while True:
    client, address = server.accept()
    print("Connection is established...", flush=True)
    client.close()
