# A message server for the lesson's clients: no line ends, a thread for each client.
import socket
import sys
import threading


def serve(client):
    print("Connection Established", flush=True)
    try:
        while True:
            data = client.recv(1024)
            if not data:
                break
            print(data.decode(errors="replace"), flush=True)
            client.sendall(b"Thanks...")
    except OSError:
        pass
    finally:
        client.close()


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
while True:
    client, address = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
