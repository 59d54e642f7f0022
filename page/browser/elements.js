// @ts-check
/**
 * The parts of the page, as trees of names and text: the server writes them as HTML, the browser
 * creates elements from them. Neither ever treats text as markup.
 *
 * @import { NumberedRung } from "../kept_rung.ts"
 * @import { ConnectionView, Gap } from "../log.ts"
 */

/**
 * An element: its name, its attributes and its children.
 *
 * @typedef {[tag: string, attributes: Record<string, string>, ...children: Node[]]} Element
 * @typedef {Element | string} Node
 */

/** The sign of each kind of state, so that it does not depend on colour alone. */
const signs = { open: "●", waiting: "◆", over: "■", bad: "✕" };

/** Milliseconds from which a silence is reported. */
const QUIET_MS = 3_000;
/** Bytes in a line of the hex dump. */
const LINE_BYTES = 8;

/**
 * A connection in the list.
 *
 * @param {ConnectionView} connection
 * @param {boolean} isShown Whether its ladder is shown.
 * @returns {Element}
 */
export function listItem(connection, isShown) {
  const { id, client } = connection;
  return ["li", { class: `item ${lookOf(connection)}` }, [
    "a",
    {
      href: `#connection-${id}`,
      class: "choose",
      "data-id": String(id),
      ...(isShown ? { "aria-current": "true" } : {}),
    },
    ["span", { class: "number" }, `#${id}`],
    ["span", { class: "peer" }, client.replace(/^client /, "")],
    stateElement(connection),
    ["span", { class: "service" }, serviceOf(connection)],
  ]];
}

/**
 * `calc` for `calc-server 127.0.0.1:4040`; empty for a server whose service is unknown.
 *
 * @param {ConnectionView} connection
 */
function serviceOf({ server }) {
  return /^(.+)-server /.exec(server)?.[1] ?? "";
}

/**
 * A connection's state: a sign and a word.
 *
 * @param {ConnectionView} connection
 * @returns {Element}
 */
export function stateElement(connection) {
  const look = lookOf(connection);
  return [
    "span",
    { class: `state ${look}` },
    ["span", { class: "sign", "aria-hidden": "true" }, signs[look]],
    ["span", { class: "word" }, stateText(connection)],
  ];
}

/**
 * How a connection looks: its kind, or `waiting` if its client waits for an answer.
 *
 * @param {ConnectionView} connection
 */
export function lookOf({ kind, quietMs, lastFrom }) {
  return kind === "open" && lastFrom === "client" && quietMs >= QUIET_MS ? "waiting" : kind;
}

/** @param {ConnectionView} connection */
export function stateText({ kind, word, quietMs, lastFrom }) {
  if (kind !== "open" || quietMs < QUIET_MS) return word;
  const time = shortTime(quietMs);
  return lastFrom === "client" ? `no answer for ${time}` : `${word}, quiet for ${time}`;
}

/**
 * A connection, with a list for its rungs.
 *
 * @param {ConnectionView} connection
 * @returns {Element}
 */
export function card(connection) {
  const { id, client, server } = connection;
  return [
    "article",
    {
      class: `card ${lookOf(connection)}`,
      id: `connection-${id}`,
      tabindex: "-1",
      "aria-labelledby": `title-${id}`,
    },
    [
      "header",
      { class: "card-head" },
      ["h2", { id: `title-${id}` }, `#${id}`],
      stateElement(connection),
    ],
    [
      "div",
      { class: "names" },
      ["span", { class: "name client" }, client],
      ["span", { class: "name server" }, server],
    ],
    ["div", { class: "scroll" }, ["ol", { class: "rungs" }]],
    [
      "p",
      { class: "card-foot" },
      [
        "a",
        {
          class: "save",
          href: `connection-${id}.svg`,
          download: "",
          "aria-describedby": `title-${id}`,
        },
        "Save as a picture",
      ],
    ],
  ];
}

/**
 * Says how many events between two rungs are no longer kept.
 *
 * @param {Gap} gap
 * @returns {Element}
 */
export function gapItem(gap) {
  return ["li", { class: "forgotten", "data-number": String(gap.after) }, gapText(gap)];
}

/** @param {Gap} gap */
export function gapText({ events }) {
  return `${events.toLocaleString("en")} ${events === 1 ? "call is" : "calls are"} no longer kept`;
}

/**
 * A rung that can be opened. In the browser, its contents are created when it is.
 *
 * @param {NumberedRung} rung
 * @param {readonly Node[]} inside
 * @returns {Element}
 */
export function rungItem(rung, inside) {
  const { number, client, server, arrow, sentence, timeMs, skipped } = rung;
  /** @type {Node[]} */
  const gap = skipped === undefined ? [] : [["p", { class: "gap" }, skippedText(skipped)]];
  return ["li", { class: "rung", "data-number": String(number) }, ...gap, [
    "details",
    {},
    [
      "summary",
      {},
      ["span", { class: "spoken" }, `${sentence}, after ${exactTime(timeMs)}`],
      [
        "span",
        { class: "drawn", "aria-hidden": "true" },
        ...(arrow === undefined ? [] : [arrowElement(arrow)]),
        [
          "span",
          { class: "calls" },
          ["span", { class: callClass("client", client) }, client],
          ["span", { class: "time" }, exactTime(timeMs)],
          ["span", { class: callClass("server", server) }, server],
        ],
      ],
    ],
    ["div", { class: "inside" }, ...inside],
  ]];
}

/** @param {number} skipped */
export function skippedText(skipped) {
  return `${skipped.toLocaleString("en")} more ${
    skipped === 1 ? "call" : "calls"
  }, too fast to show`;
}

/**
 * @param {"client" | "server"} side
 * @param {string} text
 */
function callClass(side, text) {
  return /^E[A-Z]+$/.test(text) ? `call ${side} failed` : `call ${side}`;
}

/**
 * @param {NonNullable<NumberedRung["arrow"]>} arrow
 * @returns {Element}
 */
function arrowElement({ from, tone, label, faults, lost, isData, isBinary }) {
  const badges = isBinary ? [...faults, "not UTF-8"] : faults;
  const direction = { client: "to-right", server: "to-left", between: "both-ways" }[from];
  return [
    "span",
    { class: `arrow ${tone} ${direction}${lost ? " lost" : ""}` },
    [
      "span",
      { class: isData ? "label bytes" : "label" },
      label,
      .../** @type {Node[]} */ (badges.map((name) => ["span", { class: "fault" }, name])),
    ],
    ["span", { class: "shaft" }],
  ];
}

/**
 * The contents of a rung: its explanation, and its bytes as text and in hex.
 *
 * @param {NumberedRung} rung
 * @param {number} [most] Most bytes to show.
 * @returns {Node[]}
 */
export function insideRung({ explanation, bytes }, most = Infinity) {
  /** @type {Node[]} */
  const parts = [];
  if (explanation !== undefined) parts.push(["p", { class: "explanation" }, explanation]);
  if (bytes === undefined) return parts;
  const { total, text, base64 } = bytes;
  const head = most === Infinity ? base64 : base64.slice(0, Math.ceil(most / 3) * 4);
  const kept = Uint8Array.from(atob(head), (character) => character.charCodeAt(0));
  const shown = kept.subarray(0, most);
  const isPart = shown.length < total;
  const count = total === 1 ? "1 byte" : `${total.toLocaleString("en")} bytes`;
  const first = isPart ? `, the first ${shown.length.toLocaleString("en")}` : "";
  parts.push(
    ["h3", {}, `Text (${count}${first})`],
    ["pre", { class: "text" }, head === base64 ? text : text.slice(0, most)],
    ["h3", {}, "Hex"],
    ["pre", { class: "hex" }, hexDump(shown)],
  );
  return parts;
}

/**
 * `0000  31 30 20 32 30 20 2b 0a  10 20 +.`
 *
 * @param {Uint8Array} bytes
 */
export function hexDump(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += LINE_BYTES) {
    const part = [...bytes.subarray(start, start + LINE_BYTES)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")
      .join("");
    const offset = start.toString(16).padStart(4, "0");
    lines.push(`${offset}  ${hex.padEnd(LINE_BYTES * 3 - 1)}  ${text}`);
  }
  return lines.join("\n");
}

/**
 * `12.3 ms`, `2.10 s`, `3 min 5 s`
 *
 * @param {number} milliseconds
 */
export function exactTime(milliseconds) {
  if (milliseconds < 1_000) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(2)} s`;
  return shortTime(milliseconds);
}

/**
 * `12 s`, `3 min 5 s`, `2 h 3 min`
 *
 * @param {number} milliseconds
 */
function shortTime(milliseconds) {
  const seconds = Math.floor(milliseconds / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
