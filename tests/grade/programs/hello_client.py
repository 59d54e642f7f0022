# A hello client: connects and says so.
import socket
import sys

try:
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=3)
except OSError as error:
    sys.exit(f"hello: {error}")
print("connected")
client.close()
