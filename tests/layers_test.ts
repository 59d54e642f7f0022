import config from "../deno.json" with { type: "json" };
import { assertEquals } from "@std/assert";
import { run } from "./harness/process.ts";

/**
 * main -> commands -> suite, cli, page, ladder, services, clients -> sockets -> protocol, talk ->
 * text: what each room may import besides itself.
 */
const allowed: Record<string, readonly string[]> = {
  main: ["commands", "cli", "services", "clients", "talk"],
  commands: [
    "suite",
    "cli",
    "page",
    "ladder",
    "services",
    "clients",
    "sockets",
    "protocol",
    "talk",
    "text",
  ],
  suite: ["sockets"],
  cli: ["sockets", "protocol", "talk", "text"],
  page: ["ladder", "sockets", "protocol", "text"],
  ladder: ["sockets", "protocol", "text"],
  services: ["sockets", "protocol", "talk", "text"],
  clients: ["sockets", "protocol", "talk"],
  sockets: ["protocol"],
  protocol: ["text"],
  talk: ["text"],
  text: [],
};

/** Rooms without side effects: no sockets, no console, no clock, no state. */
const pure = ["ladder", "protocol", "talk", "text"];

/** Code that runs in a browser: it imports only types from the program. */
const BROWSER = "page/browser/";

/** What the modules of `commands/` may share. */
const SHARED_BY_COMMANDS = "lesson.ts";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly type?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

interface Import {
  readonly from: string;
  readonly to: string;
  /** Whether only types are imported. */
  readonly isType: boolean;
  /** Whether it is imported only when needed. */
  readonly isDynamic: boolean;
}

const root = new URL("..", import.meta.url).href;

/** Such as `cli/arguments/flags.ts`; `undefined` for a package or the configuration. */
function pathOf(specifier: string): string | undefined {
  return specifier.startsWith(root) && /\.[jt]s$/.test(specifier)
    ? specifier.slice(root.length)
    : undefined;
}

/** `cli` for `cli/arguments/flags.ts`, `main` for a file at the top. */
function roomOf(path: string): string {
  const [room = "", ...rest] = path.split("/");
  return rest.length > 0 ? room : "main";
}

/** `check` for `commands/check.ts` and for `commands/check/judge.ts`. */
function commandOf(path: string): string {
  const [, name = ""] = path.split("/");
  return name.replace(/\.ts$/, "");
}

/** Every module that main.ts reaches, packages included. */
async function reachedModules(): Promise<readonly Module[]> {
  const main = new URL("main.ts", root).href;
  return JSON.parse((await run([Deno.execPath(), "info", "--json", main])).stdout).modules;
}

function importsOf({ specifier, dependencies = [] }: Module): Import[] {
  const from = pathOf(specifier) ?? "";
  return dependencies.flatMap(({ code, type, isDynamic = false }) => {
    const to = pathOf(code?.specifier ?? type?.specifier ?? "");
    return to === undefined ? [] : [{ from, to, isType: code === undefined, isDynamic }];
  });
}

const reached = await reachedModules();
const modules = reached.filter(({ specifier }) => pathOf(specifier) !== undefined);
const imports = modules.flatMap(importsOf);
const shown = ({ from, to }: Import): string => `${from} -> ${to}`;

Deno.test("no room imports one above it or at its own level", () => {
  const wrong = imports.filter(({ from, to }) =>
    roomOf(from) !== roomOf(to) && !allowed[roomOf(from)]?.includes(roomOf(to))
  );
  assertEquals(wrong.map(shown), []);
  // The check must cover all rooms, or it proves nothing.
  const rooms = new Set(modules.map(({ specifier }) => roomOf(pathOf(specifier) ?? "")));
  assertEquals([...rooms].sort(), Object.keys(allowed).sort());
});

Deno.test("no command imports another", () => {
  const between = imports.filter(({ from, to }) =>
    roomOf(from) === "commands" && roomOf(to) === "commands" &&
    commandOf(from) !== commandOf(to) && to !== `commands/${SHARED_BY_COMMANDS}`
  );
  assertEquals(between.map(shown), []);
  assertEquals(new Set(imports.map(({ from }) => commandOf(from))).has("demo"), true);
});

Deno.test("the lesson's modules do not import the engines", () => {
  // services/ and clients/ hold the lesson; their subfolders hold the engines.
  const lesson = imports.filter(({ from, to }) =>
    /^(?:services|clients)\/[^/]+$/.test(from) && /^(?:services|clients)\/[^/]+\//.test(to)
  );
  assertEquals(lesson.map(shown), []);
});

Deno.test("the page is loaded only when requested", () => {
  const into = imports.filter(({ from, to, isType }) =>
    roomOf(from) !== "page" && roomOf(to) === "page" && !isType
  );
  assertEquals(into.filter(({ isDynamic }) => !isDynamic).map(shown), []);
  assertEquals(into.length > 0, true);
});

Deno.test("browser code imports only types from the rest of the program", () => {
  const out = imports.filter(({ from, to, isType }) =>
    from.startsWith(BROWSER) && !to.startsWith(BROWSER) && !isType
  );
  assertEquals(out.map(shown), []);
  assertEquals(imports.some(({ from }) => from.startsWith(BROWSER)), true);
});

/** What pure rooms may use besides the language itself. */
const PURE_GLOBALS = `
  declare class TextEncoder {
    encode(text?: string): Uint8Array<ArrayBuffer>;
    encodeInto(text: string, bytes: Uint8Array): { read: number; written: number };
  }
  declare class TextDecoder {
    constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
    decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
  }
  declare class URL { constructor(url: string); static canParse(url: string): boolean; hostname: string }
`;

Deno.test("pure rooms type-check without sockets, console, timers or clock", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/globals.d.ts`, PURE_GLOBALS);
    const compilerOptions = {
      ...config.compilerOptions,
      lib: ["esnext"],
      types: ["./globals.d.ts"],
    };
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ imports: config.imports, compilerOptions }),
    );
    const check = [Deno.execPath(), "check", "--quiet", "--no-lock", "--config"];
    const rooms = pure.map((room) => `${import.meta.dirname}/../${room}`);
    const checked = await run([...check, `${folder}/deno.json`, ...rooms]);
    assertEquals([checked.code, checked.stderr], [0, ""]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("pure rooms keep no state, and use neither the date nor chance", async () => {
  // These belong to the language, so that the type checker can't miss them.
  const impure = /\bDate\b|\bMath\.random\b|^(?:export )?(?:let|var) /m;
  for (const { specifier } of modules) {
    const path = pathOf(specifier) ?? "";
    if (!pure.includes(roomOf(path))) continue;
    const code = (await Deno.readTextFile(new URL(specifier)))
      .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    assertEquals(impure.exec(code)?.[0], undefined, path);
  }
});

Deno.test("no module imports itself in a circle, not even for types", () => {
  const importsFrom = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (module: string, path: readonly string[]): void => {
    const start = path.indexOf(module);
    if (start >= 0) circles.push([...path.slice(start), module].join(" -> "));
    if (start >= 0 || done.has(module)) return;
    for (const { to } of importsFrom.get(module) ?? []) visit(to, [...path, module]);
    done.add(module);
  };
  for (const { specifier } of modules) visit(pathOf(specifier) ?? "", []);
  assertEquals(circles, []);
});

Deno.test("the program uses two packages; all others are for its tests", () => {
  const packages = reached.map(({ specifier }) => /^npm:\/([^@]+)@/.exec(specifier)?.[1])
    .filter((name) => name !== undefined);
  assertEquals([...new Set(packages)].sort(), ["deno-std", "get-east-asian-width"]);
});

Deno.test("node: modules are loaded only when needed", async () => {
  // A bundle runs its static imports at the start of every command.
  for (const { specifier } of modules) {
    const code = await Deno.readTextFile(new URL(specifier));
    const found = /^import (?!type\b)[^;]*? from "node:[^"]+";/m.exec(code);
    assertEquals(found?.[0], undefined, pathOf(specifier));
  }
});

Deno.test("one module asks which system this is", async () => {
  const asking: string[] = [];
  for (const { specifier } of modules) {
    const code = await Deno.readTextFile(new URL(specifier));
    if (code.includes("Deno.build.os")) asking.push(pathOf(specifier) ?? "");
  }
  assertEquals(asking, ["sockets/system.ts"]);
});
