// deno-lint-ignore-file no-console -- a client speaks to its user
// The calculator client of a first lesson in Node: it ends its side and waits for the other.
import { connect } from "node:net";

const client = connect(Number(process.env.PORT), "localhost");
process.stdin.on("data", (command) => client.write(command.toString().trim()));
client.on("data", (reply) => {
  console.log(`Server: ${reply}`);
  client.end();
});
