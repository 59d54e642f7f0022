import { shellWord } from "../../text/shell.ts";
import { misuse } from "../errors/failure.ts";

/** What stands after the encoded text of a script block. */
const FORMATS = /^-(?:inputFormat|outputFormat)$/;

/**
 * Refuses what PowerShell passes to a program for `{port}` without quotes. To it that is a script
 * block, which becomes `-encodedCommand cABvAHIAdAA= -inputFormat xml -outputFormat text`.
 *
 * @throws {Failure} of kind `USAGE` whose hint shows the line with quotes.
 */
export function refuseScriptBlock(args: readonly string[]): void {
  const meant: string[] = [];
  let block: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const text = args[index] === "-encodedCommand" ? decoded(args[index + 1] ?? "") : undefined;
    // Any other text comes from someone who runs a script with PowerShell.
    const isBlock = text === "port" || FORMATS.test(args[index + 2] ?? "");
    if (text === undefined || !isBlock) meant.push(args[index] ?? "");
    else {
      block ??= `{${text}}`;
      // A brace ends the word before it: localhost:{port} arrives in two parts.
      const before = /[:=]$/.test(meant.at(-1) ?? "") ? meant.pop() : "";
      meant.push(`${before}{${text}}`);
      index++;
      while (FORMATS.test(args[index + 1] ?? "")) index += 2;
    }
  }
  if (block === undefined) return;
  throw misuse(`PowerShell took ${block} for a script block: received '-encodedCommand'`, {
    hint: `braces need quotes: netdemo ${meant.map(shellWord).join(" ")}`,
  });
}

/** The text of a script block, from Base64 of UTF-16; `undefined` if it is none. */
function decoded(base64: string): string | undefined {
  try {
    const text = new TextDecoder("utf-16le", { fatal: true }).decode(Uint8Array.fromBase64(base64));
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
