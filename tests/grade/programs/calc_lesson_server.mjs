// The calculator server of a first lesson in Node: whatever arrives is a request.
import { createServer } from "node:net";

createServer((client) => {
  client.on("data", (data) => {
    const [o1, o2, operator] = data.toString().split(" ");
    const [a, b] = [Number(o1), Number(o2)];
    if (operator === "+") client.write(`Sum of ${o1} and ${o2} is ${a + b}`);
    if (operator === "-") client.write(`Diff of ${o1} and ${o2} is ${a - b}`);
    if (operator === "*") client.write(`Product of ${o1} and ${o2} is ${a * b}`);
    if (operator === "/") client.write(`Div of ${o1} and ${o2} is ${a / b}`);
  });
}).listen(Number(process.argv[2]));
