/** Tables that fit the width: long columns are cut with an ellipsis, numbers stand to the right. */
import { sanitise } from './sanitise.ts'
import type { TerminalStyle } from './terminal-style.ts'
import { cutText, padText, textWidth } from './text-width.ts'

export type TableColumn = {
  readonly header: string
  /** Default 'left'. */
  readonly align?: 'left' | 'right'
  /** Cells that the column keeps when the table is too wide. Default: it is never cut. */
  readonly minWidth?: number
}

export type Table = {
  readonly columns: readonly TableColumn[]
  /** Cells are outside text: they are sanitised here. */
  readonly rows: ReadonlyArray<readonly string[]>
}

const gap = 2

/** @returns The lines of the table, header first, without a final line end. */
export function formatTable(table: Table, style: TerminalStyle): string {
  const rows = table.rows.map((row) => row.map(sanitise))
  const natural = table.columns.map((column, i) =>
    Math.max(textWidth(column.header), ...rows.map((row) => textWidth(row[i] ?? ''))),
  )
  const widths = fitWidths(table.columns, natural, style.width)
  const shown = table.columns.map((column, i) => ({ ...column, width: widths[i] ?? 0 }))
  const line = (cells: readonly string[]): string =>
    shown
      .map(({ width, align }, i) => {
        const cell = cutText(cells[i] ?? '', width, style.glyphs.ellipsis)
        return padText(cell, width, align ?? 'left')
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const header = cutText(line(shown.map((column) => column.header)), style.width, '')
  const body = rows.map((row) => cutText(line(row), style.width, style.glyphs.ellipsis))
  return [style.colours.strong(header), ...body].join('\n')
}

/** Takes a cell from the widest column that may shrink until the row fits or nothing gives way. */
function fitWidths(
  columns: readonly TableColumn[],
  natural: readonly number[],
  width: number,
): readonly number[] {
  const widths = [...natural]
  let excess = widths.reduce((sum, one) => sum + one, gap * (columns.length - 1)) - width
  while (excess > 0) {
    let widest = -1
    for (const [i, column] of columns.entries()) {
      const current = widths[i] ?? 0
      const shrinks = column.minWidth !== undefined && current > column.minWidth
      if (shrinks && (widest < 0 || current > (widths[widest] ?? 0))) widest = i
    }
    if (widest < 0) return widths
    widths[widest] = (widths[widest] ?? 0) - 1
    excess -= 1
  }
  return widths
}
