# Sends one UDP datagram with the given source port: forge.py FROM TO TEXT
# Needs a raw socket (root); prints "no raw sockets" without one.
import socket
import struct
import sys

source, target, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
try:
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
except PermissionError:
    print("no raw sockets")
    sys.exit(0)
header = struct.pack("!HHHH", source, target, 8 + len(text), 0)  # no checksum
raw.sendto(header + text, ("127.0.0.1", 0))
print("sent")
