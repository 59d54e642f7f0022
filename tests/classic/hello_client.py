# The lesson's hello client. Prints the exact bytes received.
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", int(sys.argv[1])))
print(repr(client.recv(1024)))
client.close()
