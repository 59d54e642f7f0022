import type { Program } from "../../cli/command.ts";
import { misuse } from "../../cli/errors/failure.ts";
import {
  durationFlag,
  type FlagValues,
  parseCommandLine,
  readName,
  readNumber,
} from "../../cli/arguments/flags.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { pageFlags } from "../../cli/page_flags.ts";
import { cannot } from "../../cli/runtime.ts";
import { runUntilStopped } from "../../cli/run_until_stopped.ts";
import { type InternetTarget, parseTarget } from "../../cli/arguments/target.ts";
import { hostFlag } from "../../cli/arguments/transport.ts";
import { loopbackAddresses } from "../../protocol/addresses.ts";
import { canReset } from "../../sockets/runtime.ts";
import { hasZone } from "../../sockets/zone.ts";
import { resolve } from "../../sockets/resolve.ts";
import { Backend } from "./backend.ts";
import { freshSeed } from "./faults/draw.ts";
import { checkFaults, FAULT_FORM, readFault } from "./faults/fault.ts";
import { faultTable } from "./faults/table.ts";
import type { Relay, RelayOptions } from "./relay_engine.ts";
import { emitToBoth, openPage, showPage } from "./relay_page.ts";
import { openRecorder, withRecorder } from "./record/recorder.ts";
import { startTcpRelay } from "./tcp_relay.ts";
import { startUdpRelay } from "./udp_relay.ts";
import { shellWord } from "../../text/shell.ts";
import { openView } from "./view.ts";

/** Milliseconds to wait for the resolver. */
const RESOLVE_TIMEOUT_MS = 5_000;
const MAX_SEED = 999_999_999;

const flags = {
  host: hostFlag("host name or IP address to listen on"),
  port: {
    value: "N",
    short: "p",
    about: "port to listen on, 0-65535; 0 picks a free one",
    read: readNumber(0, 65_535),
  },
  udp: { short: "u", about: "pass on datagrams; the same as udp:// before TARGET" },
  fault: {
    value: FAULT_FORM,
    about: "disturb what passes; may be given several times",
    repeats: true,
    read: readFault,
  },
  seed: {
    value: "N",
    about: "repeat the faults drawn with this seed (default: a random one, printed)",
    read: readNumber(0, MAX_SEED),
  },
  record: {
    value: "FILE",
    about: "write what passes as a conversation file, passwords included",
    read: readName,
  },
  fresh: { about: "with --record: names for what is calculated or occurs on both sides" },
  explain: { about: "explain each rung (at a terminal)" },
  quiet: { about: "don't show what passes" },
  "max-connections": {
    value: "N",
    about: "connections at a time; further ones are reset",
    default: 10_000,
    read: readNumber(1, 1_000_000),
  },
  "max-time": durationFlag("stop after this time", undefined),
  "port-file": {
    value: "PATH",
    about: "file that holds the port while the relay listens",
    read: readName,
  },
  json: { about: "print events as JSON, one object per line" },
  ...pageFlags,
} as const;

type Values = FlagValues<typeof flags>;

/** The command that stands between a client and a server. */
export const program: Program = {
  usage: "--port N TARGET",
  resets: true,
  about: `Stands between any client and any server, in any language: listens on the port,
connects to TARGET, HOST:PORT, for each client, and passes on what each side sends
as it arrives. A half-close stays a half-close and a reset a reset; if the server
can't be reached, the client gets a reset. At a terminal each connection is drawn as
demo draws it, rung by rung; in a pipe each event is a line. Ctrl-C resets open
connections and stops the relay.

Faults of a connection or a datagram; several can be combined:
${faultTable.map(({ form, about }) => `  ${form.padEnd(12)}  ${about}`).join("\n")}
N counts the bytes of both directions as they arrive; what came before passes first.
With @PERCENT only that share of connections (or of datagrams, with --udp)
is affected, drawn with --seed in order of arrival; with #1-2 only the first two.

With --record what passes becomes a conversation file: each connection is a
conversation, each piece a line. check, grade, serve and demo play it. A file
that holds something already is never written over.`,
  examples: [
    "netdemo relay --port 4041 localhost:4040",
    "netdemo relay --port 4041 localhost:4040 --fault delay=100ms --fault reset=20@10",
    "netdemo relay --port 4041 localhost:4040 --fault reset=0#1-2",
    "netdemo relay --port 4041 localhost:4040 --record calc.talk --fresh",
    "netdemo relay --port 5353 udp://localhost:53 --fault lose@30 --seed 7",
  ],
  flags,
  parse(args) {
    const { flags: values, words } = parseCommandLine(args, flags);
    const target = readTarget(words, values, args);
    const protocol = values.udp || target.protocol === "udp" ? "udp" : "tcp";
    const zoned = [values.host, target.host].find(hasZone);
    const noReset = canReset ? zoned && `${zoned} has a zone` : cannot("reset");
    checkFaults(values.fault, protocol, noReset);
    if (values.fresh && values.record === undefined) {
      throw misuse("--fresh needs --record FILE", {
        hint: `netdemo relay --port ${values.port} ${target.text} --record a.talk --fresh`,
      });
    }
    return (channels) => relay(values, target, protocol, channels);
  },
};

async function relay(
  values: Values,
  target: InternetTarget,
  protocol: "tcp" | "udp",
  channels: Channels,
): Promise<number> {
  const [addresses, { backend, failure }] = await Promise.all([
    resolve(values.host, RESOLVE_TIMEOUT_MS),
    Backend.find({ hostname: target.host, port: target.port }),
  ]);
  const seed = values.seed ?? freshSeed();
  const isDrawn = values.fault.some(({ percent, jitter }) => percent < 100 || jitter > 0);
  const view = openView({
    ...values,
    protocol,
    target: target.text,
    seed: isDrawn ? seed : undefined,
  }, channels);
  await using page = await openPage(values, protocol);
  const recorder = openRecorder(values, protocol, channels);
  const options: RelayOptions = {
    addresses,
    port: values.port ?? 0,
    backend,
    faults: values.fault,
    seed,
    maxConnections: values["max-connections"],
    ...withRecorder(recorder, emitToBoth(view.emit, page?.watch.see)),
    notice: view.notice,
  };
  const start = protocol === "udp" ? startUdpRelay : startTcpRelay;
  return await runUntilStopped(
    {
      start: async (signal) => withoutLoop(await start(options, signal), backend, target),
      portFile: (relay: Relay) => `${relay.addresses[0]?.port}\n`,
      listening(relay) {
        view.listening(relay);
        if (failure !== undefined) view.notice({ what: "unresolved", error: failure });
        if (page !== undefined) showPage(page, relay, target.text, values, channels);
      },
      stopped(why) {
        view.stopped(why);
        recorder?.finish();
        page?.stopped(why);
      },
    },
    values,
    channels,
  );
}

/** @throws {Failure} of kind `USAGE` whose hint shows a whole command line. */
function readTarget(
  words: readonly string[],
  values: Values,
  args: readonly string[],
): InternetTarget {
  const [word, surplus] = words;
  const hint = "for example: netdemo relay --port 4041 localhost:4040";
  if (word === undefined) throw misuse("relay needs a TARGET: the server to pass on to", { hint });
  if (surplus !== undefined) {
    throw misuse(`relay takes one TARGET: received '${surplus}' as well`, { hint });
  }
  const target = parseTarget(word);
  if (target.protocol === "unix") {
    throw misuse("relay passes on to HOST:PORT, not to a Unix socket", { hint });
  }
  if (values.udp && /^tcp:/i.test(word)) {
    throw misuse(`--udp makes no sense with ${word}`, {
      hint: "leave one of them out",
    });
  }
  if (values.port === undefined) {
    const port = target.port === 4_041 ? 4_042 : 4_041;
    const line = ["netdemo relay --port", port, ...args.map(shellWord)].join(" ");
    throw misuse("relay needs --port N: where clients connect to", { hint: line });
  }
  return target;
}

/** Returns the relay. @throws {Failure} of kind `USAGE` if it would keep connecting to itself. */
async function withoutLoop(
  relay: Relay,
  backend: Backend,
  target: InternetTarget,
): Promise<Relay> {
  const isItself = relay.addresses.some(({ hostname, port }) =>
    backend.endpoints.some((one) =>
      one.port === port && (one.hostname === hostname ||
        (["0.0.0.0", "::"].includes(hostname) && loopbackAddresses.includes(one.hostname)))
    )
  );
  if (!isItself) return relay;
  await relay[Symbol.asyncDispose]();
  throw misuse(`the relay would pass everything on to itself: ${target.text}`, {
    hint: "--port is where clients connect to, TARGET is where the server listens",
  });
}
