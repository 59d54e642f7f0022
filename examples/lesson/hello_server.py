# Hello, server: wait for one client, report it, and close.
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 4030

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # IPv4, TCP
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))  # this address and port
server.listen(5)  # up to 5 clients may wait
print("Server is Running....", flush=True)

connection, address = server.accept()  # waits here for a client
print("Connection is established...", flush=True)

connection.close()
server.close()
