# As the lesson has it: one request for each connection, which is closed when the next one comes.
import socket
import sys


def main():
    s = socket.socket()
    s.bind(("localhost", int(sys.argv[1])))
    s.listen(5)
    print("Calculator Server is running....")
    while True:
        c = s.accept()
        cs = c[0]
        b = cs.recv(1024)
        cmd = b.decode()
        o1, o2, opr = cmd.split()
        if opr == "+":
            output = f"Sum of {o1} and {o2} is {int(o1) + int(o2)}"
        elif opr == "-":
            output = f"Diff of {o1} and {o2} is {int(o1) - int(o2)}"
        elif opr == "*":
            output = f"Product of {o1} and {o2} is {int(o1) * int(o2)}"
        elif opr == "/":
            output = f"Div of {o1} and {o2} is {int(o1) / int(o2)}"
        else:
            break
        b = output.encode()
        cs.send(b)


main()
