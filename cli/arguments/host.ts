import { canonicalAddress } from "../../protocol/addresses.ts";

/** What is wrong with a host, and what a right one looks like. */
export interface HostProblem {
  readonly why: string;
  readonly hint: string;
}

/**
 * Says what is wrong with a host; `undefined` if it is a name, or an IP address with or without
 * brackets.
 *
 * @param show How a host is written in its place, in the hint. @default {alone}
 */
export function problemOfHost(
  host: string,
  show = (host: string): string => host,
): HostProblem | undefined {
  if (canonicalAddress(host) !== undefined) return undefined;
  if (/^\[|:/.test(host)) {
    return {
      why: `'${host.replace(/^\[(.*)\]$/, "$1")}' is not an IPv6 address`,
      hint: `an IPv6 address looks like ${show("::1")} or ${show("2001:db8::7")}`,
    };
  }
  // Resolvers read 10.1 as 10.0.0.1: a typo would reach another host.
  if (/^(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?$/i.test(host)) {
    return {
      why: `'${host}' is not an IPv4 address`,
      hint: `an IPv4 address has four numbers from 0 to 255, for example ${show("10.0.0.7")}`,
    };
  }
  if (isHostName(host)) return undefined;
  const [, own] = /@([^@]+)$/.exec(host) ?? [];
  return {
    why: `'${host}' is not a host name`,
    hint: own === undefined
      ? `a host name has letters, digits, - and ., for example ${show("localhost")}`
      : `leave out everything before the @: ${show(own)}`,
  };
}

/** Whether a text may be a host name; an empty one may. */
export function isHostName(text: string): boolean {
  // Not a literal, which is compiled when the module is loaded: that takes half a millisecond.
  return /^[\w.-]*$/.test(text) || new RegExp("^[\\p{L}\\p{M}\\p{N}._-]*$", "u").test(text);
}
