/**
 * Ends Node's search of the history (Ctrl-R, Ctrl-S) with a clean screen. node:repl takes the cursor to be
 * in the prompt's row when the search ends; where the match is in a lower one, as in a statement of several
 * lines, the rows above it stay on the screen (to see it: find the second line of a `for` and press Enter).
 * So another key ends it here, unseen, and the line is drawn, before the key that was meant to goes on.
 */
import type { REPLServer } from 'node:repl'

type Key = { readonly name?: string; readonly ctrl?: boolean; readonly meta?: boolean }
type Match = { readonly line: string; readonly cursor: number }

const overlay = /^([\s\S]*)\n(?:failed-)?(?:bck|fwd)-i-search: (.*)_$/
const underline = '\u001b[4m'
const noUnderline = '\u001b[24m'

export class SearchOverlay {
  readonly #server: REPLServer
  readonly #write: (text: string) => void
  #isSearching = false
  #isMuted = false
  #match: Match | undefined

  /** @param write Where the REPL writes. */
  constructor(server: REPLServer, input: NodeJS.ReadableStream, write: (text: string) => void) {
    this.#server = server
    this.#write = write
    input.prependListener('keypress', (text: string | undefined, key: Key) => {
      if (this.#isSearching && !isForSearch(text, key)) this.#end(key)
    })
  }

  /** Sees what the REPL writes, and gives what is written instead. */
  replace(text: string): string {
    if (this.#isMuted) return ''
    const [, shown, sought] = overlay.exec(text) ?? []
    if (shown === undefined || sought === undefined) return text
    this.#isSearching = true
    this.#match = matchOf(shown, sought)
    return text
  }

  #end(key: Key): void {
    const server = this.#server
    const match = this.#match
    this.#isSearching = false
    this.#match = undefined
    if (match === undefined) return
    const typed = { line: server.line, cursor: server.cursor }
    const { rows } = server.getCursorPos()
    Object.assign(server, match)
    const below = server.getCursorPos().rows
    Object.assign(server, typed)
    if (below > 0) this.#write(`\u001b[${below}A`)
    if (isGivenUp(key)) return
    this.#isMuted = true
    server.write(null, { name: 'f12' }) // ends the search, and does nothing else
    this.#isMuted = false
    // readline goes up by the rows that the cursor was below the prompt, then draws
    this.#write(`\r\u001b[J${'\n'.repeat(rows)}`)
    server.prompt(true)
  }
}

/** As node:repl decides it: letters, and the keys that take one back or look for the next. */
function isForSearch(text: string | undefined, { name = '', ctrl, meta }: Key): boolean {
  if (ctrl) return ['r', 's', 'h', 'w'].includes(name)
  if (meta) return false
  if (name === 'backspace') return true
  return !['return', 'enter', 'escape'].includes(name) && text !== undefined && text !== ''
}

function isGivenUp({ name, ctrl }: Key): boolean {
  return name === 'escape' || (ctrl === true && name === 'c')
}

/** The history's entry on the screen, and the place of what is sought in it. */
function matchOf(shown: string, sought: string): Match | undefined {
  const line = shown.replace(underline, '').replace(noUnderline, '')
  const marked = shown.indexOf(underline)
  const cursor = marked >= 0 ? marked : line.lastIndexOf(sought)
  return sought === '' || cursor < 0 ? undefined : { line, cursor }
}
