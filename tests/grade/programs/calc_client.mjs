// deno-lint-ignore-file no-console -- a client speaks to its user
// A calculator client that sends lines.
import { connect } from "node:net";
import { createInterface } from "node:readline";

function fail(message) {
  console.error(message);
  process.exit(1);
}

createInterface({ input: process.stdin }).once("line", (command) => {
  const client = connect(Number(process.argv[2]), "127.0.0.1");
  let reply = "";
  client.setEncoding("utf8");
  client.setTimeout(3000, () => fail("no reply within 3 s"));
  client.on("error", (error) => fail(error.message));
  client.on("connect", () => client.write(`${command}\n`));
  client.on("data", (data) => {
    reply += data;
    if (reply.endsWith("\n")) finish();
  });
  client.on("end", () => reply === "" ? fail("the server closed without a reply") : finish());
  function finish() {
    const text = reply.trimEnd();
    process.stdout.write(`${text}\n`, () => process.exit(text.startsWith("Error: ") ? 1 : 0));
  }
});
