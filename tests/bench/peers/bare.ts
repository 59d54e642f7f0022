// deno-lint-ignore-file no-console -- it prints its port
/**
 * The calculator on plain Deno sockets: no limits, no deadlines, no drain, no
 * checks, whole lines expected. The baseline for the cost of netdemo's layers:
 * bare.ts tcp|udp
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function calculate(request: string): string {
  const [a = "", b = "", operator] = request.split(" ");
  const [x, y] = [BigInt(a), BigInt(b)];
  if (operator === "+") return `Sum of ${a} and ${b} is ${x + y}`;
  if (operator === "-") return `Diff of ${a} and ${b} is ${x - y}`;
  return `Product of ${a} and ${b} is ${x * y}`;
}

async function converse(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay();
  const buffer = new Uint8Array(16_384);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    const lines = decoder.decode(buffer.subarray(0, count)).split("\n");
    let replies = "";
    for (let line = 0; line < lines.length - 1; line++) {
      replies += `${calculate(lines[line] ?? "")}\n`;
    }
    await conn.write(encoder.encode(replies));
  }
  conn.close();
}

async function serveUdp(): Promise<void> {
  const socket = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
  console.log((socket.addr as Deno.NetAddr).port);
  const buffer = new Uint8Array(65_536);
  while (true) {
    const [bytes, from] = await socket.receive(buffer);
    await socket.send(encoder.encode(calculate(decoder.decode(bytes))), from);
  }
}

async function serveTcp(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4_096 });
  console.log(listener.addr.port);
  while (true) converse(await listener.accept()).catch(() => {});
}

await (Deno.args[0] === "udp" ? serveUdp() : serveTcp());
