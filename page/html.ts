import { escape } from "@std/html";
import type { Element, Node } from "./browser/elements.js";

/** Converts an element and its children to HTML. */
export function html(node: Node): string {
  if (typeof node === "string") return escape(node);
  const [tag, attributes, ...children] = node as Element;
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}="${escape(value)}"`);
  return `<${tag}${pairs.join("")}>${children.map(html).join("")}</${tag}>`;
}
