import { assertEquals, assertMatch } from "@std/assert";
import { netdemoInProcess } from "../harness/in_process.ts";
import { linux, python, python3, root, testWith, tool, working } from "../harness/needs.ts";
import { netdemoCommand, run } from "../harness/process.ts";
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

testWith([linux, root, tool("setpriv")], "--run-as says what it lacks", async () => {
  const missing = Deno.makeTempDirSync();
  const own = ["grade", "calc-server", "--run-as"];
  const program = ["--", "/bin/sh", "-c", "true"];
  const nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--"];
  const executable = [...nobody, ...netdemoCommand];
  try {
    for (const name of ["sh", "id"]) await Deno.symlink(`/usr/bin/${name}`, `${missing}/${name}`);
    const table = [
      [[...netdemoCommand, ...own, "no-such-user", ...program], {}, /no such user: create it/],
      [[...netdemoCommand, ...own, "nobody", ...program], { PATH: missing }, /util-linux/],
      [[...executable, ...own, "nobody", ...program], { HOME: "/tmp" }, /must run as root/],
    ] as const;
    for (const [command, env, hint] of table) {
      const { code, stderr } = await run(command, { env });
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /--run-as: cannot run the program as '[a-z-]+'\nhint: /);
      assertMatch(stderr, hint);
    }
  } finally {
    await Deno.remove(missing, { recursive: true });
  }
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

/** Permission to mount something that no other process sees. */
const mounts = working("no mount namespaces", "unshare", "--mount", "mount", "--bind", "/", "/");

/** Containments, each with what is to be seen at /sys/fs/cgroup. */
const containments = [
  [/control group|PID namespace/, "true"],
  [/control group/, "mount -t cgroup2 none /sys/fs/cgroup"],
  [/PID namespace/, "mount -t tmpfs none /sys/fs/cgroup"],
] as const;

for (const [kind, prepare] of containments) {
  testWith(
    [linux, python3, root, mounts],
    `a program that forks into new sessions ends whole, after ${prepare}`,
    async () => {
      const mark = `forks-${Deno.pid}-${prepare.length}`;
      const { stdout } = await run([
        ...["unshare", "--mount", "sh", "-c", `${prepare} && exec "$@"`, "sh", ...netdemoCommand],
        ...["grade", "calc-server", "--json", "--max-time", "700ms"],
        ...["--", python(), "-c", FORKS, mark],
      ]);
      const { containment } = JSON.parse(
        stdout.split("\n").find((line) => line.includes('"summary"')) ?? "{}",
      );
      assertMatch(containment, kind);
      await until(() => running(mark) === 0, "nothing is left running");
    },
  );
}

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
