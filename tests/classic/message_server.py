# The lesson's message server at any free port: one recv, one send without a line
# end. It leaves the connection open.
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 0))
server.listen(5)
print("port", server.getsockname()[1], flush=True)
connection, address = server.accept()
print("Connection Established", flush=True)
print(connection.recv(1024).decode().rstrip("\n"), flush=True)
connection.send("Thanks...".encode())
input()
