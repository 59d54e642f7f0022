# A calculator server for the lesson's clients, without threads: select() waits for all of them.
import select
import socket
import sys

nouns = {"+": "Sum", "-": "Diff", "*": "Product", "/": "Div"}


def answer(request):
    words = request.split()
    if len(words) != 3:
        return "Error: expected O1 O2 OP"
    o1, o2, operator = words
    try:
        a, b = int(o1), int(o2)
    except ValueError:
        return "Error: not an integer"
    if operator not in nouns:
        return "Error: unknown operator"
    if operator == "/" and b == 0:
        return "Error: division by zero"
    results = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else 0}
    return f"{nouns[operator]} of {o1} and {o2} is {results[operator]}"


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
clients = []
while True:
    ready, _, _ = select.select([server] + clients, [], [])
    for one in ready:
        if one is server:
            clients.append(server.accept()[0])
            continue
        try:
            data = one.recv(1024)
        except OSError:
            data = b""
        if not data:
            clients.remove(one)
            one.close()
            continue
        text = data.decode(errors="replace")
        try:
            one.sendall(answer(text).encode())
        except OSError:
            clients.remove(one)
            one.close()
