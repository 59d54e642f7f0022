/** What the tests share: processes, connections, needs of a machine, random inputs. */
export * from "./harness/connection.ts";
export * from "./harness/datagrams.ts";
export * from "./harness/in_process.ts";
export * from "./harness/needs.ts";
export * from "./harness/network.ts";
export * from "./harness/process.ts";
export * from "./harness/random.ts";
export * from "./harness/system.ts";
export * from "./harness/strace.ts";
