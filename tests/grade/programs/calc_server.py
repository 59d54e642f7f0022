# A calculator server for the lesson's clients: no line ends, a thread for each client.
import signal
import socket
import sys
import threading


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
        if b == 0:
            return "Error: division by zero"
        return f"Div of {o1} and {o2} is {a / b}"
    return "Error: unknown operator"


def serve(client):
    try:
        while True:
            data = client.recv(1024)
            if not data:
                break
            try:
                request = data.decode()
            except UnicodeDecodeError:
                client.sendall(b"Error: not text")
                continue
            client.sendall(answer(request).encode())
    except OSError:
        pass
    finally:
        client.close()


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
while True:
    client, address = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
