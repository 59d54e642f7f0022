import { assertEquals } from "@std/assert";
import { freePort } from "./harness/free_port.ts";
import { type Need, testWith, unix } from "./harness/mod.ts";
import { examine, isSkipped } from "./path/examine.ts";
import { type RealForwarder, realForwarders } from "./path/real_forwarders.ts";
import { missing, Running } from "./path/running.ts";

/** What path finds about a forwarder in its default configuration. */
interface Measured {
  readonly protocol: "tcp" | "udp";
  readonly name: string;
  readonly failed: readonly string[];
  /** What arrives in place of the largest datagram. */
  readonly largest?: string;
}

const measured: readonly Measured[] = [
  {
    protocol: "tcp",
    name: "socat",
    failed: ["half-close-late", "server-reset", "client-reset", "nobody"],
  },
  { protocol: "tcp", name: "haproxy", failed: ["server-reset", "nobody"] },
  {
    protocol: "tcp",
    name: "nginx stream",
    failed: [
      ...["half-close", "half-close-late", "server-end"],
      ...["server-reset", "client-reset", "nobody"],
    ],
  },
  {
    protocol: "tcp",
    name: "nginx stream, proxy_half_close",
    failed: ["server-reset", "client-reset", "nobody"],
  },
  {
    protocol: "udp",
    name: "socat",
    failed: ["size-65507", "size-0"],
    largest: "the server got 8,192 of 65,507 bytes",
  },
  {
    protocol: "udp",
    name: "nginx stream",
    failed: ["size-65507"],
    largest: "the client got 16,384 of 65,507 bytes",
  },
  {
    protocol: "udp",
    name: "rinetd", // it adds an empty datagram for each new client
    failed: ["reply", "size-1472", "size-8000", "size-65507", "size-0"],
    largest: "the server got 16,384 of 65,507 bytes",
  },
];

const here = measured.filter(({ name, protocol }) => missing(find(name, protocol)).length === 0);
const lacking = measured.filter((one) => !here.includes(one)).map(({ name }) => name);
const some: Need = { missing: "none is installed", isMet: () => here.length > 0 };
const without = lacking.length === 0 ? "" : ` (without ${[...new Set(lacking)].join(", ")})`;

testWith(
  [unix, some],
  `path's findings about real forwarders have not changed${without}`,
  async () => {
    const found = await Promise.all(here.map(async ({ name, protocol }) => {
      const { questions, code } = await examineReal(find(name, protocol));
      const failed = questions.filter(({ id, status }) => status === "fail" && !isRacy(id, name));
      const largest = questions.find(({ id }) => id === "size-65507")?.detail;
      return { protocol, name, failed: failed.map(({ id }) => id), largest, code };
    }));
    const expected = here.map(({ failed, ...one }) => ({
      ...{ largest: undefined, ...one, code: 1 },
      failed: failed.filter((id) => !isSkipped(id)),
    }));
    assertEquals(found, expected);
  },
);

/** Whether the result varies: socat's queue of 5 makes some of 50 connections wait for seconds. */
function isRacy(id: string, name: string): boolean {
  return name === "socat" && id === "many";
}

function find(name: string, protocol: "tcp" | "udp"): RealForwarder {
  const found = realForwarders.find((one) => one.name === name && one.protocol === protocol);
  if (found === undefined) throw new Error(`Cannot find a forwarder called ${name}`);
  return found;
}

async function examineReal(forwarder: RealForwarder) {
  const { protocol } = forwarder;
  const [from, to] = [freePort(), freePort()];
  await using _ = await Running.start(forwarder, from, to);
  const target = `${protocol}://127.0.0.1:${from}`;
  // Questions that take a second or more, or that race, are left to `task forwarders`.
  const only = protocol === "udp" ? ["--only", "size-0,size-1472,size-8000,size-65507"] : [];
  return await examine(
    "--listen",
    `127.0.0.1:${to}`,
    ...["--for", "20s", "--timeout", "3s"],
    ...only,
    target,
  );
}
