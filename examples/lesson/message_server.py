# Message, server: print what one client sends, and thank it.
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 4041

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(5)
print("Message Server is running....", flush=True)

connection, address = server.accept()
print("Connection Established", flush=True)

message = connection.recv(1024).decode()  # bytes to text
print(message.rstrip("\r\n"), flush=True)
connection.send("Thanks...".encode())  # text to bytes

connection.close()
server.close()
