"""Sends the same bytes without a pause over some connections, and reads the replies, until stdin ends.

usage: flood.py PORT CONNECTIONS, and on stdin a line with the bytes in hexadecimal
"""
import selectors
import socket
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
data = bytes.fromhex(sys.stdin.readline())
data *= max(1, 262_144 // len(data))  # as much as the kernel accepts at once
selector = selectors.DefaultSelector()
selector.register(sys.stdin, selectors.EVENT_READ)
sent = {}
for _ in range(count):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
    sent[connection] = 0
print("flooding", flush=True)
while True:
    for key, events in selector.select():
        connection = key.fileobj
        if connection is sys.stdin:
            sys.exit(0)
        try:
            if events & selectors.EVENT_READ and connection.recv(1 << 20) == b"":
                raise ConnectionError
            if events & selectors.EVENT_WRITE:
                sent[connection] = (sent[connection] + connection.send(data[sent[connection]:])) % len(data)
        except BlockingIOError:
            pass
        except OSError:
            selector.unregister(connection)
