# Runs a command in a pseudo-terminal: terminal_session.py COLUMNS STEPS COMMAND...
# STEPS is a JSON array of [action, text]: "see" waits until the text has appeared
# since the previous step (at most 30 s), "type" types it. Prints what the terminal
# showed, without cursor movement, then the exit code.
import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

columns, steps, command = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(command[0], command)
shown, read = b"", 0


def plain(data):
    return re.sub(rb"\x1b\[[\d;?]*[A-Za-z]", b"", data).replace(b"\r\n", b"\n").replace(b"\r", b"")


def receive(seconds):
    global shown
    if not select.select([terminal], [], [], seconds)[0]:
        return False
    try:
        data = os.read(terminal, 4096)
    except OSError:
        data = b""
    shown += data
    return data != b""


failed = None
for action, text in steps:
    if action == "type":
        os.write(terminal, text.encode())
        continue
    end = time.time() + 30
    while text.encode() not in plain(shown)[read:]:
        if not receive(max(0, end - time.time())) and text.encode() not in plain(shown)[read:]:
            failed = f"not seen: {text!r}"
            break
    if failed:
        break
    read = plain(shown).index(text.encode(), read) + len(text.encode())
end = time.time() + 10
while not failed and receive(max(0, end - time.time())):
    pass
if failed or time.time() > end:
    os.kill(pid, 9)
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(plain(shown))
print("\n" + (failed or f"exit code {os.waitstatus_to_exitcode(status)}"))
