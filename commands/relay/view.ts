import { wordsOf } from "../../cli/errors/failure_words.ts";
import type { Event } from "../../cli/output/events.ts";
import { noticeOf } from "../../cli/output/notice.ts";
import { type Channels, eventLine, rounded } from "../../cli/output/channels.ts";
import { formatEndpoint, formatEndpoints } from "../../protocol/addresses.ts";
import { errnoOf, reasonOf } from "../../sockets/errno.ts";
import { visible } from "../../text/visible.ts";
import { EventQueue } from "./event_queue.ts";
import type { Notice, Relay, RelayOptions } from "./relay_engine.ts";
import { type Show, showJson, showLadder, showLines } from "./show.ts";
import { counted } from "../../text/counted.ts";

/** How a relay is shown. */
export interface ViewOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly explain: boolean;
  readonly protocol: "tcp" | "udp";
  /** The server, as typed. */
  readonly target: string;
  /** The seed that faults are drawn with, if any are drawn. */
  readonly seed: number | undefined;
}

/** What the user sees of a relay. */
export interface View {
  /** Absent if what passes is not shown. */
  readonly emit: RelayOptions["emit"];
  notice(notice: Notice): void;
  listening(relay: Relay): void;
  /** Reports that the relay has stopped, because of a signal or `max-time`. */
  stopped(why: string): void;
}

/** Opens the view: objects for programs, a ladder at a terminal, lines elsewhere. */
export function openView(options: ViewOptions, channels: Channels): View {
  return options.json ? jsonView(options, channels) : textView(options, channels);
}

function textView(options: ViewOptions, channels: Channels): View {
  const { protocol, target, seed, explain, quiet } = options;
  const { stdout, stderr } = channels;
  const queue = queueTo(
    Deno.stdout.isTerminal() ? showLadder(channels, protocol, explain) : showLines(channels),
    channels,
  );
  const warn = (line: string): void => stderr.line(`netdemo: ${line}`);
  const [full, failed] = [noticeOf(warn), noticeOf(warn)];
  return {
    emit: quiet ? undefined : queue.add,
    notice(notice) {
      if (notice.what === "full") full("the relay is full: a client was reset");
      else if (notice.what === "unresolved") {
        warn(`${visible(wordsOf(notice.error).message)}; it is looked up again for each client`);
      } else failed(`cannot accept connections; retrying: ${visible(reasonOf(notice.error))}`);
    },
    listening({ addresses }) {
      const here = visible(formatEndpoints(addresses, protocol));
      stdout.line(`Listening on ${here}, passing on to ${visible(target)}`);
      if (seed !== undefined) stdout.line(`Faults are drawn with --seed ${seed}`);
    },
    stopped() {
      queue.flush();
      if (queue.dropped > 0) warn(`${counted(queue.dropped, "event")} came too fast to be shown`);
    },
  };
}

function jsonView(options: ViewOptions, channels: Channels): View {
  const { protocol, target, seed, quiet } = options;
  const { stdout } = channels;
  const queue = queueTo(showJson(channels), channels);
  const startedAt = performance.now();
  const common = () => ({ time: new Date().toISOString(), service: "relay" });
  const emit = (event: Event): void => stdout.line(eventLine(event));
  let running: Relay | undefined;
  return {
    emit: quiet ? undefined : queue.add,
    notice(notice) {
      if (notice.what === "unresolved") return; // each client that is refused has its errno
      if (notice.what === "accept failed") {
        const { error } = notice;
        const [errno, message] = [errnoOf(error), reasonOf(error)];
        return emit({ event: "accept-failed", ...common(), errno, message });
      }
      const { connection, client, relay } = notice;
      const ends = { remote: formatEndpoint(client), local: formatEndpoint(relay) };
      emit({ event: "rejected", ...common(), connection, ...ends, reason: "relay is full" });
    },
    listening(relay) {
      running = relay;
      const addresses = relay.addresses.map(formatEndpoint);
      const place = { protocols: [protocol], addresses, port: relay.addresses[0]?.port };
      emit({ event: "listening", ...common(), ...place, target, seed });
    },
    stopped(reason) {
      queue.flush();
      const last = eventLine({
        event: "stopped",
        ...common(),
        reason,
        connections: running?.connections ?? 0,
        rejected: running?.rejected ?? 0,
        droppedLines: stdout.dropped + queue.dropped,
        elapsedMs: rounded(performance.now() - startedAt),
      });
      stdout.text(`${last}\n`); // never dropped, however much is waiting
    },
  };
}

/** A queue that waits for the output to write earlier events; the output counts what it drops. */
function queueTo(show: Show, { stdout }: Channels): EventQueue {
  return new EventQueue({ show, written: () => stdout.flush().catch(() => {}) });
}
