// deno-lint-ignore-file no-console -- it prints its table
/**
 * Probes misbehaving peers with the tools that people use for "is it up?", and
 * with netdemo: `task fooled` prints the table, and `--write` writes it to
 * docs/check.md.
 */
import { pooledMap } from "@std/async/pool";
import { netdemoCommand, run, tool } from "./harness/mod.ts";
import { writeBetweenMarks } from "./harness/page_table.ts";
import {
  flaggedPeers,
  labPeers,
  type Peer,
  tcpPeers,
  tlsPeers,
  webPeers,
} from "./harness/peers.ts";
import { readTaskLine } from "./harness/task_line.ts";

const { flags: { write } } = readTaskLine({
  usage: "fooled [--write]",
  flags: { write: { about: "write the table of docs/check.md" } },
});

const HOST = "127.0.0.1";
const PAGE = new URL("../docs/check.md", import.meta.url);

/** A way to ask whether something is up: exit code 0 means yes. */
interface Way {
  readonly title: string;
  readonly program: string;
  /** What to type in a shell. */
  command(port: number): string;
}

const known: readonly Way[] = [
  {
    title: "nc -z",
    program: "nc",
    command: (port) => `nc -z -w 1 ${HOST} ${port}`,
  },
  {
    title: "ncat -z",
    program: "ncat",
    command: (port) => `ncat -z -w 1 ${HOST} ${port}`,
  },
  {
    title: "curl telnet://",
    program: "curl",
    command: (port) => `curl -s -m 1 telnet://${HOST}:${port}`,
  },
  {
    title: "socat",
    program: "socat",
    command: (port) => `socat -T1 - TCP:${HOST}:${port},connect-timeout=1`,
  },
  {
    title: "bash /dev/tcp",
    program: "bash",
    command: (port) => `timeout 1 bash -c 'exec 3<>/dev/tcp/${HOST}/${port}'`,
  },
  {
    title: "nc, asks 10 20 +",
    program: "nc",
    command: (port) =>
      `echo '10 20 +' | timeout 5 nc -w 3 ${HOST} ${port} | grep -q 'Sum of 10 and 20 is 30'`,
  },
];
const ways = known.filter(({ program }) => tool(program).isMet());

/** What each way reports about a peer, netdemo last. */
interface Row {
  readonly peer: Peer;
  readonly codes: readonly number[];
  readonly verdict: string;
}

async function ask(peer: Peer): Promise<Row> {
  await using running = await peer.start(HOST);
  const codes: number[] = [];
  for (const { command } of ways) {
    // The output is discarded, as a stream may be endless.
    const line = `{ ${command(running.port)}; } </dev/null >/dev/null 2>&1`;
    codes.push((await run(["sh", "-c", line])).code);
  }
  const { scheme = "tcp", service = "", flags = [] } = peer;
  const target = `${scheme}://${HOST}:${running.port}/${service}`.replace(
    /^(tcp.*|tls.*)\/$/,
    "$1",
  );
  const check = ["check", ...flags, target, "--timeout", "1s", "--json"];
  const { stdout } = await run([...netdemoCommand, ...check]);
  return { peer, codes, verdict: JSON.parse(stdout.split("\n")[0] ?? "").verdict };
}

function tableOf(rows: readonly Row[]): string {
  const titles = ["the peer", ...ways.map(({ title }) => `\`${title}\``), "`netdemo check`"];
  const cells = rows.map(({ peer, codes, verdict }) => [
    peer.service === undefined ? peer.name : `${peer.name} (${peer.service})`,
    ...codes.map((code) => code === 0 ? "up" : `down (${code})`),
    verdict,
  ]);
  const wrong = rows.filter(({ peer }) => peer.verdict !== "ok");
  const fooled = [
    `fooled, of ${wrong.length}`,
    ...ways.map((_, index) => `${wrong.filter(({ codes }) => codes[index] === 0).length}`),
    `${wrong.filter(({ verdict }) => verdict === "ok").length}`,
  ];
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [titles, titles.map(() => "---"), ...cells, fooled].map(line).join("\n");
}

const peers = [
  ...tcpPeers.filter(({ name, verdict }) => verdict !== "ok" || name === "answers"),
  ...labPeers.filter(({ name }) => name.includes("line end")),
  ...webPeers,
  ...tlsPeers,
  ...flaggedPeers,
];
// A few at a time: each tool gives up after a second or more.
const rows = await Array.fromAsync(pooledMap(8, peers, ask)) as Row[];
const table = tableOf(rows);
console.log(table);
if (write) await writeBetweenMarks(PAGE, "fooled", table);
