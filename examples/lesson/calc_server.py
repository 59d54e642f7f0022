# Calculator, server: answer "10 20 +" with "Sum of 10 and 20 is 30".
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 4040

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(5)
print("Calculator Server is running....", flush=True)

while True:  # one client after another
    connection, address = server.accept()
    while True:  # one command after another
        command = connection.recv(1024).decode()
        if not command:  # the client has closed
            break
        o1, o2, operator = command.split()
        a, b = int(o1), int(o2)
        if operator == "+":
            answer = f"Sum of {o1} and {o2} is {a + b}"
        elif operator == "-":
            answer = f"Diff of {o1} and {o2} is {a - b}"
        elif operator == "*":
            answer = f"Product of {o1} and {o2} is {a * b}"
        else:
            answer = f"Div of {o1} and {o2} is {a / b}"
        connection.send(answer.encode())
    connection.close()
