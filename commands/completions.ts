import type { Command, Program } from "../cli/command.ts";
import { misuse } from "../cli/errors/failure.ts";
import { parseCommandLine } from "../cli/arguments/flags.ts";
import { suggest } from "../cli/arguments/suggest.ts";
import { topics } from "../cli/dispatch.ts";

/** What a shell may complete after a command's name. */
interface Completion {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly {
    readonly text: string;
    readonly about: string;
    readonly value?: string | undefined;
  }[];
  readonly words: readonly string[];
}

const scripts: Readonly<Record<string, (completions: readonly Completion[]) => string>> = {
  bash,
  zsh,
  fish,
  powershell,
};

/** The command that prints completion scripts, generated from the commands. */
export function completionsProgram(commands: readonly Command[]): Program {
  const shells = Object.keys(scripts);
  return {
    usage: shells.join("|"),
    about: `Prints a script that completes commands, flags and known words in the given
shell. It is generated from the commands of this netdemo: print it again after an
update.

bash        add the line from the example below to ~/.bashrc
zsh         write it to a file _netdemo in a directory of $fpath, before compinit runs
fish        write it to ~/.config/fish/completions/netdemo.fish
powershell  add the line from the example below to the file that $PROFILE names`,
    examples: [
      'eval "$(netdemo completions bash)"',
      "netdemo completions zsh > ~/.zfunc/_netdemo",
      "netdemo completions fish > ~/.config/fish/completions/netdemo.fish",
      "netdemo completions powershell | Out-String | Invoke-Expression",
    ],
    flags: {},
    words: shells,
    parse(args) {
      const { words: [shell = "", surplus] } = parseCommandLine(args, {});
      const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
      if (script === undefined || surplus !== undefined) {
        const received = shell === "" ? "none" : `'${surplus ?? shell}'`;
        const message = `completions takes one of ${shells.join(", ")}: received ${received}`;
        throw misuse(surplus === undefined ? message : `${message} as well`, {
          hint: (script === undefined && suggest(shell, shells)) ||
            "for example: netdemo completions bash",
        });
      }
      return async ({ stdout }) => {
        const completions = [...commands.map(completionOf), helpCompletion(commands)];
        stdout.text(script(await Promise.all(completions)));
        await stdout.flush();
        return 0;
      };
    },
  };
}

async function completionOf({ name, summary, load }: Command): Promise<Completion> {
  const { flags, words = [] } = await load();
  const own = Object.entries(flags).flatMap(([name, { about, value, short }]) => [
    { text: `--${name}`, about, value },
    ...(short === undefined ? [] : [{ text: `-${short}`, about, value }]),
  ]);
  return {
    name,
    summary,
    flags: [...own, { text: "--help", about: "show the help of this command" }],
    words,
  };
}

function helpCompletion(commands: readonly Command[]): Completion {
  return {
    name: "help",
    summary: "shows the help of a command",
    flags: [],
    words: [...commands.map(({ name }) => name), ...topics],
  };
}

/** Whether a flag's value is a file or a directory. */
function takesPath({ value }: Completion["flags"][number]): boolean {
  return value === "PATH" || value === "FILE" || value === "FOLDER";
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const FIRST_FLAGS = ["--help", "--version"];

function bash(completions: readonly Completion[]): string {
  const cases = completions.map(({ name, flags, words }) =>
    `    ${name}) words=${quote([...words, ...flags.map(({ text }) => text)].join(" "))} ;;`
  );
  const all = completions.flatMap(({ flags }) => flags);
  const texts = (chosen: Completion["flags"]): string =>
    [...new Set(chosen.map(({ text }) => text))].join("|");
  const valued = texts(all.filter((flag) => flag.value !== undefined && !takesPath(flag)));
  return `# netdemo's commands and flags, for bash.
_netdemo() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    words=${quote([...completions.map(({ name }) => name), ...FIRST_FLAGS].join(" "))}
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case $previous in
    ${texts(all.filter(takesPath))}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${valued}) return ;;
  esac
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _netdemo netdemo
`;
}

function zsh(completions: readonly Completion[]): string {
  const described = (text: string, about: string): string =>
    quote(`${text.replaceAll(":", "\\:")}:${about.replaceAll(":", "\\:")}`);
  const spec = (flag: Completion["flags"][number]): string => {
    const about = flag.about.replaceAll(/[[\]\\:]/g, "\\$&");
    const value = flag.value === undefined
      ? ""
      : `:${flag.value}:${takesPath(flag) ? "_files" : ""}`;
    return quote(`${flag.text}[${about}]${value}`);
  };
  const cases = completions.map(({ name, flags, words }) => {
    const args = words.length === 0 ? [] : [quote(`*:argument:(${words.join(" ")})`)];
    return `    ${name}) _arguments -S ${[...flags.map(spec), ...args].join(" ")} ;;`;
  });
  return `#compdef netdemo
# netdemo's commands and flags, for zsh.
_netdemo() {
  local -a commands=(
${completions.map(({ name, summary }) => `    ${described(name, summary)}`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _netdemo ]]; then _netdemo "$@"; else compdef _netdemo netdemo; fi
`;
}

function fish(completions: readonly Completion[]): string {
  const lines = completions.flatMap(({ name, summary, flags, words }) => {
    const seen = `-n ${quote(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c netdemo -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`,
      ...(words.length === 0 ? [] : [`complete -c netdemo ${seen} -a ${quote(words.join(" "))}`]),
      ...flags.map((flag) => {
        const text = flag.text.startsWith("--")
          ? `-l ${flag.text.slice(2)}`
          : `-s ${flag.text.slice(1)}`;
        const value = flag.value === undefined ? "" : takesPath(flag) ? " -r -F" : " -x";
        return `complete -c netdemo ${seen} ${text}${value} -d ${quote(flag.about)}`;
      }),
    ];
  });
  return `# netdemo's commands and flags, for fish.
complete -c netdemo -f
complete -c netdemo -n __fish_use_subcommand -l help -d 'show the commands'
complete -c netdemo -n __fish_use_subcommand -l version -d 'show the version'
${lines.join("\n")}
`;
}

function powershell(completions: readonly Completion[]): string {
  // PowerShell takes typographic quotes for quotes, too.
  const quote = (text: string): string => `'${text.replaceAll(/['\u2018-\u201b]/g, "$&$&")}'`;
  const list = (texts: readonly string[]): string => [...new Set(texts)].map(quote).join(", ");
  const cases = completions.map(({ name, flags, words }) => {
    const rows = [...words, ...flags.map(({ text, about }) => `${text} ${about}`)];
    return `      '${name}' { ${list(rows)} }`;
  });
  const valued = completions.flatMap(({ flags }) => flags)
    .filter(({ value }) => value !== undefined);
  const first = completions.map(({ name, summary }) => `${name} ${summary}`);
  return `# netdemo's commands and flags, for PowerShell.
Register-ArgumentCompleter -Native -CommandName netdemo -ScriptBlock {
  param($current, $line, $cursor)
  $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor })
  # Without words of its own PowerShell completes files.
  if (@(${list(valued.map(({ text }) => text))}) -ccontains "$($before[-1])") { return }
  $rows = if ($before.Count -lt 2) {
    ${list([...first, ...FIRST_FLAGS])}
  } else {
    switch ("$($before[1])") {
${cases.join("\n")}
    }
  }
  $rows | Where-Object { $_.StartsWith($current) } | ForEach-Object {
    $text, $about = $_ -split ' ', 2
    [System.Management.Automation.CompletionResult]::new(
      $text, $text, 'ParameterValue', $(if ($about) { $about } else { $text }))
  }
}
`;
}
