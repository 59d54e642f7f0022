# As the lesson has it: one client, one recv(), one send(), and the end.
import socket
import sys


def main():
    s = socket.socket()
    s.bind(("localhost", int(sys.argv[1])))
    s.listen(10)
    print("Message Server is running....")
    c = s.accept()
    print("Connection Established")
    cs = c[0]
    b = cs.recv(1024)
    msg = b.decode()
    print(msg)
    msg = "Thanks..."
    cs.send(msg.encode())


main()
