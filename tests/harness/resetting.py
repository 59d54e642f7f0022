# Accepts connections and resets each at once; prints its port.
import socket
import struct

listener = socket.create_server(("127.0.0.1", 0), backlog=256)
print(listener.getsockname()[1], flush=True)
while True:
    peer, _ = listener.accept()
    # SO_LINGER of 0 seconds: close sends RST
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
