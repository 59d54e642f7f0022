# Message, client: send a message, print the reply.
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 4041

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", port))

client.send("Hello Server HBD".encode())
print(client.recv(1024).decode().rstrip("\r\n"))

client.close()
