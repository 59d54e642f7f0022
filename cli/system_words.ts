import { os } from "../sockets/system.ts";

/** What hints and help pages call the tools and signs of the reader's system. */
export interface SystemWords {
  /** The command that shows which program is listening on a port. */
  whoListens(port: number): string;
  /** The command that shows all ports on which programs are listening. */
  readonly listeners: string;
  /** The command that shows which ports the system keeps, if it keeps any but those below 1024. */
  readonly keptPorts?: string;
  /** What else may keep programs from hosts on their own network. */
  readonly localPrivacy?: string;
  /** What to do if no more files can be opened. */
  readonly moreFiles: string;
  /** An interface, as it follows the % of a link-local address. */
  readonly zone: string;
  /** What stops a server. */
  readonly stops: string;
  /** The command that runs a Python program. */
  readonly python: string;
  /** What is wrong if that command was not found. */
  readonly pythonIs: string;
  /** A program in the current folder. */
  readonly ownProgram: string;
  /** What to do about a file that can't be executed. */
  readonly notExecutable: string;
}

const unix = {
  moreFiles: "close some, or raise the limit: ulimit -n shows and sets it",
  stops: "SIGINT (Ctrl-C), SIGTERM or SIGHUP",
  python: "python3",
  pythonIs: "Python is often called python3",
  ownProgram: "./server",
  notExecutable: "make it executable (chmod +x)",
};

const linux: SystemWords = {
  ...unix,
  whoListens: (port) => `ss -ltunp 'sport = :${port}'`,
  listeners: "ss -ltn",
  zone: "eth0",
};

const macos: SystemWords = {
  ...unix,
  whoListens: (port) => `lsof -nP -i :${port}`,
  listeners: "lsof -nP -iTCP -sTCP:LISTEN",
  localPrivacy:
    "macOS may not allow it: see System Settings, Privacy & Security, Local Network, for the terminal",
  zone: "en0",
};

/** What PowerShell and cmd both understand. */
const windows: SystemWords = {
  whoListens: (port) => `netstat -ano | findstr :${port}`,
  listeners: "netstat -ano (or, in PowerShell, Get-NetTCPConnection -State Listen)",
  keptPorts: "netsh interface ipv4 show excludedportrange tcp",
  moreFiles: "end other programs that use the network",
  zone: "12",
  stops: "Ctrl-C or Ctrl-Break",
  python: "py",
  pythonIs: "Python is often called py",
  ownProgram: ".\\server.exe",
  notExecutable: "it must be an .exe, .bat or .cmd file",
};

/** The words of a system, this one unless another is asked for. @param name As `os` */
export function systemWords(name = os): SystemWords {
  return name === "windows" ? windows : name === "darwin" ? macos : linux;
}
