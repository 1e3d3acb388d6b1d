/** The candidates of a Tab as a list: with signatures and what they are for, as far as there is room. */
import { plainWords } from '../terminal/plain-words.ts'
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import { cutText, padText, textWidth } from '../terminal/text-width.ts'
import type { CandidateNote } from './candidate-notes.ts'

export type ListedCandidate = CandidateNote & { readonly name: string }

export type ListPlace = {
  readonly style: TerminalStyle
  /** Of the terminal: a list that is higher scrolls its own beginning away. */
  readonly rows: number
}

type Cell = { readonly head: string; readonly summary: string }

/** Prompt, line and a word of what was before stay on the screen. */
const rowsLeft = 4
const gap = 2
/** A summary cut to less says nothing. */
const leastSummary = 24

export function candidateList(candidates: readonly ListedCandidate[], place: ListPlace): string {
  const words = (text: string): string => plainWords(sanitise(text), place.style)
  const cells = candidates.map(({ name, signature, summary }) => ({
    head: words(signature ?? name),
    summary: words(summary ?? ''),
  }))
  const longestName = widest(candidates.map(({ name }) => name))
  return (
    withSummaries(cells, place) ??
    withSignatures(cells, place, longestName) ??
    inColumns(
      candidates.map(({ name }) => name),
      Math.min(longestName, place.style.width),
      place.style,
    )
  )
}

/** One a line, or several where the terminal is wide enough for all of each. */
function withSummaries(cells: readonly Cell[], { style, rows }: ListPlace): string | undefined {
  const head = widest(cells.map((cell) => cell.head))
  const summary = widest(cells.map((cell) => cell.summary))
  const room = style.width - head - gap
  const columns = columnsOf(head + gap + summary, style.width)
  const isHigh = Math.ceil(cells.length / columns) > rows - rowsLeft
  if (summary === 0 || isHigh || room < Math.min(summary, leastSummary)) return undefined
  const texts = cells.map((cell) => {
    const told = cutText(cell.summary, columns > 1 ? summary : room, style.glyphs.ellipsis)
    const padded = columns > 1 ? padText(told, summary, 'left') : told
    return `${padText(cell.head, head, 'left')}  ${style.colours.dim(padded)}`
  })
  return lines(texts, columns).join('\n')
}

function withSignatures(
  cells: readonly Cell[],
  { style, rows }: ListPlace,
  longestName: number,
): string | undefined {
  const heads = cells.map((cell) => cell.head)
  const columns = Math.max(
    columnsOf(widest(heads), style.width),
    Math.ceil(heads.length / Math.max(1, rows - rowsLeft)),
  )
  const widestColumn = Math.floor((style.width + gap) / columns) - gap
  // A bracket and the sign of what was cut: with less than that the bare names say as much.
  if (widestColumn < longestName + 2) return undefined
  return inColumns(heads, Math.min(widest(heads), widestColumn), style)
}

function inColumns(texts: readonly string[], width: number, style: TerminalStyle): string {
  const cut = texts.map((text) =>
    padText(cutText(text, width, style.glyphs.ellipsis), width, 'left'),
  )
  return lines(cut, columnsOf(width, style.width)).join('\n')
}

/** Row by row, as readline has it. */
function lines(texts: readonly string[], columns: number): readonly string[] {
  const count = Math.ceil(texts.length / columns)
  return Array.from({ length: count }, (_, row) =>
    texts
      .slice(row * columns, (row + 1) * columns)
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

function columnsOf(width: number, total: number): number {
  return Math.max(1, Math.floor((total + gap) / (width + gap)))
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(textWidth))
}
