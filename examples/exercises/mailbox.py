import collections
import socketserver
import sys
import threading

boxes = collections.defaultdict(collections.deque)
lock = threading.Lock()


def answer(words):
    with lock:
        if words[0] == "PUT" and len(words) == 3:
            boxes[words[1]].append(words[2])
            return "OK"
        if words[0] == "GET" and len(words) == 2:
            box = boxes[words[1]]
            return box.popleft() if box else "empty"
        if words[0] == "COUNT" and len(words) == 2:
            return str(len(boxes[words[1]]))
    return "Error: PUT NAME TEXT, GET NAME, COUNT NAME or QUIT"


class Mailbox(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            words = line.decode(errors="replace").rstrip("\r\n").split(" ", 2)
            if words == ["QUIT"]:
                return
            self.wfile.write(f"{answer(words)}\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1])), Mailbox) as server:
    server.serve_forever()
