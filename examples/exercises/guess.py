import random
import socketserver
import sys


class Guess(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(f"{text}\n".encode())

    def handle(self):
        number = random.randint(1, 100)
        self.say("Guess a number from 1 to 100")
        for line in self.rfile:
            guess = line.decode(errors="replace").strip()
            if guess == "give up":
                return self.say(f"It was {number}")
            try:
                value = int(guess)
            except ValueError:
                self.say("that is not a number")
                continue
            if value == number:
                return self.say("right")
            self.say("higher" if value < number else "lower")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1])), Guess) as server:
    server.serve_forever()
