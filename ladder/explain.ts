import type { SocketEvent } from "../sockets/socket_events.ts";
import type { Rung } from "./rung.ts";

/** What each fault does to what crosses. */
const faultSentences: Readonly<Record<string, string>> = {
  delay: "It was held back on its way.",
  split: "It went on byte by byte: whoever expects it in one recv() gets a part.",
  throttle: "It went on slowly, so many bytes a second.",
  garbage: "Its first byte was altered on its way, so that it is no longer UTF-8 text.",
  lose: "It was lost on its way, and nobody is notified.",
  twice: "It arrives twice: who receives it can't know that it was sent once.",
  stall: "From here on nothing passes, and neither end is notified.",
  close: "The connection was ended on the way, at both ends.",
  reset: "The connection was reset on the way, at both ends.",
};

/** Explains rungs one after the other, and says no sentence twice. */
export function explainOnce(): (rung: Rung) => string | undefined {
  const told = new Set<string>();
  return (rung) => {
    const sentences = explanationOf(rung)?.split(/(?<=\.) /) ?? [];
    const fresh = sentences.filter((sentence) => !told.has(sentence));
    for (const sentence of fresh) told.add(sentence);
    return fresh.join(" ") || undefined;
  };
}

/** One sentence, or two, that a beginner can use about a rung; `undefined` where there is nothing to say. */
export function explanationOf(rung: Rung): string | undefined {
  const faults = (rung.crossing?.faults ?? []).map((name) => faultSentences[name] ?? "");
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
        return "This end closes with a reset in place of the end of the stream: the other end's " +
          "recv() fails with ECONNRESET, and what was still on its way is lost.";
      }
      return "The other end is gone: its system answers with a reset, and what was sent is lost. " +
        "A recv() that waits fails with ECONNRESET.";
    case "refused":
      return "The system at that address answers at once that no program has the port: " +
        "connect() fails with ECONNREFUSED.";
    case "silence":
      return "Nothing comes. Whoever waits in recv() would wait for ever: " +
        "only a limit of its own ends the wait.";
    case "nothing more":
      return undefined;
    case undefined:
      return local([...client, ...server]);
  }
}

function local(events: readonly SocketEvent[]): string | undefined {
  const calls = events.map(({ call }) => call).join(" ");
  switch (calls) {
    case "socket bind listen":
      return "The server makes a socket, bind() gives it an address and a port, and listen() " +
        "lets clients queue there. None of the three waits.";
    case "socket bind":
      return "A socket with an address and a port is all that datagrams need: " +
        "nobody listens, nobody connects.";
    case "socket":
      return "The client makes a socket, one end of a connection to be. Nothing has left it yet.";
    case "close":
      return "close() gives the socket back to the system. It does not wait.";
    case "recv":
      return "recv() takes what has come so far, wherever the sender made its cuts.";
    default:
      return undefined;
  }
}

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
    return "sendto() succeeds all the same: it does not learn whether the datagram arrives, " +
      "nor whether anybody is there.";
  }
  if (events.some(({ call }) => call === "recvfrom")) {
    return "recvfrom(), which had been waiting, gets a datagram whole and learns whom it came from.";
  }
  if (events.every(({ call }) => call === "recv")) {
    return "recv() takes what has come so far, wherever the sender made its cuts.";
  }
  if (!received) {
    return "send() hands the bytes to the system and does not wait: " +
      "that it succeeded does not mean that anybody got them.";
  }
  const other = crossing?.from === "client" ? "server" : "client";
  return `send() hands the bytes to the system and does not wait. ` +
    `recv(), where the ${other} was waiting, gets them in order.`;
}

function endOfStream({ client, server }: Rung): string {
  const events = [...client, ...server];
  const received = client.length > 0 && server.length > 0;
  if (events.some(({ call }) => call === "shutdown")) {
    return "shutdown() ends the sending of this side only; it still receives. " +
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
