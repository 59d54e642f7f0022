/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Page as Tab } from "puppeteer-core";
import type { Graded } from "../commands/grade/class/graded.ts";
import { pageOf } from "../commands/grade/class/page.ts";
import { rowsOf } from "../commands/grade/class/row.ts";
import { chromium, type Look, openBrowser, openTab } from "./harness/browser.ts";
import { testWith } from "./harness/needs.ts";
import { startWatched, type WatchedServer } from "./harness/page_viewer.ts";

const encoder = new TextEncoder();
const WIDE: Look = { width: 1280, height: 720 };
const PHONE: Look = { width: 390, height: 844 };
/** Milliseconds that a test waits for something that should appear at once. */
const PATIENCE_MS = 15_000;

/** A client on a plain socket, closed with its scope. */
class Learner implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(65_536);

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect({ port }: WatchedServer): Promise<Learner> {
    return new Learner(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async ask(text: string): Promise<void> {
    await this.#conn.write(encoder.encode(text));
    await this.#conn.read(this.#buffer).catch(() => null);
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}

/** A test as a step of one browser run: all share the browser. */
type Step = (open: (url: string, look?: Look) => Promise<Tab>) => Promise<void>;

const steps: readonly (readonly [sentence: string, step: Step])[] = [];
function step(sentence: string, run: Step): void {
  (steps as [string, Step][]).push([sentence, run]);
}

/** The texts of all matching elements, in page order. */
function texts(tab: Tab, selector: string): Promise<string[]> {
  return tab.$$eval(selector, (found) => found.map((one) => one.textContent ?? ""));
}

/** Waits until a matching element contains the text. */
async function shows(tab: Tab, selector: string, text: string): Promise<void> {
  await tab.waitForFunction(
    (selector, text) =>
      [...document.querySelectorAll(selector)].some((one) => one.textContent?.includes(text)),
    { timeout: PATIENCE_MS, polling: 20 },
    selector,
    text,
  );
}

/** The text of the focused element. */
function focused(tab: Tab): Promise<string> {
  return tab.evaluate(() => document.activeElement?.textContent ?? "");
}

/** Violations that axe finds, each with its rule. */
async function violations(tab: Tab): Promise<string[]> {
  const axe = await Deno.readTextFile(new URL(import.meta.resolve("axe-core/axe.min.js")));
  // The page's policy forbids injected scripts, but does not apply to the debugger.
  await tab.evaluate(axe);
  const found = await tab.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- axe's global
    const { violations } = await (globalThis as any).axe.run();
    // deno-lint-ignore no-explicit-any -- axe's result
    return violations.map(({ id, nodes }: any) => `${id}: ${nodes[0]?.html}`);
  });
  return found;
}

step("the empty page says what to type", async (open) => {
  await using server = await startWatched();
  const tab = await open(server.page.url);
  await shows(tab, ".live", "Live");
  assertEquals(await texts(tab, "#empty .try"), [
    `netdemo calc-client localhost:${server.port}`,
  ]);
  assertEquals(await tab.$eval("#empty", (one) => getComputedStyle(one).display), "block");
  using learner = await Learner.connect(server);
  await learner.ask("1 2 +\n");
  await shows(tab, ".label", "1 2 +");
  assertEquals(await tab.$eval("#empty", (one) => getComputedStyle(one).display), "none");
});

step("rungs appear during the conversation", async (open) => {
  await using server = await startWatched();
  const tab = await open(server.page.url);
  using learner = await Learner.connect(server);
  await shows(tab, ".rung .server", "accept()");
  await learner.ask("10 20 +\n");
  await shows(tab, ".label", '"Sum of 10 and 20 is 30\\n"');
  assertEquals(await texts(tab, ".drawn .label"), [
    "handshake",
    String.raw`"10 20 +\n"`,
    String.raw`"Sum of 10 and 20 is 30\n"`,
  ]);
  assertEquals(await texts(tab, ".drawn .call.server"), ["accept()", "recv(8)", "send(23)"]);
  assertEquals(await texts(tab, "#list .word"), ["open"]);
  learner[Symbol.dispose]();
  await shows(tab, "#list .word", "closed");
});

step("a script in the data stays text, in the ladder and in an open rung", async (open) => {
  await using server = await startWatched({ service: "message" });
  const tab = await open(server.page.url);
  using learner = await Learner.connect(server);
  const evil = "<img src=x onerror='globalThis.struck=1'><script>globalThis.struck=1</script>";
  await learner.ask(`${evil}\n`);
  await shows(tab, ".label", "<script>");
  await tab.click(".rung:nth-child(2) summary");
  await shows(tab, ".inside .text", evil);
  await tab.reload();
  await shows(tab, ".label", "<script>");
  const struck = await tab.evaluate(() => [
    "struck" in globalThis,
    document.querySelectorAll("main img, main script").length,
  ]);
  assertEquals(struck, [false, 0]);
});

step(
  "three learners are shown side by side, and the one that misbehaves stands out",
  async (open) => {
    await using server = await startWatched({ service: "lab" });
    const tab = await open(server.page.url);
    using first = await Learner.connect(server);
    await first.ask("echo one\n");
    using second = await Learner.connect(server);
    await second.ask("reset 3\n");
    using third = await Learner.connect(server);
    await third.ask("echo three\n");
    await shows(tab, ".card.bad .word", "reset by the server");
    await shows(tab, ".label", "three");
    const cards = await tab.$$eval(".card", (all) =>
      all.map((one) => {
        const { left, top } = one.getBoundingClientRect();
        const style = getComputedStyle(one);
        return {
          left,
          top,
          name: one.querySelector("h2")?.textContent,
          border: style.borderTopColor,
        };
      }));
    assertEquals(cards.map(({ name }) => name), ["#3", "#2", "#1"]); // newest first
    const [three, two, one] = cards;
    if (three === undefined || two === undefined || one === undefined) throw new Error("too few");
    assert(three.left < two.left && two.left < one.left, "side by side");
    assertEquals(three.top, one.top);
    assertEquals(three.border, one.border);
    assert(two.border !== one.border, "the one that misbehaves has another colour");
    assertEquals(await texts(tab, "#list .number"), ["#3", "#2", "#1"]);
  },
);

step("a rung opens to show its bytes as text and in hex, and its explanation", async (open) => {
  await using server = await startWatched();
  const tab = await open(server.page.url);
  using learner = await Learner.connect(server);
  await learner.ask("10 20 +\n");
  await shows(tab, ".label", "Sum of");
  await tab.click(".rung:nth-child(2) summary");
  await shows(tab, ".explanation", "recv() takes what has arrived so far");
  await shows(tab, ".hex", "0000  31 30 20 32 30 20 2b 0a  10 20 +.");
  await shows(tab, ".text", "10 20 +");
});

step("everything works from the keyboard", async (open) => {
  await using server = await startWatched();
  using first = await Learner.connect(server);
  await first.ask("1 1 +\n");
  using second = await Learner.connect(server);
  await second.ask("2 2 +\n");
  const tab = await open(server.page.url, PHONE);
  await shows(tab, ".label", "Sum of 2 and 2");
  const press = async (...keys: string[]): Promise<void> => {
    // deno-lint-ignore no-explicit-any -- puppeteer's key names
    for (const key of keys) await tab.keyboard.press(key as any);
  };
  await press("Tab");
  assertEquals(await focused(tab), "Skip to the ladders");
  await press("Tab");
  assertEquals(await focused(tab), "Follow the newest");
  await press("Tab");
  assertEquals(await focused(tab), "Pause");
  await press("Enter");
  assertStringIncludes(await focused(tab), "Paused");
  await second.ask("5 5 +\n");
  await shows(tab, "#pause", "2 new");
  await press("Space", "Tab"); // resumes, then moves to the filter
  await shows(tab, ".label", "Sum of 5 and 5");
  await tab.keyboard.type("sum of 1 and");
  await shows(tab, ".card h2", "#1");
  assertEquals(await texts(tab, "#list .number"), ["#1"]);
  await tab.$eval("#filter", (input) => (input as HTMLInputElement).select());
  await press("Backspace", "Tab"); // the list
  assertMatch(await focused(tab), /^#[12]/);
  await press("Home");
  assertMatch(await focused(tab), /^#2/);
  await press("ArrowDown");
  assertMatch(await focused(tab), /^#1/);
  await press("Enter");
  await tab.waitForFunction(() => document.querySelector(".card h2")?.textContent === "#1");
  assertEquals(await texts(tab, ".card h2"), ["#1"]);
  assertEquals(await tab.$eval("#follow", (one) => one.getAttribute("aria-pressed")), "false");
  assertMatch(await focused(tab), /^#1/); // the focus has not moved
  await press("Tab"); // a rung
  assertStringIncludes(await focused(tab), "handshake");
  await press("End", "ArrowUp", "Enter");
  await shows(tab, ".inside .text", "1 1 +");
});

step("axe finds no violation: empty and full, light and dark, wide and narrow", async (open) => {
  await using server = await startWatched({ service: "lab" });
  const empty = await open(server.page.url);
  await shows(empty, ".live", "Live");
  assertEquals(await violations(empty), []);
  using first = await Learner.connect(server);
  await first.ask("garbage\n");
  using second = await Learner.connect(server);
  await second.ask("reset 5\n");
  for (const look of [{ ...WIDE, scheme: "dark" } as const, PHONE]) {
    const tab = await open(server.page.url, look);
    await shows(tab, ".card .word", "reset by the server");
    await tab.waitForSelector("#list [data-key]"); // the script has taken over
    await tab.$$eval("summary", (all) => all.forEach((one) => (one as HTMLElement).click()));
    await tab.waitForSelector(".inside .hex");
    assertEquals(await violations(tab), []);
  }
});

step("dark is dark, light is light, and a phone has no sideways scrolling", async (open) => {
  await using server = await startWatched();
  using learner = await Learner.connect(server);
  await learner.ask("10 20 +\n");
  const ground = async (look: Look): Promise<number> => {
    const tab = await open(server.page.url, look);
    await shows(tab, ".label", "Sum of");
    const { color, overflow } = await tab.evaluate(() => ({
      color: getComputedStyle(document.body).backgroundColor,
      overflow: document.documentElement.scrollWidth - innerWidth,
    }));
    assertEquals(overflow <= 0, true);
    const [red = 0, green = 0, blue = 0] = [...color.matchAll(/[\d.]+/g)].map(Number);
    return (red + green + blue) / 3;
  };
  assertGreater(await ground(WIDE), 200);
  assertGreater(60, await ground({ ...WIDE, scheme: "dark" }));
  assertGreater(await ground(PHONE), 200);
});

/** On how many lines the elements are that a selector finds: one, if they share a middle. */
function lineCount(tab: Tab, selector: string): Promise<number> {
  return tab.$$eval(selector, (found) => {
    const boxes = found.map((one) => one.getBoundingClientRect());
    const first = boxes[0] ?? new DOMRect();
    return boxes.filter(({ top, bottom }) => bottom < first.top || top > first.bottom).length + 1;
  });
}

step("the page of a class opens from a file, asks for nothing, and is accessible", async (open) => {
  const attack = '<img src="http://192.0.2.1/x" onerror="document.title = 1">';
  const failed: Graded["results"][number] = {
    ...{ id: "answers", level: "lesson", status: "fail", sentence: 'answers "10 20 +"' },
    more: { saw: `${attack}\n^ byte 1 differs`, why: "a client checks it" },
  };
  const passed: Graded = {
    ...{ name: "Ana", offences: [], elapsedMs: 1_200 },
    results: [{ ...failed, status: "pass", more: {} }, {
      ...failed,
      level: "robust",
      status: "skip",
    }],
  };
  const all: Graded[] = [
    { ...passed, name: attack, results: [failed], offences: ["left processes running"] },
    passed,
    { ...passed, name: "carl", results: [], problem: "it is a symbolic link" },
  ];
  const words = { title: "calc-server, level lesson", command: "x", outcome: "1 of 3" };
  const path = await Deno.makeTempFile({ suffix: ".html" });
  try {
    await Deno.writeTextFile(path, await pageOf(words, rowsOf(all), all));
    for (const look of [WIDE, { ...WIDE, scheme: "dark" } as const, PHONE]) {
      const tab = await open("about:blank", look);
      const requests: string[] = [];
      tab.on("request", (request) => requests.push(request.url()));
      await tab.goto(`file://${path}`);
      assertEquals(await texts(tab, "summary .name"), [attack, "Ana", "carl"]);
      if (look !== PHONE) {
        assertEquals(await lineCount(tab, "details:nth-of-type(2) .cells > *"), 1);
      }
      await tab.$$eval("summary", (rows) => rows.forEach((row) => (row as HTMLElement).click()));
      await shows(tab, "[open] pre", "<img");
      assertEquals(await violations(tab), []);
      assertEquals(requests, [`file://${path}`]);
      const width = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assertEquals(width <= 0, true);
    }
  } finally {
    await Deno.remove(path);
  }
});

step("all of 2,000 events are shown, and the page still responds at once", async (open) => {
  await using server = await startWatched();
  const tab = await open(server.page.url);
  await shows(tab, ".live", "Live");
  const learners = await Promise.all(Array.from({ length: 4 }, () => Learner.connect(server)));
  using _all = { [Symbol.dispose]: () => learners.forEach((one) => one[Symbol.dispose]()) };
  // One accept, and two calls per request: 4 * (1 + 2 * 249) = 1,996.
  await Promise.all(learners.map(async (learner, index) => {
    for (let count = 0; count < 249; count++) await learner.ask(`${index} ${count} +\n`);
  }));
  for (const id of [1, 2, 3, 4]) {
    const link = await tab.waitForSelector(`#list li[data-id="${id}"] a`);
    await link?.evaluate((found) => (found as HTMLElement).click());
    await shows(tab, `#connection-${id} .label`, "and 248 is");
    assertEquals((await tab.$$(`#connection-${id} .rung`)).length, 499);
  }
  const busy = await tab.evaluate(() => {
    const start = performance.now();
    document.querySelector<HTMLElement>('#list li[data-id="1"] a')?.click();
    return performance.now() - start;
  });
  assertGreater(500, busy);
});

step("a reload shows the same ladder", async (open) => {
  await using server = await startWatched();
  using learner = await Learner.connect(server);
  await learner.ask("10 20 +\n");
  const tab = await open(server.page.url);
  await shows(tab, ".label", "Sum of");
  const before = await texts(tab, ".drawn");
  await tab.reload();
  await shows(tab, ".live", "Live");
  await shows(tab, ".label", "Sum of");
  assertEquals(await texts(tab, ".drawn"), before);
});

step("the page is readable without its script", async (open) => {
  await using server = await startWatched();
  using learner = await Learner.connect(server);
  await learner.ask("10 20 +\n");
  const tab = await open("about:blank");
  await tab.setJavaScriptEnabled(false);
  await tab.goto(server.page.url);
  assertStringIncludes((await texts(tab, ".card")).join(), "Sum of 10 and 20 is 30");
  assertStringIncludes((await texts(tab, ".live")).join(), "reload");
  assertEquals(await tab.$eval("#controls", (one) => getComputedStyle(one).display), "none");
});

step(
  "the page shows the server's end, and continues by itself when it is back",
  async (open) => {
    const server = await startWatched();
    const { pagePort } = server;
    const tab = await open(server.page.url);
    {
      using learner = await Learner.connect(server);
      await learner.ask("1 2 +\n");
      await shows(tab, ".label", "Sum of 1 and 2");
    }
    await server.stop("SIGTERM");
    await shows(tab, "#notice", "The server has stopped (SIGTERM)");
    await shows(tab, ".live", "Stopped");
    assertEquals((await texts(tab, ".label")).some((label) => label.includes("Sum of 1")), true);
    await using again = await startWatched({ pagePort });
    using learner = await Learner.connect(again);
    await learner.ask("3 4 +\n");
    await shows(tab, ".label", "Sum of 3 and 4");
    await shows(tab, ".live", "Live");
    assertEquals((await texts(tab, ".label")).some((label) => label.includes("Sum of 1")), false);
    assertEquals(await texts(tab, "#notice"), [""]);
  },
);

/** Forwards a folder of its own to the page, as Jupyter's and editors' forwarders do. */
function forward(pagePort: number, folder: string, host: string): Disposable & { url: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const decoder = new TextDecoder();
  const accept = async (): Promise<void> => {
    while (true) {
      const browser = await listener.accept().catch(() => undefined);
      if (browser === undefined) return;
      pass(browser).catch(() => {}).finally(() => browser[Symbol.dispose]());
    }
  };
  const pass = async (browser: Deno.TcpConn): Promise<void> => {
    const buffer = new Uint8Array(65_536);
    let head = "";
    while (!head.includes("\r\n\r\n")) {
      head += decoder.decode(buffer.subarray(0, await browser.read(buffer) ?? 0));
    }
    using page = await Deno.connect({ hostname: "127.0.0.1", port: pagePort });
    const own = head.replace(` ${folder}`, " /").replace(/^Host: .*$/im, `Host: ${host}`);
    await page.write(encoder.encode(own));
    await page.readable.pipeTo(browser.writable);
  };
  accept();
  return {
    url: `http://127.0.0.1:${listener.addr.port}${folder}`,
    [Symbol.dispose]: () => listener.close(),
  };
}

step("behind a forwarder the page works under another name and in a folder", async (open) => {
  const host = "hub.example";
  await using server = await startWatched({ hosts: [host] });
  using forwarder = forward(server.pagePort, "/user/ada/proxy/4100/", host);
  const tab = await open(forwarder.url);
  await shows(tab, ".live", "Live");
  using learner = await Learner.connect(server);
  await learner.ask("10 20 +\n");
  await shows(tab, ".label", "Sum of 10 and 20");
  const href = await tab.$eval(".save", (link) => (link as HTMLAnchorElement).href);
  assertEquals(href, `${forwarder.url}connection-1.svg`);
  const picture = await tab.evaluate(async (href) => await (await fetch(href)).text(), href);
  assertStringIncludes(picture, "Sum of 10 and 20 is 30");
});

step("what is no longer kept is said between the first rungs and the latest", async (open) => {
  await using server = await startWatched();
  const tab = await open(server.page.url);
  await shows(tab, ".live", "Live");
  for (let learners = 0; learners < 2; learners++) {
    using learner = await Learner.connect(server);
    for (let count = 0; count < 700; count++) await learner.ask("1 1 +\n");
  }
  await shows(tab, ".forgotten", "no longer kept");
  const items = await tab.$$eval(
    ".rungs > li",
    (all) => all.slice(0, 10).map((one) => one.className),
  );
  assertEquals(items.indexOf("forgotten"), 8);
  assertEquals((await texts(tab, ".drawn .label"))[1], String.raw`"1 1 +\n"`);
});

testWith([chromium], "the page works in a browser", async (context) => {
  await using opened = await openBrowser();
  const { browser } = opened;
  for (const [sentence, run] of steps) {
    await context.step(sentence, async () => {
      const tabs: Tab[] = [];
      const complaints: string[] = [];
      try {
        await run(async (url, look = WIDE) => {
          const tab = await openTab(browser, look);
          tabs.push(tab);
          tab.on("pageerror", (error) => complaints.push(String(error)));
          tab.on("console", (message) => {
            const text = message.text();
            // A browser's messages about a server that has gone.
            if (message.type() === "error" && !/ERR_|Failed to load/.test(text)) {
              complaints.push(text);
            }
          });
          if (url !== "about:blank") await tab.goto(url);
          return tab;
        });
      } finally {
        await Promise.all(tabs.map((tab) => tab.close()));
      }
      assertEquals(complaints, []);
    });
  }
});
