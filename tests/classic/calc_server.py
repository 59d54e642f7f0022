# The lesson's calculator server at any free port: recv, calculate, send without a
# line end, again and again, one client after another. It never calls close().
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 0))
server.listen(5)
print("port", server.getsockname()[1], flush=True)
while True:
    connection, address = server.accept()
    while True:
        command = connection.recv(1024).decode()
        if not command:
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
