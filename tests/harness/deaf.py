# Opens connections that send requests and never read: deaf.py PORT COUNT
# Each pipelines requests until the system accepts no more, then stays idle until
# the end of stdin. Prints "ready" once all are stuck.
import socket
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])
request = b"1 1 +\n" * 4096
peers = []
for _ in range(count):
    peer = socket.socket()
    for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # small ones, soon full
        peer.setsockopt(socket.SOL_SOCKET, buffer, 4096)
    peer.connect(("127.0.0.1", port))
    peer.setblocking(False)
    peers.append(peer)
moved = time.monotonic()
while time.monotonic() - moved < 0.3:
    for peer in peers:
        try:
            peer.send(request)
            moved = time.monotonic()
        except BlockingIOError:
            pass
    time.sleep(0.01)
print("ready", flush=True)
sys.stdin.read()
