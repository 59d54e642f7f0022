import type { Rung } from "./rung.ts";

/** Returns a function that explains rungs in turn and never repeats a sentence. */
export function explainOnce(): (rung: Rung) => string | undefined {
  const said = new Set<string>();
  return (rung) => {
    const sentences = explanationOf(rung)?.split(/(?<=\.) /) ?? [];
    const fresh = sentences.filter((sentence) => !said.has(sentence));
    for (const sentence of fresh) said.add(sentence);
    return fresh.join(" ") || undefined;
  };
}

/** Explains a rung to a beginner in a sentence or two; `undefined` if nothing needs explaining. */
export function explanationOf(rung: Rung): string | undefined {
  const faults = rung.crossing?.explanations ?? [];
  const struck = rung.crossing?.from === "between" && rung.crossing.what !== "silence";
  const own = struck ? [] : [explanationOfCalls(rung) ?? ""];
  return [...own, ...faults].filter(Boolean).join(" ") || undefined;
}

function explanationOfCalls(rung: Rung): string | undefined {
  const { client, server, crossing } = rung;
  switch (crossing?.what) {
    case "handshake":
      return handshake(rung);
    case "data":
      return data(rung);
    case "end of stream":
      return endOfStream(rung);
    case "reset":
      if ([...client, ...server].some(({ reset }) => reset)) {
        return "This end closes with a reset instead of the end of the stream: the other end's " +
          "recv() fails with ECONNRESET, and data still in transit is lost.";
      }
      return "The other end is gone: its system answers with a reset, and what was sent is lost. " +
        "A waiting recv() fails with ECONNRESET.";
    case "refused":
      return "The system at that address answers at once that no program is using the port: " +
        "connect() fails with ECONNREFUSED.";
    case "silence":
      return "Nothing arrives. A program in recv() would wait forever: " +
        "only a timeout of its own ends the wait.";
    case "nothing more":
      return undefined;
    case undefined:
      return local[[...client, ...server].map(({ call }) => call).join(" ")];
  }
}

const RECV = "recv() takes what has arrived so far, however the sender divided it.";

/** By the calls of a rung in which nothing crosses. */
const local: Readonly<Record<string, string>> = {
  "socket bind listen":
    "The server makes a socket, bind() gives it an address and a port, and listen() lets " +
    "clients queue there. None of the three waits.",
  "socket bind": "A socket with an address and a port is all that datagrams need: " +
    "there is no listen() and no connect().",
  "socket": "The client makes a socket, one end of a future connection. Nothing is sent yet.",
  "close": "close() gives the socket back to the system. It does not wait.",
  "recv": RECV,
};

function handshake({ client, server }: Rung): string {
  if (client.length === 0) {
    return "accept(), which had been waiting, gives the server a new socket for this one client.";
  }
  if (server.length === 0) {
    return "connect() asks the system at the other address for a connection, and waits for its answer.";
  }
  return "connect() waits until the other end has agreed. accept(), which had been waiting, " +
    "gives the server a new socket for this one client.";
}

function data({ client, server, crossing }: Rung): string {
  const events = [...client, ...server];
  const datagram = events.some(({ call }) => call === "sendto");
  const received = client.length > 0 && server.length > 0;
  if (datagram && received) {
    return "sendto() sends one datagram and does not wait. recvfrom(), which had been waiting, " +
      "gets it whole and learns whom it came from.";
  }
  if (datagram) {
    return "sendto() succeeds anyway: it does not learn whether the datagram arrives, " +
      "or whether anyone is there.";
  }
  if (events.some(({ call }) => call === "recvfrom")) {
    return "recvfrom(), which had been waiting, gets a datagram whole and learns whom it came from.";
  }
  if (events.every(({ call }) => call === "recv")) return RECV;
  if (!received) {
    return "send() hands the bytes to the system and does not wait: " +
      "its success does not mean that anyone received them.";
  }
  const other = crossing?.from === "client" ? "server" : "client";
  return `send() hands the bytes to the system and does not wait. ` +
    `recv(), where the ${other} was waiting, gets them in order.`;
}

function endOfStream({ client, server }: Rung): string {
  const events = [...client, ...server];
  const received = client.length > 0 && server.length > 0;
  if (events.some(({ call }) => call === "shutdown")) {
    return "shutdown() ends only the sending on this side; it can still receive. " +
      (received
        ? "The other end's recv() gets 0 bytes: the end of the stream."
        : "The other end will be notified: the end of the stream.");
  }
  if (!events.some(({ call }) => call === "close")) {
    return "One side sends no more. The other end's recv() gets 0 bytes: the end of the stream.";
  }
  return "close() ends the connection. The other end's recv() gets 0 bytes, " +
    "which means that nothing more will come.";
}
