# As the lesson has it.
import socket
import sys


def main():
    s = socket.socket()
    s.connect(("localhost", int(sys.argv[1])))
    msg = "Hello Server HBD"
    b = msg.encode()
    s.send(b)
    b = s.recv(1024)
    msg = b.decode()
    print(msg)


main()
