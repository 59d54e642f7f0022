import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { acceptFrom } from "../sockets/accept.ts";
import { Deadlines } from "../sockets/deadlines.ts";
import { DescriptorBudget } from "../sockets/descriptors.ts";
import { bindTcp } from "../sockets/listen.ts";
import { service as calc } from "../services/calc.ts";
import type { Service } from "../services/service.ts";
import { serveUdp } from "../services/server/datagram_server.ts";
import type { ServerEvents } from "../services/server/server.ts";
import { serve } from "../services/server/stream_server.ts";
import { TestConnection } from "./harness/connection.ts";
import { TestSocket } from "./harness/datagrams.ts";

const bug = new Error("not expected");
const fail = (): never => {
  throw bug;
};
const local = { port: 0, addresses: ["127.0.0.1"] };

/** Takes the place of the one that reports uncaught errors. */
class Reports implements Disposable {
  count = 0;
  readonly #first = Promise.withResolvers<void>();

  constructor() {
    globalThis.addEventListener("error", this.#take);
  }

  readonly #take = (event: ErrorEvent): void => {
    assertEquals(event.error, bug);
    event.preventDefault();
    this.count++;
    this.#first.resolve();
  };

  /** Resolves once there is one. */
  async arrived(): Promise<void> {
    await deadline(this.#first.promise, 10_000);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("error", this.#take);
  }
}

async function ask(port: number, request = "1 2 +\n"): Promise<string> {
  using client = await TestConnection.open(port);
  await client.send(request);
  return await client.receive();
}

const SUM = "Sum of 1 and 2 is 3\n";

for (const name of ["connected", "answered", "closed", "rejected"] as const) {
  Deno.test(`a server goes on if its callback '${name}' throws`, async () => {
    using reports = new Reports();
    const events: ServerEvents = { [name]: fail };
    const maxConnections = name === "rejected" ? 1 : 10;
    await using server = await serve(calc, { ...local, events, maxConnections });
    using _held = await TestConnection.open(server.port as number);
    if (name !== "rejected") assertEquals(await ask(server.port as number), SUM);
    else assertEquals(await ask(server.port as number, ""), "Error: server is full\n");
    await reports.arrived();
    assertEquals(server.open > 0, true);
  });
}

/** Throws at one request, and otherwise calculates. */
const faulty: Service = { ...calc, reply: (text) => text === "throw" ? fail() : text };

Deno.test("a service that throws ends only the connection that asked", async () => {
  using reports = new Reports();
  await using server = await serve(faulty, local);
  assertEquals(await ask(server.port as number, "throw\n"), "");
  assertEquals(await ask(server.port as number, "Hi\n"), "Hi\n");
  assertEquals(reports.count, 1);
});

Deno.test("over UDP a server goes on if its service or a callback throws", async () => {
  using reports = new Reports();
  const events = { answered: fail, ignored: fail };
  await using server = await serveUdp(faulty, { ...local, events });
  using client = new TestSocket();
  await client.send(server.port as number, "throw");
  await reports.arrived();
  assertEquals(await client.askAgain(server.port as number, "Hi"), "Hi");
});

Deno.test("accepting goes on if what takes the connections throws", async () => {
  using reports = new Reports();
  const stop = new AbortController();
  const listener = bindTcp({ hostname: "127.0.0.1", port: 0 });
  const accepting = acceptFrom(listener, { signal: stop.signal, admit: fail, onFailure: fail });
  for (let client = 0; client < 2; client++) assertEquals(await ask(listener.addr.port, ""), "");
  stop.abort();
  await accepting;
  assertEquals(reports.count, 2);
});

Deno.test("members expire if another one throws", async () => {
  using reports = new Reports();
  const deadlines = new Deadlines(20);
  const expired = Promise.withResolvers<void>();
  const members = [fail, () => expired.resolve()];
  for (const expire of members) deadlines.add({ deadline: deadlines.after(1), expire });
  await deadline(expired.promise, 10_000);
  deadlines.stop();
  assertEquals(reports.count, 1);
});

Deno.test("a budget is full even if nobody could be told", () => {
  using reports = new Reports();
  const budget = new DescriptorBudget(() => 0);
  budget.onChange = fail;
  budget.take();
  assertEquals([budget.hasRoom(), budget.hasRoom(), reports.count], [false, false, 1]);
});
