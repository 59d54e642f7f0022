/**
 * Makes deno.json take the standard library from its own registry, JSR, instead of
 * npm, and removes the lock file, which belongs to npm. For hosts that can reach
 * JSR; the source imports the same names either way.
 */
const path = `${import.meta.dirname}/../deno.json`;
const config = JSON.parse(await Deno.readTextFile(path));
for (const name of Object.keys(config.imports)) {
  const [, module, part = ""] = /^(@std\/[^/]+)(\/.+)?$/.exec(name) ?? [];
  if (module !== undefined) config.imports[name] = `jsr:${module}@^1.0.0${part}`;
}
await Deno.writeTextFile(path, `${JSON.stringify(config, null, 2)}\n`);
await Deno.remove(`${import.meta.dirname}/../deno.lock`);
