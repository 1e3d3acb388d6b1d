/** What a stream can show: its width, its colours and its characters. */

import type { Colours, Environment } from './colour.ts'
import { colourWanted, createColours } from './colour.ts'

export type Glyphs = {
  readonly ellipsis: string
  readonly barFull: string
  readonly barEmpty: string
  readonly branch: string
  readonly lastBranch: string
  readonly good: string
  readonly bad: string
  /** Not bad, but to be looked at. */
  readonly doubtful: string
  readonly skipped: string
}

export type TerminalStyle = {
  readonly width: number
  readonly colours: Colours
  readonly glyphs: Glyphs
  /** Whether lines may be redrawn: a terminal that is not dumb, and no CI log. */
  readonly redraws: boolean
}

export type OutputStream = { readonly isTTY?: boolean; readonly columns?: number }

const unicodeGlyphs: Glyphs = {
  ellipsis: '…',
  barFull: '█',
  barEmpty: '░',
  branch: '├─',
  lastBranch: '└─',
  good: '✓',
  bad: '✗',
  doubtful: '!',
  skipped: '·',
}

const asciiGlyphs: Glyphs = {
  ellipsis: '~',
  barFull: '#',
  barEmpty: '.',
  branch: '|-',
  lastBranch: '`-',
  good: 'ok',
  bad: '!!',
  doubtful: '??',
  skipped: '--',
}

const defaultWidth = 80

/** Read anew for each answer: a terminal may have been resized since. */
export function terminalStyle(stream: OutputStream, env: Environment): TerminalStyle {
  return {
    width: stream.columns || defaultWidth,
    colours: createColours(colourWanted(stream, env)),
    glyphs: isUnicode(env) ? unicodeGlyphs : asciiGlyphs,
    redraws: stream.isTTY === true && env['TERM'] !== 'dumb' && !env['CI'],
  }
}

/** POSIX order: LC_ALL, LC_CTYPE, LANG. An unset locale is "C", which is ASCII. */
function isUnicode(env: Environment): boolean {
  if (env['TERM'] === 'dumb') return false
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale)
}
