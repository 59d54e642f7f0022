/** What most tests share: processes, connections, needs of a machine. */
export * from "./connection.ts";
export * from "./datagrams.ts";
export * from "./events.ts";
export * from "./in_process.ts";
export * from "./needs.ts";
export * from "./network.ts";
export * from "./process.ts";
export * from "./system.ts";
export * from "./strace.ts";
