// A calculator server whose requests are lines.
import { createServer } from "node:net";

function answer(request) {
  const words = request.trim().split(/\s+/);
  if (words.length !== 3) return "Error: expected O1 O2 OP";
  const [o1, o2, operator] = words;
  if (![o1, o2].every((word) => /^[+-]?\d+$/.test(word))) return "Error: not an integer";
  const [a, b] = [BigInt(o1), BigInt(o2)];
  switch (operator) {
    case "+":
      return `Sum of ${o1} and ${o2} is ${a + b}`;
    case "-":
      return `Diff of ${o1} and ${o2} is ${a - b}`;
    case "*":
      return `Product of ${o1} and ${o2} is ${a * b}`;
    case "/": {
      if (b === 0n) return "Error: division by zero";
      const quotient = Number(a) / Number(b);
      return `Div of ${o1} and ${o2} is ${Number.isInteger(quotient) ? `${quotient}.0` : quotient}`;
    }
    default:
      return "Error: unknown operator";
  }
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  let kept = "";
  client.setEncoding("utf8");
  client.on("error", () => client.destroy());
  client.on("data", (data) => {
    const lines = (kept + data).split("\n");
    kept = lines.pop();
    for (const line of lines) client.write(`${answer(line)}\n`);
  });
  client.on("end", () => client.end());
});
server.listen(Number(process.env.PORT), "127.0.0.1");
