// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page's script: shows updates from the server. The server has already written the same
 * elements for readers without scripts.
 *
 * @import { NumberedRung } from "../kept_rung.ts"
 * @import { ConnectionView, Gap } from "../log.ts"
 * @import { Node as Tree } from "./elements.js"
 */
import {
  card,
  gapItem,
  insideRung,
  listItem,
  lookOf,
  rungItem,
  stateElement,
  stateText,
} from "./elements.js";

/** Most ladders side by side. */
const MAX_SIDE_BY_SIDE = 4;
/** Width of a ladder, in ems of the page. */
const LADDER_EMS = 19.5;
/** Milliseconds until the page retries after the server has refused a viewer. */
const RETRY_MS = 2_000;
/** Milliseconds between updates of how long connections have been silent. */
const TICK_MS = 1_000;

const STOPPED = "Stopped";

/**
 * An update from the server.
 *
 * @typedef {object} Update
 * @property {string} run
 * @property {boolean} isReset Whether it starts over.
 * @property {number} total
 * @property {ConnectionView[]} connections
 * @property {number[]} [kept]
 * @property {string} [stopped]
 * @property {NumberedRung[]} rungs
 */

/**
 * A connection, as far as it is known.
 *
 * @typedef {object} Known
 * @property {ConnectionView} view
 * @property {number} seenAt When the view arrived, as `performance.now()`.
 * @property {NumberedRung[]} rungs
 */

/** @type {Map<number, Known>} */
const connections = new Map();
let total = 0;
/** Identifies the server's run; after a restart the page reloads. */
let run = "";

/** Connections whose ladders are shown when the newest are not followed. @type {number[]} */
let chosen = [];
let isFollowing = true;
let isPaused = false;
/** Events that arrived while the page was paused. */
let waiting = 0;
let filter = "";

const board = element("board");
const list = element("list");
const live = element("live");
const notice = element("notice");
const followButton = element("follow");
const pauseButton = element("pause");
const filterInput = /** @type {HTMLInputElement} */ (element("filter"));

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`Cannot find the page's own element ${id}`);
  return found;
}

/**
 * Creates elements from a tree. Text stays text.
 *
 * @param {Tree} tree
 * @returns {HTMLElement | Text}
 */
function build(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, attributes, ...children] = tree;
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.map(build));
  return made;
}

// Updates from the server.

function connect() {
  const source = new EventSource("events");
  source.onopen = () => setLive("on", "Live");
  source.onmessage = ({ data }) => take(JSON.parse(data));
  source.onerror = () => {
    const isRefused = source.readyState === EventSource.CLOSED;
    if (isRefused) setTimeout(connect, RETRY_MS);
    if (live.textContent === STOPPED) return;
    setLive("off", isRefused ? "Too many viewers" : "Not connected");
    notice.textContent = isRefused
      ? "This page has as many viewers as it allows. It continues as soon as one of them leaves."
      : "The server does not answer. This page continues when the server is back.";
  };
}

/** @param {Update} update */
function take(update) {
  if (run !== "" && update.run !== run) return location.reload();
  run = update.run;
  setLive("on", "Live");
  document.body.classList.remove("stopped");
  notice.textContent = "";
  if (update.isReset) connections.clear();
  total = update.total;
  const now = performance.now();
  for (const view of update.connections) {
    const known = connections.get(view.id);
    const rungs = (known?.rungs ?? []).filter(({ number }) => isKept(number, view.gap));
    connections.set(view.id, { view, seenAt: now, rungs });
  }
  for (const rung of update.rungs) connections.get(rung.connection)?.rungs.push(rung);
  if (update.kept !== undefined) {
    const kept = new Set(update.kept);
    for (const id of connections.keys()) if (!kept.has(id)) connections.delete(id);
  }
  if (update.stopped !== undefined) showStop(update.stopped);
  if (isPaused) {
    waiting += update.rungs.length;
    return showControls();
  }
  // What is shown is from an earlier connection to the server.
  if (update.isReset) { for (const shown of [board, list]) shown.replaceChildren(); }
  render();
}

/**
 * @param {number} number
 * @param {Gap | undefined} gap
 */
function isKept(number, gap) {
  return gap === undefined || number <= gap.after || number >= gap.before;
}

/** @param {string} why */
function showStop(why) {
  setLive("off", STOPPED);
  document.body.classList.add("stopped");
  notice.textContent =
    `The server has stopped (${why}). This page continues when it is restarted ` +
    `with --page-port ${location.port}.`;
}

/**
 * @param {"on" | "off"} state
 * @param {string} text
 */
function setLive(state, text) {
  live.className = `live ${state}`;
  if (live.textContent !== text) live.textContent = text;
}

// Rendering.

/** @param {Known} known */
function matches({ view, rungs }) {
  if (filter === "") return true;
  const texts = [`#${view.id}`, view.client, view.server, view.word];
  return texts.some((text) => text.toLowerCase().includes(filter)) ||
    rungs.some(({ arrow, bytes }) =>
      arrow?.label.toLowerCase().includes(filter) ||
      arrow?.faults.some((name) => name.includes(filter)) ||
      bytes?.text.toLowerCase().includes(filter)
    );
}

/** How many ladders fit side by side. */
function roomForLadders() {
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const ems = element("ladders").clientWidth / em;
  return Math.min(MAX_SIDE_BY_SIDE, Math.max(1, Math.floor(ems / LADDER_EMS)));
}

function render() {
  const newestFirst = [...connections.values()].filter(matches)
    .sort((one, other) => other.view.id - one.view.id);
  const shown = isFollowing
    ? newestFirst.slice(0, roomForLadders())
    : newestFirst.filter(({ view }) => chosen.includes(view.id));
  if (isFollowing) chosen = shown.map(({ view }) => view.id);
  renderList(newestFirst, shown);
  renderBoard(shown);
  element("count").textContent = String(total);
  element("empty").dataset["total"] = String(total);
  element("none").hidden = total === 0 || newestFirst.length > 0;
  showControls();
}

/**
 * @param {Known[]} newestFirst
 * @param {Known[]} shown
 */
function renderList(newestFirst, shown) {
  const wanted = newestFirst.map((known) => {
    const isShown = shown.includes(known);
    const now = viewNow(known);
    const key = `${lookOf(now)} ${stateText(now)} ${isShown}`;
    const before = list.querySelector(`li[data-id="${now.id}"]`);
    if (before instanceof HTMLElement && before.dataset["key"] === key) return before;
    const item = /** @type {HTMLElement} */ (build(listItem(now, isShown)));
    item.dataset["id"] = String(now.id);
    item.dataset["key"] = key;
    if (before === null) return item;
    // Keep the keyboard focus where it is.
    const hadFocus = before.contains(document.activeElement);
    before.replaceWith(item);
    if (hadFocus) /** @type {HTMLElement} */ (item.firstElementChild).focus();
    return item;
  });
  putInOrder(list, wanted);
  keepOneStop(list, "a.choose");
}

/** @param {Known[]} shown */
function renderBoard(shown) {
  board.dataset["ladders"] = String(shown.length);
  putInOrder(
    board,
    shown.map((known) => {
      const { view: { id } } = known;
      const before = board.querySelector(`#connection-${id}`);
      const shownCard = /** @type {HTMLElement} */ (before ?? build(card(viewNow(known))));
      renderCard(shownCard, known);
      return shownCard;
    }),
  );
}

/**
 * @param {HTMLElement} shownCard
 * @param {Known} known
 */
function renderCard(shownCard, known) {
  const view = viewNow(known);
  shownCard.className = `card ${lookOf(view)}`;
  renderState(shownCard, view);
  const scroll = part(shownCard, ".scroll");
  const rungs = part(shownCard, ".rungs");
  const isAtEnd = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 8;
  renderGap(rungs, view.gap);
  const last = numberOf(rungs.lastElementChild);
  const fresh = known.rungs.filter(({ number }) => number > last);
  rungs.append(...fresh.map((rung) => {
    const item = build(rungItem(rung, []));
    opened.set(item, rung);
    return item;
  }));
  keepOneStop(rungs, "summary");
  if (isAtEnd && fresh.length > 0) scroll.scrollTop = scroll.scrollHeight;
}

/**
 * Removes the rungs that are no longer kept, and says how many.
 *
 * @param {HTMLElement} rungs
 * @param {Gap | undefined} gap
 */
function renderGap(rungs, gap) {
  rungs.querySelector(".forgotten")?.remove();
  if (gap === undefined) return;
  const items = /** @type {HTMLElement[]} */ ([...rungs.children]);
  for (const item of items) if (!isKept(numberOf(item), gap)) item.remove();
  const before = items.filter((item) => numberOf(item) <= gap.after).at(-1);
  before?.after(build(gapItem(gap)));
}

/** @param {Element | null} item */
function numberOf(item) {
  return item instanceof HTMLElement ? Number(item.dataset["number"]) : 0;
}

/** The rung of each element that shows one; its contents are created when it is opened. @type {WeakMap<Node, NumberedRung>} */
const opened = new WeakMap();

/**
 * @param {HTMLElement} shownCard
 * @param {ConnectionView} view
 */
function renderState(shownCard, view) {
  const word = part(shownCard, ".state .word");
  const state = part(shownCard, ".state");
  if (word.textContent === stateText(view) && state.classList.contains(lookOf(view))) return;
  state.replaceWith(build(stateElement(view)));
}

/**
 * @param {HTMLElement} within
 * @param {string} selector
 */
function part(within, selector) {
  const found = within.querySelector(selector);
  if (found instanceof HTMLElement) return found;
  throw new TypeError(`Cannot find the page's own part ${selector}`);
}

/**
 * The current view of a connection, with its silence up to now.
 *
 * @param {Known} known
 */
function viewNow({ view, seenAt }) {
  return { ...view, quietMs: view.quietMs + (isLive() ? performance.now() - seenAt : 0) };
}

function isLive() {
  return live.classList.contains("on");
}

/**
 * Makes these the children, in this order, without moving any that is in place.
 *
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} wanted
 */
function putInOrder(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) {
    if (child instanceof HTMLElement && !kept.has(child)) child.remove();
  }
  wanted.forEach((child, index) => {
    const there = parent.children[index] ?? null;
    if (there !== child) parent.insertBefore(child, there);
  });
}

// Interaction.

/**
 * Makes one of many reachable by Tab; the arrow keys lead from it to the others.
 *
 * @param {HTMLElement} within
 * @param {string} selector
 */
function keepOneStop(within, selector) {
  const stops = /** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll(selector));
  const current = [...stops].find((stop) => stop === document.activeElement) ??
    [...stops].find((stop) => stop.tabIndex === 0 && stop.hasAttribute("tabindex")) ?? stops[0];
  for (const stop of stops) {
    const wanted = stop === current ? "0" : "-1";
    if (stop.getAttribute("tabindex") !== wanted) stop.setAttribute("tabindex", wanted);
  }
}

/** The index that each key leads to. @type {Record<string, (index: number, count: number) => number>} */
const moves = {
  ArrowDown: (index) => index + 1,
  ArrowUp: (index) => index - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/**
 * @param {KeyboardEvent} event
 * @param {string} group
 * @param {string} selector
 */
function moveWithin(event, group, selector) {
  const move = moves[event.key];
  const from = event.target instanceof Element ? event.target.closest(selector) : null;
  const within = from?.closest(group);
  if (move === undefined || from === null || !(within instanceof HTMLElement)) return;
  const stops = [...within.querySelectorAll(selector)];
  const to = stops[move(stops.indexOf(from), stops.length)];
  if (!(to instanceof HTMLElement)) return;
  event.preventDefault();
  to.focus();
  keepOneStop(within, selector);
}

/**
 * Shows one ladder alone, or next to the others.
 *
 * @param {number} id
 * @param {boolean} isBeside
 */
function choose(id, isBeside) {
  isFollowing = false;
  if (!isBeside) chosen = [id];
  else if (chosen.includes(id)) chosen = chosen.filter((other) => other !== id);
  else chosen = [...chosen, id];
  render();
  if (!isBeside) document.getElementById(`connection-${id}`)?.scrollIntoView({ block: "nearest" });
}

function showControls() {
  followButton.setAttribute("aria-pressed", String(isFollowing));
  pauseButton.setAttribute("aria-pressed", String(isPaused));
  const count = waiting > 0 ? ` (${waiting} new)` : "";
  const text = isPaused ? `Paused${count}` : "Pause";
  if (pauseButton.textContent !== text) pauseButton.textContent = text;
}

list.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a.choose") : null;
  if (!(link instanceof HTMLElement)) return;
  event.preventDefault();
  choose(Number(link.dataset["id"]), event.shiftKey || event.ctrlKey || event.metaKey);
});
list.addEventListener("keydown", (event) => moveWithin(event, "#list", "a.choose"));

board.addEventListener("keydown", (event) => moveWithin(event, ".rungs", "summary"));
board.addEventListener("toggle", ({ target }) => {
  if (!(target instanceof HTMLDetailsElement) || !target.open) return;
  const item = target.closest("li");
  const rung = item === null ? undefined : opened.get(item);
  const inside = part(target, ".inside");
  if (rung !== undefined && inside.childElementCount === 0) {
    inside.append(...insideRung(rung).map(build));
  }
  inside.scrollIntoView({ block: "nearest" });
}, true);

followButton.addEventListener("click", () => {
  isFollowing = !isFollowing;
  render();
});
pauseButton.addEventListener("click", () => {
  isPaused = !isPaused;
  waiting = 0;
  if (isPaused) showControls();
  else render();
});
filterInput.addEventListener("input", () => {
  filter = filterInput.value.trim().toLowerCase();
  render();
});
addEventListener("resize", () => {
  if (!isPaused) render();
});
setInterval(() => {
  if (!isPaused && isLive() && !document.hidden) render();
}, TICK_MS);

element("controls").hidden = false;
setLive("off", "Connecting");
connect();
