import { delay } from "@std/async/delay";
import type { ReplyPlan, ReplyStep } from "../service.ts";
import type { ServedConnection } from "./connection.ts";

/** Milliseconds that the steps of one reply may take. */
const PLAN_MS = 120_000;

/** Takes the steps of a reply in order, until no more is answered. */
export async function takeSteps(
  plan: ReplyPlan,
  ending: "\n" | "",
  connection: ServedConnection,
): Promise<void> {
  const { life, context: { deadlines } } = connection;
  const end = deadlines.after(PLAN_MS);
  for (const step of plan.steps(ending)) {
    await connection.queue();
    if (!life.converses) return;
    if (deadlines.after(0) > end) return connection.end("reply timeout", 0);
    await takeStep(step, connection);
  }
}

async function takeStep(step: ReplyStep, connection: ServedConnection): Promise<void> {
  const { stream, life, ended } = connection;
  switch (step) {
    case "end":
      await stream.closeWrite();
      return life.beSilent();
    case "silence":
      return life.beSilent();
    case "close":
      return connection.end("served");
    case "reset":
      stream.reset?.();
      return connection.end("served", 0);
    default:
      if ("send" in step) return await connection.send(step.send);
      life.pause(step.waitMs);
      await delay(step.waitMs, { signal: ended }).catch(() => {});
  }
}
