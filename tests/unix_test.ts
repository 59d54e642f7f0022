import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import { serveUnix } from "../services/server/stream_server.ts";
import {
  netdemoCommand,
  netdemoInProcess,
  Process,
  pythonTest,
  run,
  testWith,
  unix,
} from "./harness/mod.ts";

/** Runs a test with a folder of its own. */
function folderTest(name: string, fn: (folder: string) => Promise<void>): void {
  testWith([unix], name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await fn(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function probe(path: string): Promise<void> {
  const ended = await netdemoInProcess(["calc-client", "--unix", path, "10", "20", "+"]);
  assertEquals(ended, { code: 0, stdout: "Sum of 10 and 20 is 30\n", stderr: "" });
}

async function start(path: string): Promise<Process> {
  const process = new Process([...netdemoCommand, "calc-server", "--unix", path]);
  await process.printed(/Listening on .* \(unix\)\n/);
  return process;
}

folderTest("the socket file exists while the server runs, and is then removed", async (folder) => {
  await using server = await start(`${folder}/socket`);
  assert(Deno.lstatSync(`${folder}/socket`).isSocket);
  assertEquals((await server.stop()).code, 0);
  assertEquals([...Deno.readDirSync(folder)], []);
});

folderTest("a stale socket file is replaced", async (folder) => {
  const path = `${folder}/socket`;
  await using killed = await start(path);
  await killed.stop("SIGKILL");
  assert(Deno.lstatSync(path).isSocket, "a kill leaves the file behind");
  await using _server = await start(path);
  await probe(path);
});

folderTest("a socket in use is BIND, and its server keeps running", async (folder) => {
  const path = `${folder}/socket`;
  await using _server = await start(path);
  const { code, stderr } = await netdemoInProcess(["calc-server", "--unix", path]);
  assertEquals(code, 15);
  assertMatch(
    stderr,
    /^netdemo: BIND: cannot listen on .*: another server is listening there\nhint: /,
  );
  await probe(path);
});

folderTest("a file that isn't a socket is never removed", async (folder) => {
  const file = `${folder}/file`;
  await Deno.writeTextFile(file, "precious");
  await Deno.symlink(file, `${folder}/link`);
  await Deno.mkdir(`${folder}/folder`);
  for (const name of ["file", "link", "folder"]) {
    const { code, stderr } = await netdemoInProcess(["calc-server", "--unix", `${folder}/${name}`]);
    assertEquals(code, 15);
    assertMatch(stderr, /the file isn't a socket/);
  }
  assertEquals(await Deno.readTextFile(file), "precious");
});

folderTest("a path longer than the system allows gets a clear error", async (folder) => {
  const { code, stderr } = await netdemoInProcess([
    "calc-server",
    "--unix",
    `${folder}/${"x".repeat(100)}`,
  ]);
  assertEquals(code, 15);
  assertMatch(stderr, /the path has \d+ bytes, at most 10[37] fit\nhint: choose a shorter path/);
  const missing = await netdemoInProcess(["calc-server", "--unix", `${folder}/no/socket`]);
  assertEquals(missing.code, 15);
  assertMatch(missing.stderr, /the folder does not exist/);
});

folderTest("a server touches no file but its own path", async (folder) => {
  const neighbour = `${folder}/socket~`;
  await using _neighbour = await serveUnix(calc, { path: neighbour });
  await using _server = await serveUnix(calc, { path: `${folder}/socket` });
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["socket", "socket~"]);
  (await Deno.connect({ transport: "unix", path: neighbour })).close();
});

folderTest("a file that replaced the socket is left alone", async (folder) => {
  const path = `${folder}/socket`;
  {
    await using _server = await serveUnix(calc, { path });
    await Deno.remove(path);
    await Deno.writeTextFile(path, "precious");
  }
  assertEquals(await Deno.readTextFile(path), "precious");
  await Deno.remove(path);

  await using old = await start(path);
  await Deno.remove(path);
  await using _successor = await start(path);
  assertEquals((await old.stop()).code, 0);
  await probe(path);
});

folderTest("a path without a listener is REFUSED", async (folder) => {
  for (const make of [() => Promise.resolve(), () => Deno.writeTextFile(`${folder}/x`, "")]) {
    await make();
    const { code, stderr } = await netdemoInProcess(["hello-client", "--unix", `${folder}/x`]);
    assertEquals(code, 11);
    assertMatch(
      stderr,
      /^netdemo: REFUSED: cannot connect to .*\/x \(unix\).*\nhint: \w/,
    );
  }
});

folderTest("of several servers started at once on a stale path, one gets it", async (folder) => {
  const path = `${folder}/socket`;
  for (let round = 0; round < 3; round++) {
    await using stale = await start(path);
    await stale.stop("SIGKILL");
    await using stack = new AsyncDisposableStack();
    const starting = Array.from(
      { length: 4 },
      () => stack.use(new Process([...netdemoCommand, "calc-server", "--unix", path])),
    );
    const ends = await Promise.all(starting.map(async (process) => {
      const listens = await process.printed(/Listening/).then(() => true, () => false);
      return listens ? "listens" : (await process.ended()).code;
    }));
    assertEquals(ends.sort(), [15, 15, 15, "listens"]);
    await probe(path);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["socket"]);
    await Promise.all(starting.map((process) => process.stop()));
    assertEquals([...Deno.readDirSync(folder)], []);
  }
});

folderTest("of several servers that find the same stale file, one replaces it", async (folder) => {
  const path = `${folder}/socket`;
  await using stale = await start(path);
  await stale.stop("SIGKILL");
  const starts = await Promise.allSettled([1, 2, 3, 4].map(() => serveUnix(calc, { path })));
  const servers = starts.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  try {
    assertEquals(servers.length, 1);
    await probe(path);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
});

folderTest(
  "a stop succeeds if the folder was moved, and leaves its replacement alone",
  async (folder) => {
    const inner = `${folder}/inner`;
    await Deno.mkdir(inner);
    await using server = await start(`${inner}/socket`);
    await Deno.rename(inner, `${folder}/moved`);
    await Deno.mkdir(`${inner}/socket`, { recursive: true });
    await Deno.writeTextFile(`${inner}/socket~`, "precious");
    const { code, stderr } = await server.stop();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assert(Deno.lstatSync(`${inner}/socket`).isDirectory);
  },
);

const connectFromOddPaths = `
import os, socket, sys
folder, path = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
for count in range(60):
    peer = socket.socket(socket.AF_UNIX)
    name = folder + b"/\\xff\\xfe%d" % count
    peer.bind(name)
    peer.connect(path)
    os.unlink(name)
`;

pythonTest("connections from paths that are not UTF-8 delay no others", async (python) => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/socket`;
    await using server = await start(path);
    const started = performance.now();
    const { code, stderr } = await run([python, "-c", connectFromOddPaths, folder, path]);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    await probe(path);
    assertLess(performance.now() - started, 3_000);
    assertEquals((await server.stop()).stderr, "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
