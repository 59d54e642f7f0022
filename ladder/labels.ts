/** What a ladder says, however it is drawn. @module */
import { type Endpoint, formatEndpoint } from "../protocol/addresses.ts";
import type { SocketEvent } from "../sockets/socket_events.ts";
import { cutTo, quoteBytes } from "../text/width.ts";
import type { Crossing, Rung, SideNames } from "./rung.ts";

/** Returns what a side did: `recv(8) send(23)`. */
export function callsOf(events: readonly SocketEvent[]): string {
  return events.map(callOf).join(" ");
}

/** Returns what one call was: `send(8)`, or the error of a failed call. */
function callOf({ call, data, bytes, error }: SocketEvent): string {
  if (error !== undefined && call !== "connect") return error;
  return `${call}(${bytes ?? data?.length ?? ""})`;
}

/** Returns the label of an arrow, in so many columns: its bytes, or what crosses. */
export function labelOf(crossing: Crossing, columns: number, unicode = true): string {
  const { what, data, milliseconds = 0 } = crossing;
  if (data !== undefined) return quoteBytes(data, columns, unicode);
  return cutTo(what === "silence" ? `${Math.round(milliseconds)} ms of silence` : what, columns);
}

/** Returns the names of both sides, from their events. */
export function namesOf(rungs: readonly Rung[]): SideNames {
  const client = rungs.flatMap(({ client }) => client);
  const server = rungs.flatMap(({ server }) => server);
  const clients = clientsOf(rungs);
  return {
    client: clients.length > 1 ? clients.join(", ") : nameOf(client, server),
    server: nameOf(server, client),
  };
}

/** Whose rung it is, where a ladder has several clients: `ann` for `ann-client`. */
export function clientWords(rungs: readonly Rung[]): (rung: Rung) => string {
  if (clientsOf(rungs).length < 2) return () => "";
  return ({ client }) => client[0]?.who.replace(/-client$/, "") ?? "";
}

/** The names of the clients, in the order in which they come first. */
function clientsOf(rungs: readonly Rung[]): readonly string[] {
  return [...new Set(rungs.flatMap(({ client }) => client.map(({ who }) => who)))];
}

/** A program with its address, taken from its own calls or those of the other end. */
function nameOf(own: readonly SocketEvent[], other: readonly SocketEvent[]): string {
  const known = own.findLast(({ local }) => local !== undefined && !isUnnamed(local)) ?? own[0];
  if (known === undefined) return "";
  const { who, local } = known;
  if (local === undefined || isUnnamed(local)) return who;
  if (!isAnyAddress(local)) return `${who} ${formatEndpoint(local)}`;
  // Only the peer's calls show which address a socket bound to the wildcard address uses.
  const seen = other.find(({ remote }) => portOf(remote) === portOf(local))?.remote;
  return seen === undefined ? `${who} port ${portOf(local)}` : `${who} ${formatEndpoint(seen)}`;
}

function isAnyAddress(endpoint: Endpoint): boolean {
  return "hostname" in endpoint && (endpoint.hostname === "0.0.0.0" || endpoint.hostname === "::");
}

function portOf(endpoint: Endpoint | undefined): number | undefined {
  return endpoint !== undefined && "port" in endpoint ? endpoint.port : undefined;
}

function isUnnamed(endpoint: Endpoint): boolean {
  return "path" in endpoint && endpoint.path === null;
}
