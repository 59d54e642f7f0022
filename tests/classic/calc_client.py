# The lesson's calculator client: one send without a line end and one recv for
# each command. Prints the exact bytes.
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", int(sys.argv[1])))
for command in sys.argv[2:]:
    client.send(command.encode())
    print(repr(client.recv(1024)))
client.close()
