/** The line being typed at the prompt: taken away while something is printed, put back, completed again. */
import type { REPLServer } from 'node:repl'

export class TypedLine {
  readonly #server: REPLServer
  readonly #write: (text: string) => void

  /** @param write Where the REPL writes. */
  constructor(server: REPLServer, write: (text: string) => void) {
    this.#server = server
    this.#write = write
    pasteInPlace(server)
  }

  /** What a completer is asked about. */
  get beforeCursor(): string {
    return this.#server.line.slice(0, this.#server.cursor)
  }

  /** Prints above the prompt, so that the line comes back below it with the cursor where it was. */
  printAbove(print: () => void): void {
    const { rows } = this.#server.getCursorPos()
    this.#write(`\r${rows > 0 ? `\u001b[${rows}A` : ''}\u001b[J`)
    print()
    // readline goes up by the rows that the cursor was below the prompt when it last drew all of the
    // line, then draws
    this.#write('\n'.repeat(drawnRows(this.#server) ?? rows))
    // not `displayPrompt`, which would put a prompt into the text of `.editor`
    this.#server.prompt(true)
  }

  /** As if the user had pressed Tab. After a Tab of theirs it counts as the second, which lists. */
  pressTab(): void {
    this.#server.write(null, { name: 'tab' })
  }

  /** As if the user had pressed Ctrl-C. */
  pressInterrupt(): void {
    this.#server.write(null, { ctrl: true, name: 'c' })
  }
}

/** Node does not document it. Should it go, an empty line may stand above a prompt, nothing else. */
function drawnRows(server: REPLServer): number | undefined {
  const rows: unknown = Reflect.get(server, 'prevRows')
  return typeof rows === 'number' ? rows : undefined
}

/**
 * Node 20 puts what is pasted into the middle of a line at its end (to see it: `node -i`, a line, Left,
 * then a paste of three letters): it takes a flag that keeps pasted Tabs from completing for "at the end".
 */
function pasteInPlace(server: REPLServer): void {
  let isCompleting = true
  Object.defineProperty(server, 'isCompletionEnabled', {
    configurable: true,
    get: () => isCompleting || server.cursor < server.line.length,
    set: (value: boolean) => {
      isCompleting = value
    },
  })
}
