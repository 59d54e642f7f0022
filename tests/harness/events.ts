import { isObject, problemsOf } from "../../cli/output/event_fields.ts";
import { type EventName, events } from "../../cli/output/events.ts";

/** Returns what is wrong with a line of `--json`; empty if it is a valid event. */
export function problemsOfLine(line: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return ["not JSON"];
  }
  if (!isObject(value)) return ["not an object"];
  const { event: name, ...fields } = value;
  if (Object.keys(value)[0] !== "event") return ["event is not the first field"];
  if (typeof name !== "string" || !Object.hasOwn(events, name)) return [`unknown event ${name}`];
  return problemsOf(fields, events[name as EventName].fields);
}
