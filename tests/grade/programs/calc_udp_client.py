# A calculator client over UDP.
import socket
import sys

command = input("Enter Command ")
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(3)
try:
    client.connect(("127.0.0.1", int(sys.argv[1])))
    client.send(command.encode())
    text = client.recv(65535).decode()
except OSError as error:
    sys.exit(f"calc: {error}")
print(text)
if text.startswith("Error: "):
    sys.exit(1)
