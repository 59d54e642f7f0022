import type { Element, Node } from "./browser/elements.js";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** An element and what is in it, as HTML. */
export function html(node: Node): string {
  if (typeof node === "string") return escape(node);
  const [tag, attributes, ...children] = node as Element;
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}="${escape(value)}"`);
  return `<${tag}${pairs.join("")}>${children.map(html).join("")}</${tag}>`;
}

/** Text that is shown as it stands, in an element and in an attribute. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? "");
}
