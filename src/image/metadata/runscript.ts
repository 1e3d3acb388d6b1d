/**
 * The runscript: the image's entry point and command, started as Docker would, or evaluated by a shell
 * as users of Singularity expect (FORMATS § 5.3). Everything from the config is quoted: words of it
 * reach `exec` byte for byte, and no shell ever evaluates them.
 */
import { doubleQuoted, singleQuoted } from './shell-quote.ts'

export type Command = {
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

/**
 * The text of the runscript.
 *
 * With SINGULARITY_NO_EVAL (`--no-eval`, `--compat`) the arguments are taken as they are; without it
 * each is read by the shell once more in double quotes, so that `$VAR` in an argument works.
 *
 * Two things that look odd are needed. The `eval` line stands alone, unindented and in exactly this
 * wording: runtimes from 3.6 on look for it and then run the whole script in their embedded shell, so
 * that images without /bin/sh run. In that shell `exec` only notes the command and goes on, so the
 * one `exec` must be the last line. `--` keeps `set` from taking a first word like `-x` as options.
 */
export function runscriptText({ entrypoint, command }: Command): string {
  return `#!/bin/sh
OCI_ENTRYPOINT=${evaluatedWords(entrypoint)}
OCI_CMD=${evaluatedWords(command)}

if [ -n "\${SINGULARITY_NO_EVAL:-}" ]; then
    # the arguments as they are, else the image's command; before them its entry point
    if [ $# -eq 0 ]; then
        ${setWords(command)}
    fi
    ${setWords(entrypoint)}
else
    # the same, with each argument read by the shell
    CMDLINE_ARGS=''
    for CMDLINE_ARG in "$@"; do
        CMDLINE_ARGS="\${CMDLINE_ARGS} \\"\${CMDLINE_ARG}\\""
    done
    if [ $# -eq 0 ]; then
        CMDLINE_ARGS="\${OCI_CMD}"
    fi
    SINGULARITY_OCI_RUN="-- \${OCI_ENTRYPOINT} \${CMDLINE_ARGS}"
${evalLine}
fi

if [ $# -eq 0 ]; then
    set -- /bin/sh
fi
case "$1" in
-*)
    # exec would take it for an option of its own
    echo "the command of this container begins with '-': give a program to run" >&2
    exit 127
    ;;
esac
exec "$@"
`
}

/** The line that runtimes look for; see {@link runscriptText}. */
const evalLine = `eval "set \${SINGULARITY_OCI_RUN}"`

/** A single-quoted string that is a list of words once more when evaluated. */
function evaluatedWords(words: readonly string[]): string {
  return singleQuoted(words.map(evaluatedWord).join(' '))
}

/**
 * In double quotes, as people know it from other builds, where that is safe. The embedded shell reads
 * the pair `\\` followed by an escaped character wrongly in double quotes (mvdan.cc/sh 3.1 to 3.7, seen:
 * `echo "\\\""` loses the backslash), so words with a backslash go in single ones.
 */
function evaluatedWord(word: string): string {
  return word.includes('\\') ? singleQuoted(word) : doubleQuoted(word)
}

/** Puts words before the positional parameters; a branch of a shell cannot be empty. */
function setWords(words: readonly string[]): string {
  return words.length === 0 ? ':' : `set -- ${words.map(singleQuoted).join(' ')} "$@"`
}

/** The startscript, for instances: a pulled image has none. */
export const startscriptText: string = '#!/bin/sh\n'
