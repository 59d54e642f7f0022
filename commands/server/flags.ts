import { misuse } from "../../cli/errors/failure.ts";
import {
  durationFlag,
  type FlagValues,
  readName,
  readNumber,
  type ValueFlag,
} from "../../cli/arguments/flags.ts";
import { pageFlags } from "../../cli/page_flags.ts";
import { defaultLimits, type Limits } from "../../services/server/server.ts";
import type { Service, ServiceFlag } from "../../services/service.ts";

/** Milliseconds to wait for the resolver: no signal stops a server before it has answered. */
export const RESOLVE_TIMEOUT_MS = 5_000;

/** The flags of every command that runs servers: limits and reports. */
export const runFlags = {
  "max-connections": {
    value: "N",
    about: "connections served at a time",
    default: defaultLimits.maxConnections,
    read: readNumber(1, 1_000_000),
  },
  "max-request": {
    value: "BYTES",
    about: "longest request",
    default: defaultLimits.maxRequest,
    read: readNumber(1, 4_194_304),
  },
  "idle-timeout": durationFlag("close a connection idle for this long", defaultLimits.idleTimeout),
  "request-timeout": durationFlag(
    "longest wait for a complete request",
    defaultLimits.requestTimeout,
  ),
  grace: durationFlag("time for connections to end when stopping", defaultLimits.grace, {
    least: 0,
  }),
  "max-time": durationFlag("stop after this time", undefined),
  "port-file": {
    value: "PATH",
    about: "file that holds the port while the server listens",
    read: readName,
  },
  json: { about: "print events as JSON, one object per line" },
  verbose: { about: "show each connection, request, reply and end on stderr" },
  trace: { about: "show each socket call on stderr as it happens" },
  ...pageFlags,
};

export type RunValues = FlagValues<typeof runFlags>;

/** The limits for each server. */
export function limitsOf(values: RunValues): Limits {
  return {
    maxRequest: values["max-request"],
    maxConnections: values["max-connections"],
    idleTimeout: values["idle-timeout"],
    requestTimeout: values["request-timeout"],
    grace: values.grace,
  };
}

/** A service's own flag, whose value is the service configured by it. */
export function serviceFlag(service: Service, { apply, ...flag }: ServiceFlag): ValueFlag<Service> {
  return {
    ...flag,
    default: service,
    show: () => flag.default,
    read(text, name) {
      try {
        return apply(text);
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        throw misuse(`${name} ${cause.message}`, { cause });
      }
    },
  };
}

/** The service as configured by its own flag, if it has one. */
export function chosenService(
  service: Service,
  values: Readonly<Record<string, unknown>>,
): Service {
  const { flag } = service;
  return flag === undefined ? service : values[flag.name] as Service;
}
