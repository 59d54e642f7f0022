// deno-lint-ignore-file no-console -- it prints what it wrote
/**
 * Takes the screenshots of docs/page.md: `task screenshots [FOLDER]`. Three learners use a server,
 * one of them misbehaving; the page is shown in light, in dark and on a phone.
 */
import { readName } from "../cli/arguments/flags.ts";
import { type Look, openBrowser, openTab } from "./harness/browser.ts";
import { netdemoCommand, Process } from "./harness/process.ts";
import { readTaskLine } from "./harness/task_line.ts";
import { digestOfPage, PICTURES_OF } from "./page_pictures.ts";

const { words: [folder = `${import.meta.dirname}/../docs`] } = readTaskLine({
  usage: "screenshots [FOLDER]",
  words: [readName],
});

const looks: Readonly<Record<string, Look>> = {
  "page-light": { width: 1440, height: 810 },
  "page-dark": { width: 1440, height: 810, scheme: "dark" },
  "page-narrow": { width: 390, height: 844 },
};

/** A connection that sends lines one after another, and waits for each answer. */
async function learner(port: number, requests: readonly string[]): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(1_024);
  for (const request of requests) {
    await conn.write(new TextEncoder().encode(request));
    await conn.read(buffer).catch(() => null);
  }
  return conn;
}

await using server = new Process([
  ...[...netdemoCommand, "serve", "lab:0", "calc:0", "message:0", "--page"],
]);
const [, lab] = await server.printed(/lab: Listening on 127\.0\.0\.1:(\d+)/);
const [, calc] = await server.printed(/calc: Listening on 127\.0\.0\.1:(\d+)/);
const [, message] = await server.printed(/message: Listening on 127\.0\.0\.1:(\d+)/);
const [, url = ""] = await server.printed(/Page at (\S+)/);
await using opened = await openBrowser();
const { browser } = opened;

const empty = await openTab(browser, looks["page-light"]!);
await empty.goto(url);
await empty.waitForSelector(".live.on");
await empty.screenshot({ path: `${folder}/page-empty.png` });

using _first = await learner(Number(message), ["Hello Server HBD\n", "Good morning\n"]);
using _second = await learner(Number(lab), ["echo Is anybody there?\n", "garbage\n", "reset 5\n"]);
using _third = await learner(Number(calc), ["10 20 +\n", "10 4 /\n", "10 0 /\n"]);

for (const [name, look] of Object.entries(looks)) {
  const tab = await openTab(browser, look);
  await tab.goto(url);
  await tab.waitForSelector(".live.on");
  await tab.waitForSelector(".card summary");
  await tab.screenshot({ path: `${folder}/${name}.png` });
  console.log(`${folder}/${name}.png`);
}
await Deno.writeTextFile(`${folder}/${PICTURES_OF}`, `${await digestOfPage()}\n`);
