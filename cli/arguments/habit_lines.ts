import { shellWord } from "../../text/shell.ts";

/** Builds `10 20 +` from the groups of a match that are the operands and the operator. */
export function operatorLast(
  one: number,
  operator: number,
  other: number,
): (...match: string[]) => string {
  return (...match) => {
    const typed = (match[operator] ?? "").replaceAll("'", "");
    const meant = { x: "*", "×": "*", "÷": "/" }[typed] ?? typed;
    return `${match[1]}${match[one]} ${match[other]} ${shellWord(meant)}`;
  };
}

/** The default ports of the services where it is not 40. */
const defaultPorts: Readonly<Record<string, string>> = { hello: "30", lab: "50" };

/** Builds `check --for 30s localhost:4040` for a client that should wait. */
export function waitLine(line: string, service = ""): string {
  const [, port = defaultPorts[service] ?? "40"] = /(?:--port|-p)[ =](\d+)/.exec(line) ?? [];
  const [, host = "localhost"] = /--host[ =](\S+)/.exec(line) ?? [];
  const [, target = `${host}:${port}`] = / ((?:\w+:\/\/)?[\w.-]*:\d+)(?= |$)/.exec(line) ?? [];
  const [, time = "30s"] =
    / --(?:wait|wait-for|for|until)[ =](\d+(?:ms|s|m|h)?)(?= |$)/.exec(line) ?? [];
  return `check --for ${time} ${target}${service === "calc" ? "" : `/${service}`}`;
}

/** Builds `check udp://localhost:4040` from flags of clients, which check does not have. */
export function checkLine(line: string): string {
  const [, port] = / (?:--port|-p)[ =](\d+)(?= |$)/.exec(line) ?? [];
  const [, host] = / --host[ =](\S+)/.exec(line) ?? [];
  const scheme = / (?:--udp|-u)(?= |$)/.test(line) ? "udp://" : "";
  const rest = line.replaceAll(/ (?:(?:--udp|-u)(?= |$)|(?:--host|--port|-p)[ =]\S+)/g, "");
  if (host !== undefined && port === undefined) return line; // the port is unknown
  if (port === undefined) {
    return rest.replaceAll(/ ((?:[a-z]+=)?)(?=[^-\s/]*:\d+(?:\/\w+)?(?= |$))/g, ` $1${scheme}`);
  }
  if (/:\d/.test(rest)) return line; // a target already has a port
  const [, word = "", others = ""] = /^check((?: [A-Za-z\d][\w.]*(?= |$))?)(.*)$/.exec(rest) ?? [];
  return `check ${scheme}${host ?? word.trim()}:${port}${host === undefined ? "" : word}${others}`;
}
