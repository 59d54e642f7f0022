import { delay } from "@std/async/delay";
import type { Deadlines } from "../../sockets/deadlines.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { ReplyPlan, ReplyStep } from "../service.ts";
import type { ConnectionLife } from "./connection_life.ts";
import type { EndReason } from "./server.ts";

/** Milliseconds that the steps of one reply may take. */
const PLAN_MS = 120_000;

/** The connection whose reply has steps. */
export interface StepTaker {
  readonly stream: Stream;
  readonly life: ConnectionLife;
  readonly deadlines: Deadlines;
  /** Aborts once the connection ends. */
  readonly ended: AbortSignal;
  /** Waits until there is time for long work, if necessary. */
  queue(): Promise<void> | undefined;
  /** Writes all of the bytes. */
  send(bytes: Uint8Array): Promise<void>;
  end(reason: EndReason, patience?: number): void;
}

/** Takes the steps of a reply in order, until no more is answered. */
export async function takeSteps(
  plan: ReplyPlan,
  ending: "\n" | "",
  taker: StepTaker,
): Promise<void> {
  const { life, deadlines } = taker;
  const end = deadlines.after(PLAN_MS);
  for (const step of plan.steps(ending)) {
    await taker.queue();
    if (!life.converses) return;
    if (deadlines.after(0) > end) return taker.end("reply timeout", 0);
    await takeStep(step, taker);
  }
}

async function takeStep(step: ReplyStep, taker: StepTaker): Promise<void> {
  const { stream, life, ended } = taker;
  switch (step) {
    case "end":
      await stream.closeWrite();
      return life.beSilent();
    case "silence":
      return life.beSilent();
    case "close":
      return taker.end("served");
    case "reset":
      stream.reset?.();
      return taker.end("served", 0);
    default:
      if ("send" in step) return await taker.send(step.send);
      life.pause(step.waitMs);
      await delay(step.waitMs, { signal: ended }).catch(() => {});
  }
}
