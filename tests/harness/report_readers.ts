/** Reads reports as their consumers do: a TAP harness and a strict XML parser. */
import { SaxesParser } from "saxes";
import { Parser } from "tap-parser";

/** A test point of a TAP stream. */
export interface TapPoint {
  readonly ok: boolean;
  readonly name: string;
  readonly todo: boolean | string;
  readonly skip: boolean | string;
  /** Milliseconds, from `duration_ms` in the YAML block; the rest of the block is `diag`. */
  readonly time: number | null;
  readonly diag: Readonly<Record<string, unknown>> | null;
}

/** A TAP stream as a harness sees it. */
export interface TapStream {
  readonly points: readonly TapPoint[];
  /** Whether it passes as a whole. */
  readonly ok: boolean;
  readonly planned: number;
  /** Lines that are not TAP, and contradictions of the plan. */
  readonly errors: readonly unknown[];
}

/** Reads a TAP stream. Anything else in it counts as an error. */
export function readTap(text: string): TapStream {
  const events = Parser.parse(text, { strict: true });
  const named = (name: string) => events.filter(([event]) => event === name).map(([, it]) => it);
  const [complete] = named("complete");
  const wrong = complete.failures.filter(({ tapError }: { tapError: unknown }) => tapError);
  return {
    points: named("assert"),
    ok: complete.ok,
    planned: complete.plan.end ?? 0,
    errors: [...wrong, ...named("extra")],
  };
}

/** An element of an XML document, in document order. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its own text, without that of its children. */
  text: string;
}

/** Reads an XML document. @throws {Error} if it is not well-formed XML 1.0. */
export function readXml(xml: string): readonly XmlElement[] {
  const elements: XmlElement[] = [];
  const open: XmlElement[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, text: "" };
    elements.push(element);
    open.push(element);
  });
  parser.on("closetag", () => void open.pop());
  parser.on("text", (text) => {
    const inner = open.at(-1);
    if (inner !== undefined) inner.text += text;
  });
  parser.write(xml).close();
  return elements;
}
