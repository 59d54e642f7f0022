# A calculator server whose requests are lines, however they arrive.
import socketserver
import sys


def answer(request):
    words = request.split()
    if len(words) != 3:
        return "Error: expected O1 O2 OP"
    o1, o2, operator = words
    try:
        a, b = int(o1), int(o2)
        if operator == "+":
            return f"Sum of {o1} and {o2} is {a + b}"
        if operator == "-":
            return f"Diff of {o1} and {o2} is {a - b}"
        if operator == "*":
            return f"Product of {o1} and {o2} is {a * b}"
        if operator == "/":
            return f"Div of {o1} and {o2} is {a / b}"
    except ZeroDivisionError:
        return "Error: division by zero"
    except ValueError:
        return "Error: not an integer"
    return "Error: unknown operator"


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            for line in self.rfile:
                reply = answer(line.decode(errors="replace"))
                self.wfile.write(reply.encode() + b"\n")
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
