import { assertEquals, assertRejects } from "@std/assert";
import { countByStatus, idsWith, type Outcome } from "../suite/outcome.ts";
import { type Driver, run, type RunOptions } from "../suite/runner.ts";
import { isReported, upToLevel, withNeeds } from "../suite/selection.ts";
import { Finding, note, pass, Skipped, type Test } from "../suite/test.ts";

/** A test of the id that does what it is told. */
function test(id: string, options: Partial<Test<Driver>> = {}): Test<Driver> {
  return { id, sentence: id, why: "", run: () => Promise.resolve(), ...options };
}

function failing(id: string, options: Partial<Test<Driver>> = {}): Test<Driver> {
  return test(id, { run: () => Promise.reject(new Finding({ saw: `${id}!` })), ...options });
}

async function outcomesOf(
  tests: readonly Test<Driver>[],
  driver: Driver = {},
  options?: RunOptions,
): Promise<Outcome[]> {
  return await Array.fromAsync(run(tests, driver, options));
}

/** `a pass`, `b not-judged see a`. */
function shown({ test: { id }, status, see }: Outcome): string {
  return `${id} ${status}${see === undefined ? "" : ` see ${see}`}`;
}

const chain = [test("a"), test("b", { needs: ["a"] }), test("c", { needs: ["b"] }), test("d")];

Deno.test("the chosen tests run with those that they need, in the table's order", () => {
  const chosen = (...ids: string[]): string =>
    withNeeds(chain, new Set(ids)).map(({ id }) => id).join("");
  assertEquals(withNeeds(chain, undefined).length, 4);
  assertEquals([chosen("c"), chosen("d", "b"), chosen("a"), chosen()], ["abc", "abd", "a", ""]);
});

Deno.test("a level has the tests of those before it, and they come first", () => {
  const tests = [test("1", { level: "hard" }), test("2", { level: "easy" }), test("3")];
  const upTo = (level: string): string[] =>
    upToLevel(tests, level, ["easy", "hard"]).map(({ id }) => id);
  assertEquals([upTo("easy"), upTo("hard"), upTo("other")], [["2"], ["2", "1"], []]);
});

Deno.test("a test that others only needed is reported if it failed", () => {
  const outcome = (status: Outcome["status"]): Outcome => ({
    test: test("a"),
    status,
    elapsedMs: 0,
  });
  assertEquals(isReported(outcome("pass"), undefined), true);
  assertEquals(isReported(outcome("pass"), new Set(["a"])), true);
  assertEquals(isReported(outcome("pass"), new Set(["b"])), false);
  assertEquals(isReported(outcome("fail"), new Set(["b"])), true);
});

Deno.test("a test passes, is noted, is skipped, fails, or fails as allowed", async () => {
  const outcomes = await outcomesOf(
    [
      test("silent"),
      test("passing", { run: () => Promise.resolve(pass("in 1 ms")) }),
      test("noted", { run: () => Promise.resolve(note("odd")) }),
      test("skipped", { run: () => Promise.reject(new Skipped("no IPv6")) }),
      failing("known"),
      failing("new"),
    ],
    {},
    { allow: new Set(["known"]) },
  );
  assertEquals(outcomes.map(shown), [
    "silent pass",
    "passing pass",
    "noted note",
    "skipped skip",
    "known allowed",
    "new fail",
  ]);
  const details = outcomes.map(({ detail, evidence }) => detail ?? evidence?.saw);
  assertEquals(details, [undefined, "in 1 ms", "odd", "no IPv6", "known!", "new!"]);
  assertEquals(idsWith("pass", outcomes), ["silent", "passing"]);
  const { pass: passed, "not-judged": notJudged } = countByStatus(outcomes);
  assertEquals([passed, notJudged], [2, 0]);
});

Deno.test("what needs a failed test is not judged, and names the first one that failed", async () => {
  const outcomes = await outcomesOf([
    failing("a"),
    failing("b", { needs: ["a"] }),
    failing("c", { needs: ["b"] }),
    test("d"),
  ]);
  assertEquals(outcomes.map(shown), [
    "a fail",
    "b not-judged see a",
    "c not-judged see a",
    "d pass",
  ]);
});

Deno.test("what needs an allowed failure is tested all the same", async () => {
  const tests = [failing("a"), failing("b", { needs: ["a"] })];
  const outcomes = await outcomesOf(tests, {}, { allow: new Set(["a"]) });
  assertEquals(outcomes.map(shown), ["a allowed", "b fail"]);
});

Deno.test("what needs a test that failed, but is usable, is tested all the same", async () => {
  const run = () => Promise.reject(new Finding({ saw: "a byte too many", isUsable: true }));
  const outcomes = await outcomesOf([test("a", { run }), test("b", { needs: ["a"] })]);
  assertEquals(outcomes.map(shown), ["a fail", "b pass"]);
});

Deno.test("an outcome is given before it is asked whether what is tested is gone", async () => {
  let asked = false;
  const driver = { isGone: () => Promise.resolve(asked = true) };
  const running = run([failing("a"), test("b")], driver);
  assertEquals([shown((await running.next()).value!), asked], ["a fail", false]);
  assertEquals([shown((await running.next()).value!), asked], ["b not-judged see a", true]);
});

Deno.test("one mistake is one failure: a test that blames a failed one is not judged", async () => {
  const blaming = { run: () => Promise.reject(new Finding({ saw: "again", blames: "a" })) };
  const outcomes = await outcomesOf([test("x", blaming), failing("a"), test("b", blaming)]);
  assertEquals(outcomes.map(shown), ["x fail", "a fail", "b not-judged see a"]);
});

Deno.test("once what is tested is gone, no further test runs", async () => {
  let runs = 0;
  const counted = { run: () => Promise.resolve(void runs++) };
  const outcomes = await outcomesOf([failing("a"), test("b", counted)], {
    isGone: () => Promise.resolve(true),
  });
  assertEquals([outcomes.map(shown), runs], [["a fail", "b not-judged see a"], 0]);
});

Deno.test("a test beyond its limit fails, and has ended before the next one begins", async () => {
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const evidence = { saw: "still running" };
  const outcomes = await outcomesOf([
    test("endless", { limit: { milliseconds: 1, evidence }, run: () => promise }),
    test("next", { run: () => Promise.resolve(void events.push("next")) }),
  ], {
    cancel: () => {
      events.push("cancelled");
      resolve();
      return Promise.resolve();
    },
  });
  assertEquals(outcomes.map(shown), ["endless fail", "next pass"]);
  assertEquals(outcomes[0]?.evidence?.saw, "still running");
  assertEquals(events, ["cancelled", "next"]);
});

Deno.test("an abort ends the test that runs, and yields nothing more", async () => {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = (): Promise<void> => {
    queueMicrotask(() => controller.abort());
    return promise;
  };
  const cancel = (): Promise<void> => Promise.resolve(resolve());
  const tests = [test("a"), test("b", { run }), test("c")];
  const outcomes = await outcomesOf(tests, { cancel }, { signal: controller.signal });
  assertEquals(outcomes.map(shown), ["a pass"]);
});

/** Each try of a test that gets no answer, on a machine that is busy or not. */
async function triesOf(isSilence: boolean, isBusy: boolean): Promise<string[]> {
  const calls: string[] = [];
  await outcomesOf(
    [test("a", { run: () => Promise.reject(new Finding({ saw: "", isSilence })) })],
    {
      begin: (patience) => void calls.push(`begin ${patience}`),
      markSuspect: () => void calls.push("suspect"),
    },
    { isMachineBusy: () => Promise.resolve(isBusy) },
  );
  return calls;
}

Deno.test("silence has a second, more patient try on a busy machine only", async () => {
  const once = ["begin 1", "suspect"];
  assertEquals(await triesOf(true, true), ["begin 1", "suspect", "begin 4", "suspect"]);
  assertEquals([await triesOf(true, false), await triesOf(false, true)], [once, once]);
});

Deno.test("the program's last words are asked for, unless the test knows them", async () => {
  const said = (own?: string) =>
    test("a", { run: () => Promise.reject(new Finding({ saw: "", said: own })) });
  const driver = { said: () => Promise.resolve("from stderr") };
  const [asked] = await outcomesOf([said()], driver);
  const [known] = await outcomesOf([said("known")], driver);
  assertEquals([asked?.evidence?.said, known?.evidence?.said], ["from stderr", "known"]);
});

Deno.test("a bug in a test is thrown, not reported as a failure", async () => {
  const bug = test("a", { run: () => Promise.reject(new TypeError("bug")) });
  await assertRejects(() => outcomesOf([bug]), TypeError, "bug");
});
