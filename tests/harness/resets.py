# Opens connections and resets them at once: resets.py PORT COUNT [WHEN]
# WHEN: accept (before they can be accepted), read (in the middle of a request)
# or write (with answers in flight).
import socket
import struct
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
when = sys.argv[3] if len(sys.argv) > 3 else "accept"
reset = struct.pack("ii", 1, 0)  # SO_LINGER of 0 seconds: close sends RST
for _ in range(count):
    peer = socket.socket()
    peer.connect(("127.0.0.1", port))
    if when == "read":
        peer.send(b"1 1 +\n10 2")
    if when == "write":
        peer.send(b"1 1 +\n" * 1000)
        peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    peer.close()
