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

/** One a line; several where those are too many, and the terminal is wide enough. */
function withSummaries(cells: readonly Cell[], place: ListPlace): string | undefined {
  const { style } = place
  const head = widest(cells.map((cell) => cell.head))
  const summary = widest(cells.map((cell) => cell.summary))
  const columns = leastColumns(cells.length, place)
  const room = Math.min(summary, columnWidth(columns, style.width) - head - gap)
  if (summary === 0 || room < Math.min(summary, leastSummary)) return undefined
  const texts = cells.map((cell) => {
    const told = padText(cutText(cell.summary, room, style.glyphs.ellipsis), room, 'left')
    return `${padText(cell.head, head, 'left')}  ${style.colours.dim(columns > 1 ? told : told.trimEnd())}`
  })
  return lines(texts, columns).join('\n')
}

function withSignatures(
  cells: readonly Cell[],
  place: ListPlace,
  longestName: number,
): string | undefined {
  const { style } = place
  const heads = cells.map((cell) => cell.head)
  const all = widest(heads)
  const columns = Math.max(columnsOf(all, style.width), leastColumns(heads.length, place))
  const room = columnWidth(columns, style.width)
  // A bracket and the sign of what was cut: with less than that the bare names say as much.
  return room < longestName + 2 ? undefined : inColumns(heads, Math.min(all, room), style)
}

function inColumns(texts: readonly string[], width: number, style: TerminalStyle): string {
  const { ellipsis } = style.glyphs
  // a cut in `{…}` needs no second sign
  const cut = texts.map((text) =>
    padText(cutText(text, width, ellipsis).replace(/……$/, '…'), width, 'left'),
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

/** So that the list is not higher than the terminal. */
function leastColumns(count: number, { rows }: ListPlace): number {
  return Math.ceil(count / Math.max(1, rows - rowsLeft))
}

function columnWidth(columns: number, total: number): number {
  return Math.floor((total + gap) / columns) - gap
}

function columnsOf(width: number, total: number): number {
  return Math.max(1, Math.floor((total + gap) / (width + gap)))
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(textWidth))
}
