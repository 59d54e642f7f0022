# The lesson's message client: one send without a line end, one recv. Prints exact bytes.
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", int(sys.argv[1])))
client.send("Hello Server HBD".encode())
print(repr(client.recv(1024)))
client.close()
