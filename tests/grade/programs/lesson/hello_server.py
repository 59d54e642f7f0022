# As the lesson has it: accepts one client, and ends.
import socket
import sys


def main():
    s = socket.socket()
    s.bind(("localhost", int(sys.argv[1])))
    s.listen(5)
    print("Server is Running....")
    c = s.accept()
    print("Connection is established...")


main()
