/** What --list and --explain show, and what docs/grade.md is made from. */
import {
  type CheckFacts,
  everyService,
  forService,
  type Level,
  levels,
  type ServiceName,
  type Subject,
  subjects,
} from "./check.ts";
import { tcpClientChecks, tcpServerChecks, udpClientChecks, udpServerChecks } from "./tables.ts";

/** The checks of a role over a protocol. */
export function tableOf(role: Subject["role"], protocol: "tcp" | "udp"): readonly CheckFacts[] {
  if (role === "client") return protocol === "udp" ? udpClientChecks : tcpClientChecks;
  return protocol === "udp" ? udpServerChecks : tcpServerChecks;
}

/** A check with all that it is called for. */
export interface Entry {
  readonly check: CheckFacts;
  readonly service: ServiceName;
  readonly level: Level;
  /** `calc-server, message-server`; with ` (UDP)` after them. */
  readonly subjects: readonly string[];
}

/** Every check once for each sentence that it has. */
export function entries(
  chosen: readonly Subject[] = [...subjects.values()],
  protocols: readonly ("tcp" | "udp")[] = ["tcp", "udp"],
): Entry[] {
  const found = new Map<string, Entry & { subjects: string[] }>();
  for (const role of ["server", "client"] as const) {
    for (const protocol of protocols) {
      for (const check of tableOf(role, protocol)) {
        for (const service of everyService) {
          if (!check.services.includes(service)) continue;
          if (!chosen.some((one) => one.role === role && one.service === service)) continue;
          const level = forService(check.level, service);
          const sentence = forService(check.sentence, service);
          const key = [role, check.id, level, sentence, check.fix].join("|");
          const entry = found.get(key) ?? { check, service, level, subjects: [] };
          entry.subjects.push(`${service}-${role}${protocol === "udp" ? " --udp" : ""}`);
          found.set(key, entry);
        }
      }
    }
  }
  return [...found.values()];
}

/** What --list prints: a row a check, gentle ones first. */
export function listing(chosen: readonly Subject[], protocol: "tcp" | "udp"): string {
  const all = entries(chosen, [protocol]);
  const rows = levels.flatMap((level) =>
    all.filter((entry) => entry.level === level).map(({ check, service }) => {
      const sentence = forService(check.sentence, service);
      return `${level.padEnd(7)}${check.id.padEnd(13)}${sentence}`;
    })
  );
  return [...new Set(rows)].join("\n") + "\n";
}

/** What --explain prints of a check. */
export function explanation(id: string, chosen: readonly Subject[]): string {
  const found = entries(chosen).filter(({ check }) => check.id === id);
  return found.map(({ check, service, level, subjects }) =>
    [
      `${id}: ${forService(check.sentence, service)}`,
      ...wrapped("level", level),
      ...wrapped("of", subjects.join(", ")),
      ...wrapped("seen", check.seen),
      ...wrapped("why", check.why),
      ...wrapped("fix", check.fix),
      ...(check.needs.length > 0 ? wrapped("needs", check.needs.join(", ")) : []),
    ].join("\n")
  ).join("\n\n") + "\n";
}

const WIDTH = 78;

/** `  why   one client's ...`, in lines that fit a terminal. */
function wrapped(name: string, text: string): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > WIDTH - 9) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line, index) => `  ${(index === 0 ? name : "").padEnd(7)}${line}`);
}

/** Every id that --only and --explain take for these subjects. */
export function idsOf(
  chosen: readonly Subject[],
  protocols: readonly ("tcp" | "udp")[] = ["tcp", "udp"],
): string[] {
  return [...new Set(entries(chosen, protocols).map(({ check }) => check.id))];
}
