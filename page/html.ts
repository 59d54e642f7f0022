import type { Element, Node } from "./browser/elements.js";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Converts an element and its children to HTML. */
export function html(node: Node): string {
  if (typeof node === "string") return escape(node);
  const [tag, attributes, ...children] = node as Element;
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}="${escape(value)}"`);
  return `<${tag}${pairs.join("")}>${children.map(html).join("")}</${tag}>`;
}

/** Escapes text for use in an element or an attribute. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? "");
}
