import { assert, assertEquals, fail } from "@std/assert";
import { delay } from "@std/async/delay";
import { DescriptorBudget } from "../sockets/descriptors.ts";
import { service as calc } from "../services/calc.ts";
import { serve } from "../services/server/stream_server.ts";
import { crowded, crowdOut, limited } from "./harness/crowds.ts";
import { run, testWith, unix } from "./harness/mod.ts";

/** Open files of a server, few enough that a crowd takes them all. */
const LIMIT = 100;

for (const server of crowded) {
  testWith([unix], `${server.name} out of descriptors lets clients wait, and goes on`, async () => {
    const { notices: [full, free], code, stderr } = await crowdOut(server, LIMIT, 250, "half each");
    assertEquals(code, 0, stderr);
    assertEquals(full, 1, stderr);
    assert(free <= 1, stderr);
  });
}

testWith([unix], "clients that come at once leave a relay descriptors for its server", async () => {
  const relay = crowded.find(({ name }) => name === "relay") ?? fail();
  // Whether the runtime takes all descriptors before the first connection is seen is up to chance.
  await Promise.all([1, 2, 3].map(async () => {
    const { answeredMs, code, stderr } = await crowdOut(relay, 64, 200, "at once");
    assertEquals(code, 0, stderr);
    assert(answeredMs < 5_000, `answered after ${answeredMs} ms`);
  }));
});

testWith([unix], "check with hardly any descriptors checks all targets, and ends", async () => {
  await using server = await serve(calc, { port: 0, addresses: ["127.0.0.1"] });
  const targets = Array.from({ length: 60 }, () => `127.0.0.1:${server.port}/calc`);
  const command = [...limited(25), "check", ...targets, "--timeout", "20s"];
  const { code, stdout } = await run(command);
  assertEquals([code, stdout.match(/^ok /gm)?.length], [0, 60]);
});

/** A budget in a process that may open so many descriptors in all. */
function budgetOf(most: number) {
  const state = { most, inUse: 0, looks: 0 };
  const budget = new DescriptorBudget((wanted) => {
    state.looks++;
    return Math.min(wanted, state.most - state.inUse);
  });
  const open = (): () => void => {
    state.inUse++;
    const giveBack = budget.take();
    return () => {
      state.inUse--;
      giveBack();
    };
  };
  return { state, budget, open };
}

Deno.test("a budget keeps a reserve, and looks for descriptors only when those found are in use", () => {
  const { state, budget, open } = budgetOf(2_000);
  const changes: boolean[] = [];
  budget.onChange = (isFull) => changes.push(isFull);
  while (budget.hasRoom()) open();
  assertEquals(state.inUse, 2_000 - 32);
  assert(state.looks < 20);
  for (let more = 0; more < 100; more++) assertEquals(budget.hasRoom(), false);
  assert(state.looks < 20);
  assertEquals(changes, [true]);
});

Deno.test("with few descriptors a budget leaves a quarter free, and room for one at least", () => {
  const few = budgetOf(40);
  while (few.budget.hasRoom()) few.open();
  assertEquals(few.state.inUse, 30);
  const none = budgetOf(0);
  assertEquals(none.budget.hasRoom(), true);
  none.open();
  assertEquals(none.budget.hasRoom(), false);
});

Deno.test("who waits for room gets it once something is closed, and no sooner", async () => {
  const { budget, open } = budgetOf(40);
  const closes: (() => void)[] = [];
  while (budget.hasRoom()) closes.push(open());
  let isWaiting = true;
  const waiting = budget.untilRoom()?.then(() => isWaiting = false);
  await delay(0);
  assertEquals(isWaiting, true);
  closes.pop()?.();
  await waiting;
  assertEquals(budget.untilRoom(), undefined);
});

Deno.test("who waits for room stops with the signal", async () => {
  const { budget, open } = budgetOf(20);
  while (budget.hasRoom()) open();
  const stop = new AbortController();
  const waiting = budget.untilRoom(stop.signal);
  stop.abort();
  await waiting;
  assertEquals(budget.hasRoom(), false);
});

Deno.test("a budget reports once that it is full, and once that it has had room for a while", async () => {
  const { budget, open } = budgetOf(40);
  const reported = Promise.withResolvers<void>();
  const changes: boolean[] = [];
  budget.onChange = (isFull) => {
    changes.push(isFull);
    if (!isFull) reported.resolve();
  };
  const closes: (() => void)[] = [];
  for (let round = 0; round < 5; round++) {
    while (budget.hasRoom()) closes.push(open());
    for (const close of closes.splice(0)) close();
  }
  await reported.promise;
  assertEquals(changes, [true, false]);
});

Deno.test("a budget that fails all the same admits fewer from then on", () => {
  const { budget, open } = budgetOf(2_000);
  while (budget.open < 100 && budget.hasRoom()) open();
  budget.exhausted();
  assertEquals(budget.hasRoom(), false);
});
