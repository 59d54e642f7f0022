import { close } from "./close.ts";
import { delay } from "./delay.ts";
import { garbage } from "./garbage.ts";
import type { FaultKind } from "./kind.ts";
import { lose } from "./lose.ts";
import { reset } from "./reset.ts";
import { split } from "./split.ts";
import { stall } from "./stall.ts";
import { throttle } from "./throttle.ts";
import { twice } from "./twice.ts";

/** Every fault. Data that several strike passes through them in this order. */
export const faultTable: readonly FaultKind[] = [
  delay,
  garbage,
  split,
  throttle,
  lose,
  twice,
  close,
  reset,
  stall,
];
