/** Submissions of a class, right, wrong and hostile, with what must come of each. */

const programs = `${import.meta.dirname}/programs`;

/** A submission of the class. */
export interface ClassSubmission {
  readonly name: string;
  /** Text of its `server.py`. */
  readonly program: string;
  /** Ids of the checks that fail; `undefined` if that depends on the machine. */
  readonly failed: readonly string[] | undefined;
  /** What it did to the machine, where control groups are. */
  readonly offence?: RegExp;
  /** Whether it can only be graded as another user. */
  readonly needsOtherUser?: boolean;
  /** Does more to its folder. */
  prepare?(folder: string): void;
}

const right = Deno.readTextFileSync(`${programs}/calc_server.py`);
const lesson = Deno.readTextFileSync(`${programs}/lesson/calc_server.py`);

/** The right program with one change. */
function changed(from: string, to: string): string {
  if (!right.includes(from)) throw new Error(`the program has no ${from}`);
  return right.replace(from, () => to);
}

/** The right program, and something that it does when it starts. */
const doing = (code: string): string => `${code}\n${right}`;

/** Puts a process out of its group, and empties its environment. */
const ESCAPE = `
import os, sys
if os.fork() == 0:
    os.setsid()
    os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"], {})
`;
/** Forks more processes than may run at once, into new sessions; they sleep, to spare the machine. */
const FORKS = `
import os, time
if os.fork() == 0:
    for _ in range(700):
        try:
            if os.fork() == 0:
                os.setsid()
                break
        except OSError:
            pass
    time.sleep(100)
`;
const FLOODS = `
import os, threading
def flood():
    while True:
        os.write(1, b"\\x1b[31m<script>alert(1)</script>" * 2000)
threading.Thread(target=flood, daemon=True).start()
`;
const EATS = `
data = []
while True:
    data.append(bytearray(100_000_000))
`;
/** Writes to all that could be marks. */
const FORGES = `
import glob, os
for path in glob.glob("../.netdemo-class*") + glob.glob("../../*.csv") + glob.glob("../../*.html"):
    try:
        open(path, "w").write('{"asked": "", "graded": []}')
    except OSError:
        pass
`;
const DELETES = "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)";
const KILLS = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)";
const SILENT = `
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    time.sleep(100)
`;

const NEVER_LISTENS = "import time\ntime.sleep(100)";

/** A right program, one with a mistake, and one that hangs: the three of the suite. */
export const three: readonly ClassSubmission[] = [
  { name: "Ötzi <b>&amp;", program: right, failed: [] },
  {
    name: "ben 2",
    program: changed("Diff of {o1} and {o2} is {a - b}", "Diff of {o1} and {o2} is {a + b}"),
    failed: ["operations"],
  },
  { name: "=ben 10", program: NEVER_LISTENS, failed: ["listens"] },
];

/** Thirty submissions. */
export const thirty: readonly ClassSubmission[] = [
  ...three,
  ...["anna", "-rf", "$(touch x)", "{port}", "a\nb", "'quote\"", "%s\\n", "日本 語", "~", "🙂"].map(
    (name) => ({ name, program: right, failed: [] }),
  ),
  { name: "as the lesson has it", program: lesson, failed: [] },
  { name: "no file", program: "", failed: ["listens"] },
  { name: "syntax error", program: "def (", failed: ["listens"] },
  { name: "never answers", program: SILENT, failed: ["answers"] },
  {
    name: "one client",
    program: changed("while True:\n    client", "if True:\n    client"),
    failed: undefined,
  },
  { name: "same sum", program: changed("{a + b}", "30"), failed: undefined },
  {
    name: "hello",
    program: changed("client.sendall(answer", 'client.sendall(b"Hello"); (answer'),
    failed: undefined,
  },
  { name: "floods", program: doing(FLOODS), failed: [], offence: /^printed more than/ },
  {
    name: "forks",
    program: doing(FORKS),
    failed: undefined,
    offence: /^left processes|^ran more than/,
  },
  { name: "leaves a process", program: doing(ESCAPE), failed: [], offence: /^left processes/ },
  { name: "eats memory", program: EATS, failed: undefined, offence: /^used more than/ },
  { name: "forges marks", program: doing(FORGES), failed: [] },
  { name: "deletes its folder", program: doing(DELETES), failed: undefined },
  {
    name: "kills its parent",
    program: doing(KILLS),
    failed: undefined,
    needsOtherUser: true,
  },
  {
    name: "links",
    program: right,
    failed: [],
    prepare(folder) {
      Deno.symlinkSync(".", `${folder}/loop`);
      Deno.symlinkSync("/etc/passwd", `${folder}/passwd`);
      Deno.symlinkSync("nowhere", `${folder}/broken`);
    },
  },
  {
    name: "ignores signals",
    program: doing("import signal\nfor s in (1, 2, 15):\n    signal.signal(s, signal.SIG_IGN)"),
    failed: [],
  },
  {
    name: "closes its outputs",
    program: doing("import os\nfor fd in (0, 1, 2):\n    os.close(fd)"),
    failed: [],
  },
];

/** Writes submissions into a folder, a folder each. @param file Name of the program. */
export async function writeClass(
  folder: string,
  submissions: readonly ClassSubmission[],
  file = "server.py",
): Promise<void> {
  for (const { name, program, prepare } of submissions) {
    const own = `${folder}/${name}`;
    await Deno.mkdir(own, { recursive: true });
    if (program !== "") await Deno.writeTextFile(`${own}/${file}`, program);
    prepare?.(own);
    await Deno.chmod(own, 0o777);
  }
}
