import socketserver
import sys
import threading

clients = {}
lock = threading.Lock()


class Chat(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(f"{text}\n".encode())

    def tell_others(self, name, text):
        with lock:
            for other, client in clients.items():
                if other != name:
                    client.say(text)

    def handle(self):
        name = self.rfile.readline().decode(errors="replace").strip()
        if name == "":
            return
        self.say(f"Hello {name}")
        with lock:
            clients[name] = self
        self.tell_others(name, f"{name} has joined")
        try:
            for line in self.rfile:
                text = line.decode(errors="replace").rstrip("\r\n")
                self.tell_others(name, f"{name}: {text}")
        except ConnectionError:
            pass
        finally:
            with lock:
                del clients[name]
            self.tell_others(name, f"{name} has left")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1])), Chat) as server:
    server.serve_forever()
