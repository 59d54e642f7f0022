import { assertEquals, assertMatch } from "@std/assert";
import { netdemoInProcess } from "../harness/in_process.ts";
import { linux, python, python3, root, testWith, tool } from "../harness/needs.ts";
import { until } from "../harness/system.ts";

/** Tries to get marks that it did not earn, and says on stdout what it could do. */
const CHEAT = `
import os, signal, socket, sys
port, results = int(sys.argv[1]), sys.argv[2]
done = []
def attempt(name, work):
    try:
        work()
        done.append(name)
    except Exception:
        pass
folder = os.path.dirname(results)
attempt("open", lambda: open(results, "w").write("{}"))
attempt("append", lambda: open(results, "a").write("{}"))
attempt("list", lambda: os.listdir(folder))
attempt("link", lambda: os.symlink("/etc/passwd", folder + "/link"))
attempt("replace", lambda: os.rename(__file__, results))
attempt("remove", lambda: os.remove(results))
attempt("signal", lambda: os.kill(os.getppid(), signal.SIGSTOP))
attempt("descriptors", lambda: os.listdir(f"/proc/{os.getppid()}/fd"))
attempt("environment", lambda: open(f"/proc/{os.getppid()}/environ").read())
attempt("own environment", lambda: os.environ["SECRET_OF_THE_TEACHER"])
attempt("root again", lambda: os.setuid(0))
attempt("inherited", lambda: [os.fstat(fd) for fd in (3, 4, 5)])
open(sys.argv[3], "w").write(repr(done))
server = socket.socket()
server.bind(("127.0.0.1", port))
server.listen()
while True:
    server.accept()
`;

testWith(
  [linux, python3, root, tool("setpriv")],
  "with --run-as, a program can't touch its marks, netdemo, or what netdemo knows",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const [marks, own] = [`${folder}/marks`, `${folder}/own`];
      await Deno.mkdir(marks, { mode: 0o700 });
      await Deno.mkdir(own);
      await Deno.chmod(folder, 0o755);
      await Deno.chmod(own, 0o777);
      await Deno.writeTextFile(`${own}/cheat.py`, CHEAT);
      Deno.env.set("SECRET_OF_THE_TEACHER", "x");
      const results = `${marks}/results.json`;
      const { code, stdout } = await netdemoInProcess([
        ...["grade", "calc-server", "--run-as", "nobody", "--gradescope", results, "--json"],
        ...["--timeout", "300ms", "--", "/usr/bin/python3", `${own}/cheat.py`, "{port}", results],
        `${own}/done`,
      ]);
      assertEquals(code, 1, stdout);
      assertEquals(await Deno.readTextFile(`${own}/done`), "[]");
      const { tests } = JSON.parse(await Deno.readTextFile(results));
      assertEquals(tests.map(({ score }: { score: number }) => score), [1, 0, 0, 0, 0]);
    } finally {
      Deno.env.delete("SECRET_OF_THE_TEACHER");
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith([linux], "--run-as needs a user that exists, and root", async () => {
  const { code, stderr } = await netdemoInProcess([
    ...["grade", "calc-server", "--run-as", "no-such-user", "--", "sh", "-c", "true"],
  ]);
  assertEquals(code, 2);
  assertMatch(stderr, /--run-as: cannot run the program as 'no-such-user'\nhint: /);
});

/** Forks into new sessions without end, with an empty environment. */
const FORKS = `
import os, sys
if os.fork() == 0:
    code = "import os, time\\nwhile True:\\n    if os.fork():\\n        os._exit(0)\\n    os.setsid(); time.sleep(0.003)"
    os.execve(sys.executable, [sys.executable, "-c", code, sys.argv[1]], {})
import time
time.sleep(100)
`;

testWith(
  [linux, python3, root],
  "in a control group, a program that forks into new sessions ends whole",
  async () => {
    for (let times = 0; times < 3; times++) {
      const mark = `forks-${Deno.pid}-${times}`;
      const { stdout } = await netdemoInProcess([
        ...["grade", "calc-server", "--json", "--max-time", "700ms"],
        ...["--", python(), "-c", FORKS, mark],
      ]);
      const { containment } = JSON.parse(
        stdout.split("\n").find((line) => line.includes('"summary"')) ?? "{}",
      );
      // Where control groups can't be made, the forks may outlive it: docs/grade.md says so.
      if (containment !== "control group") return;
      await until(() => running(mark) === 0, "nothing is left running");
    }
  },
);

function running(mark: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      if (Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(mark)) count++;
    } catch {
      // It has ended, or is no process.
    }
  }
  return count;
}
