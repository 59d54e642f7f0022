# neighbour.py sources: asks a UDP calculator at each address of this host (10.9.0.1 and more on
# veth0) and prints the addresses that answered.
# neighbour.py flood MAC: runs on the other host (10.9.0.2 on veth1); prints the longest wait for
# an answer during 20,000 datagrams to MAC that claim to come from a missing neighbour.
import socket
import struct
import subprocess
import sys
import threading
import time

PORT = 4040
server = ("10.9.0.1", PORT)


def ask(address, patience=10):
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.settimeout(0.1)
    started = time.monotonic()
    while time.monotonic() - started < patience:
        try:
            asking.sendto(b"1 1 +", (address, PORT))
            return asking.recvfrom(100)[1][0], time.monotonic() - started
        except OSError:
            time.sleep(0.01)
    return "nobody", patience


def forge(count):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind(("veth1", 0))
    mac = sys.argv[2].replace(":", "")
    text = b"10 20 +"
    datagram = struct.pack("!HHHH", 5555, PORT, 8 + len(text), 0) + text
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0)
    head += socket.inet_aton("10.9.0.99") + socket.inet_aton(server[0])
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    packet = head[:10] + struct.pack("!H", checksum) + head[12:] + datagram
    frame = bytes.fromhex(mac) + b"\x02\0\0\0\0\x01" + b"\x08\x00" + packet
    for _ in range(count):
        raw.send(frame)
        if _ % 100 == 0:
            time.sleep(0.002)


def sources():
    answers = [ask(address)[0] for address in ("127.0.0.1", "10.9.0.1", "10.9.0.7")]
    subprocess.run(["ip", "addr", "add", "10.9.0.9/24", "dev", "veth0"], check=True)
    print("sources", *answers, ask("10.9.0.9")[0], flush=True)


def flood():
    ask(server[0])
    forging = threading.Thread(target=forge, args=(20_000,))
    forging.start()
    waits = []
    end = time.monotonic() + 3
    while time.monotonic() < end or forging.is_alive():
        waits.append(ask(server[0])[1])
        time.sleep(0.01)
    print(f"worst {max(waits):.3f}")


sources() if sys.argv[1] == "sources" else flood()
