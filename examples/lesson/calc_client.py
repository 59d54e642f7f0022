# Calculator, client: ask for commands, print the answers.
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 4040

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", port))

while True:
    try:
        command = input("Enter Command ")
    except EOFError:  # Ctrl-D
        break
    if command:
        client.send(command.encode())
        print(client.recv(1024).decode().rstrip("\r\n"))

client.close()
