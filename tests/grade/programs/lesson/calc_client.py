# As the lesson has it.
import socket
import sys


def main():
    s = socket.socket()
    s.connect(("localhost", int(sys.argv[1])))
    cmd = input("Enter Command ")
    b = cmd.encode()
    s.send(b)
    b = s.recv(1024)
    output = b.decode()
    print(output)


main()
