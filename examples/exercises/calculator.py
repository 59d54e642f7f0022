import socketserver
import sys


def answer(request):
    words = request.split()
    if len(words) != 3:
        return "Error: write two numbers with an operator between them"
    left, operator, right = words
    try:
        a, b = int(left), int(right)
    except ValueError:
        return "Error: that is not a whole number"
    if operator == "+":
        return str(a + b)
    if operator == "-":
        return str(a - b)
    if operator == "*":
        return str(a * b)
    if operator == "/":
        return str(a / b) if b != 0 else "Error: division by zero"
    return "Error: the operators are + - * /"


class Calculator(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            reply = answer(line.decode(errors="replace"))
            self.wfile.write(f"{reply}\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1])), Calculator) as server:
    server.serve_forever()
