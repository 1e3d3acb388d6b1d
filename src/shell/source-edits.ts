/**
 * Text put into a source without losing the places of what was there, so that the line and column of
 * an error in the rewritten text can be told in the text that was typed.
 */

// At one offset closers stand before openers, and a replacement comes after both.
const ranks = { close: 0, open: 1, replace: 2 } as const

type Edit = {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly rank: number
  readonly order: number
}

export type EditedSource = {
  readonly text: string
  /** The offset in the original that an offset in `text` came from. */
  readonly originalOffset: (offset: number) => number
}

export class SourceEdits {
  readonly #edits: Edit[] = []

  open(offset: number, text: string): void {
    this.#add(offset, offset, text, 'open')
  }

  close(offset: number, text: string): void {
    this.#add(offset, offset, text, 'close')
  }

  replace(start: number, end: number, text: string): void {
    this.#add(start, end, text, 'replace')
  }

  apply(source: string): EditedSource {
    // Of two closers at one offset the inner one was added first, of two openers the outer one.
    const sorted = [...this.#edits].sort(
      (a, b) => a.start - b.start || a.rank - b.rank || a.order - b.order,
    )
    let text = ''
    let copied = 0
    const starts: Array<{ readonly generated: number; readonly original: number }> = []
    for (const edit of sorted) {
      text += source.slice(copied, edit.start) + edit.text
      copied = Math.max(copied, edit.end)
      starts.push({ generated: text.length, original: copied })
    }
    text += source.slice(copied)
    return { text, originalOffset: (offset) => translate(starts, offset) }
  }

  #add(start: number, end: number, text: string, kind: keyof typeof ranks): void {
    this.#edits.push({ start, end, text, rank: ranks[kind], order: this.#edits.length })
  }
}

function translate(
  starts: ReadonlyArray<{ readonly generated: number; readonly original: number }>,
  offset: number,
): number {
  const last = starts.findLast((start) => start.generated <= offset)
  if (last === undefined) return offset
  const next = starts[starts.indexOf(last) + 1]
  const original = last.original + offset - last.generated
  return next === undefined ? original : Math.min(original, next.original)
}
