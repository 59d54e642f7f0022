# The lesson's hello server at any free port.
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 0))
server.listen(5)
print("port", server.getsockname()[1], flush=True)
print("Server is Running....", flush=True)
connection, address = server.accept()
print("Connection is established...", flush=True)
connection.close()
