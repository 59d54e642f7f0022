# Runs a command in a pseudo-terminal of 80 by 24: terminal.py PROMPT LINES COMMAND...
# LINES is a JSON array; each is typed once the prompt appears again (^C is that key,
# and the exit code is printed at the end), then end of file. Prints what the terminal showed.
import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios

prompt, lines, command = sys.argv[1].encode(), json.loads(sys.argv[2]), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(command[0], command)
keys = [b"\x03" if line == "^C" else line.encode() + b"\n" for line in lines] + [b"\x04"]
shown = b""
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    typed = len(lines) + 1 - len(keys)
    if keys and shown.count(prompt) > typed:
        os.write(terminal, keys.pop(0))
status = os.waitpid(pid, 0)[1]
# Keeps colours, removes cursor movement, which a prompt with editing prints.
shown = re.sub(rb"\x1b\[[\d;?]*[A-HJK]", b"", shown)
sys.stdout.buffer.write(re.sub(rb"\r+\n", b"\n", shown))
if "^C" in lines:
    print("exit code", os.waitstatus_to_exitcode(status))
