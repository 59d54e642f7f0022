# A calculator client that sends lines: a command from the user, its answer on the screen.
import socket
import sys


def main():
    command = input("Enter Command ")
    try:
        client = socket.create_connection(("localhost", int(sys.argv[1])), timeout=3)
        client.sendall((command + "\n").encode())
        reply = b""
        while not reply.endswith(b"\n"):
            data = client.recv(1024)
            if not data:
                break
            reply += data
    except OSError as error:
        sys.exit(f"calc: {error}")
    if not reply:
        sys.exit("calc: the server closed without a reply")
    text = reply.decode().rstrip("\n")
    print(text)
    client.close()
    if text.startswith("Error: "):
        sys.exit(1)


main()
