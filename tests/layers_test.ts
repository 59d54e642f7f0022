import { assertEquals } from "@std/assert";

/** main -> cli -> services, clients -> protocol: what each room may import, itself aside. */
const allowed: Record<string, readonly string[]> = {
  main: ["cli", "services", "clients", "protocol"],
  cli: ["services", "clients", "protocol"],
  services: ["protocol"],
  clients: ["protocol"],
  protocol: [],
};

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly type?: { readonly specifier: string };
  }[];
}

const root = new URL("..", import.meta.url).href;

/** `cli` for `file:///…/cli/flags.ts`, `main` for a file at the top; `undefined` for a package. */
function room(specifier: string): string | undefined {
  if (!specifier.startsWith(root)) return undefined;
  const path = specifier.slice(root.length);
  return path.includes("/") ? path.split("/")[0] : "main";
}

async function productModules(): Promise<Module[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("main.ts", root).href],
    env: { NO_COLOR: "1" },
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  return modules.filter(({ specifier }: Module) => room(specifier) !== undefined);
}

Deno.test("no layer imports one above or beside it", async () => {
  const modules = await productModules();
  const wrong: string[] = [];
  for (const { specifier, dependencies = [] } of modules) {
    const from = room(specifier) ?? "";
    for (const { code, type } of dependencies) {
      const target = code?.specifier ?? type?.specifier ?? "";
      const to = room(target);
      if (to === undefined || to === from || target.endsWith("/deno.json")) continue;
      if (!allowed[from]?.includes(to)) wrong.push(`${specifier} -> ${target}`);
    }
  }
  assertEquals(wrong, []);
  // The check must have seen all rooms, or it proves nothing.
  assertEquals([...new Set(modules.map(({ specifier }) => room(specifier)))].sort(), [
    "cli",
    "clients",
    "main",
    "protocol",
    "services",
  ]);
});

Deno.test("protocol/ is pure: no sockets, no console, no Deno, no packages", async () => {
  for (const { specifier, dependencies = [] } of await productModules()) {
    if (room(specifier) !== "protocol") continue;
    const code = (await Deno.readTextFile(new URL(specifier)))
      .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    assertEquals(
      /\b(?:Deno|console|fetch|setTimeout|setInterval)\b/.exec(code)?.[0],
      undefined,
      specifier,
    );
    for (const { code } of dependencies) {
      assertEquals(room(code?.specifier ?? root + "protocol/"), "protocol", specifier);
    }
  }
});
