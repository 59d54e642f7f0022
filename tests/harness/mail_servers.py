"""An SMTP and a POP3 server, as far as conversations before the mail go: mail_servers.py PORT PORT"""
import socketserver
import sys
import threading


class Session(socketserver.StreamRequestHandler):
    def say(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def commands(self):
        for line in self.rfile:
            yield line.decode("latin1").strip().partition(" ")


class Smtp(Session):
    def handle(self):
        self.say("220 mail.example ESMTP")
        for name, _, rest in self.commands():
            if name == "EHLO":
                self.say("250-mail.example", "250-SIZE 1000000", "250 8BITMIME")
            elif name in ("MAIL", "RSET", "NOOP"):
                self.say("250 2.0.0 Ok")
            elif name == "QUIT":
                return self.say("221 2.0.0 Bye")
            else:
                self.say("502 5.5.2 Error: command not recognized")


class Pop3(Session):
    def handle(self):
        self.say("+OK POP3 ready")
        for name, _, rest in self.commands():
            if name == "USER":
                self.say("+OK")
            elif name == "QUIT":
                return self.say("+OK Bye")
            else:
                self.say("-ERR authentication failed")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


servers = [Server(("127.0.0.1", int(port)), kind) for port, kind in zip(sys.argv[1:], (Smtp, Pop3))]
for server in servers:
    threading.Thread(target=server.serve_forever).start()
