/**
 * Makes deno.json take the standard library from its own registry, JSR, instead of
 * npm, and removes the lock file, which belongs to npm. For hosts that can reach
 * JSR; the source imports the same names either way.
 */
const specifiers: Readonly<Record<string, string>> = {
  "@std/assert": "jsr:@std/assert@^1.0.0",
  "@std/cli/parse-args": "jsr:@std/cli@^1.0.0/parse-args",
  "@std/net": "jsr:@std/net@^1.0.0",
  "@std/text/levenshtein-distance": "jsr:@std/text@^1.0.0/levenshtein-distance",
};

const path = `${import.meta.dirname}/../deno.json`;
const config = JSON.parse(await Deno.readTextFile(path));
for (const name of Object.keys(config.imports).filter((name) => name.startsWith("@std/"))) {
  const specifier = specifiers[name];
  if (specifier === undefined) throw new Error(`Cannot map ${name} to JSR: it is not listed here`);
  config.imports[name] = specifier;
}
await Deno.writeTextFile(path, `${JSON.stringify(config, null, 2)}\n`);
await Deno.remove(`${import.meta.dirname}/../deno.lock`);
