# A calculator server over UDP: a datagram is a request.
import socket
import sys


def answer(request):
    words = request.split()
    if len(words) != 3:
        return "Error: expected O1 O2 OP"
    o1, o2, operator = words
    try:
        a, b = int(o1), int(o2)
    except ValueError:
        return "Error: not an integer"
    if operator == "+":
        return f"Sum of {o1} and {o2} is {a + b}"
    if operator == "-":
        return f"Diff of {o1} and {o2} is {a - b}"
    if operator == "*":
        return f"Product of {o1} and {o2} is {a * b}"
    if operator == "/":
        return "Error: division by zero" if b == 0 else f"Div of {o1} and {o2} is {a / b}"
    return "Error: unknown operator"


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, address = server.recvfrom(65535)
    reply = answer(data.decode(errors="replace")).encode()
    if data.endswith(b"\n"):
        reply += b"\n"
    server.sendto(reply, address)
