// deno-lint-ignore-file no-console -- it prints its port
// The calculator on Node's own modules: peer_node.mjs tcp|udp
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

function calculate(request) {
  const [a, b, operator] = request.split(" ");
  const [x, y] = [BigInt(a), BigInt(b)];
  if (operator === "+") return `Sum of ${a} and ${b} is ${x + y}`;
  if (operator === "-") return `Diff of ${a} and ${b} is ${x - y}`;
  return `Product of ${a} and ${b} is ${x * y}`;
}

function serveTcp() {
  const server = createServer({ noDelay: true }, (socket) => {
    let pending = "";
    socket.setEncoding("utf8");
    socket.on("error", () => {});
    socket.on("data", (text) => {
      const lines = (pending + text).split("\n");
      pending = lines.pop();
      let replies = "";
      for (const line of lines) replies += `${calculate(line)}\n`;
      socket.write(replies);
    });
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
    console.log(server.address().port);
  });
}

function serveUdp() {
  const socket = createSocket("udp4", (bytes, { port, address }) => {
    socket.send(calculate(bytes.toString()), port, address);
  });
  socket.bind(0, "127.0.0.1", () => console.log(socket.address().port));
}

if (process.argv[2] === "udp") serveUdp();
else serveTcp();
