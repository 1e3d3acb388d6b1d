/**
 * Saved sessions (`*.session`): transcripts that people read, `.save` writes, and `--check` holds to
 * their word. Typed lines stand after the prompt, `... ` continues one; lines of `#` and blank ones are
 * for people; the rest must appear. `[..]` is any text in a line, `[size] [time] [date] [path] [hex64] [hex12]`
 * their kinds, a lone `...` any lines.
 */
import { isPrivate, showsSecret } from './secret-lines.ts'
import type { TranscriptEntry } from './transcript.ts'

export type SessionStep = {
  readonly prompt: string
  readonly source: string
  /** Line of the file that the step starts at. */
  readonly line: number
  readonly expected: readonly string[]
}

export type SessionFile = {
  /** What it runs against, from `# needs: …` above the first step. */
  readonly needs: string | undefined
  /** Columns, from `# … width: 80`. Default 80. */
  readonly width: number
  readonly steps: readonly SessionStep[]
}

const promptForm = /^([a-z][\w-]*(?::[^\s>]+)?> )(.*)$/
const continuation = '... '
const comment = '#'
const defaultWidth = 80

const kinds: ReadonlyArray<readonly [name: string, pattern: string]> = [
  ['[..]', '.*'],
  ['[size]', String.raw`\d+(?:\.\d+)? (?:B|KiB|MiB|GiB|TiB)`],
  ['[time]', String.raw`(?:\d+(?:\.\d+)? m?s|\d+(?::\d\d){1,2})`],
  [
    '[date]',
    String.raw`(?:just now|(?:in )?\d+ (?:minute|hour|day|week|month|year)s?(?: ago)?|\d{4}-\d\d-\d\dT[\d:.]+Z?)`,
  ],
  ['[path]', String.raw`/[^\s'"]*?`],
  ['[hex64]', '[0-9a-f]{64}'],
  ['[hex12]', '[0-9a-f]{12}'],
]

export function isSessionFile(path: string): boolean {
  return path.endsWith('.session')
}

export function parseSession(text: string): SessionFile {
  const lines = text.replace(/\n$/, '').split('\n')
  const steps: WrittenStep[] = []
  for (const [i, line] of lines.entries()) {
    const typed = promptForm.exec(line)
    if (typed === null) addLine(steps.at(-1), line)
    else steps.push({ prompt: typed[1] ?? '', source: typed[2] ?? '', line: i + 1, expected: [] })
  }
  const header = lines.slice(0, (steps[0]?.line ?? 1) - 1).join('\n')
  const width = Number(/\bwidth:\s*(\d+)/.exec(header)?.[1] ?? defaultWidth)
  return { needs: /\bneeds:\s*(\S+)/.exec(header)?.[1], width, steps }
}

type WrittenStep = { prompt: string; source: string; line: number; expected: string[] }

function addLine(step: WrittenStep | undefined, line: string): void {
  if (step === undefined || line === '' || line.startsWith(comment)) return
  const continues = step.expected.length === 0 && line.startsWith(continuation)
  if (continues) step.source += `\n${line.slice(continuation.length)}`
  else step.expected.push(line)
}

/** Only what was typed, to run it again. */
export function statementsOf(text: string): string {
  return parseSession(text)
    .steps.map((step) => `${step.source}\n`)
    .join('')
}

/** @returns The first line that does not fit, counted from 0, or undefined when all do. */
export function firstDifference(
  expected: readonly string[],
  actual: readonly string[],
): number | undefined {
  return matchFrom(withoutTail(expected), withoutTail(actual), 0, 0)
}

/** Writes a session with the volatile parts in brackets and without lines that hold a secret. */
export function formatSession(
  entries: readonly TranscriptEntry[],
  { needs, width }: Pick<SessionFile, 'needs' | 'width'>,
): string {
  const steps = entries.filter(isShareable).map((entry) => {
    const typed = entry.source.trimEnd().split('\n').join(`\n${continuation}`)
    return [`${entry.prompt}${typed}`, ...entry.output.map(generalise).map(escapeComment)].join(
      '\n',
    )
  })
  const header = `# ${needs === undefined ? '' : `needs: ${needs}   `}width: ${width}`
  return `${[header, ...steps].join('\n')}\n`
}

/** Writes only the statements that succeeded. */
export function formatScript(entries: readonly TranscriptEntry[]): string {
  return entries
    .filter((entry) => entry.succeeded && isShareable(entry))
    .map((entry) => `${entry.source.trimEnd()}\n`)
    .join('')
}

/** Puts what differs from run to run in brackets, and what is secret too. */
export function generalise(line: string): string {
  if (showsSecret(line)) return '[..]'
  return line
    .replace(/\b[0-9a-f]{64}\b/g, '[hex64]')
    .replace(/\b(?=\d*[a-f])[0-9a-f]{12}\b/g, '[hex12]') // with a letter: an account has twelve digits
    .replace(/(?<![\w:/.])\/(?:[\w.@+~-]+\/)+(?=[\w.@+~-])/g, '[path]/')
    .replace(/\b(127\.0\.0\.1|localhost):\d+/g, '$1:[..]') // a port that was free then
    .replace(/\bsqlite:\/{4}[^\s\]]+/g, '[..]')
    .replace(/\b(A[KS]IA…)\w+/g, '$1[..]')
    .replace(/\b\d+(?:\.\d+)? (?:KiB|MiB|GiB|TiB)\b/g, '[size]')
    .replace(/\b\d+(?:\.\d+)? m?s\b/g, '[time]')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z?/g, '[date]')
    .replace(/\b(?:just now|\d+ (?:minute|hour|day|week|month|year)s? ago)\b/g, '[date]')
}

/** Blank lines and those of `#` would be taken for remarks. */
function escapeComment(line: string): string {
  return line === '' || line.startsWith(comment) ? '[..]' : line
}

function isShareable(entry: TranscriptEntry): boolean {
  return !entry.source.startsWith('.save') && !isPrivate(entry.source)
}

function matchFrom(
  expected: readonly string[],
  actual: readonly string[],
  atExpected: number,
  atActual: number,
): number | undefined {
  for (let i = atExpected, j = atActual; ; i++, j++) {
    const pattern = expected[i]
    if (pattern === undefined) return j < actual.length ? i : undefined
    if (pattern === '...') return matchAnyLines(expected, actual, i, j)
    const line = actual[j]
    if (line === undefined || !fits(pattern, line)) return i
  }
}

/** A lone `...`: the shortest run of lines after which the rest fits. */
function matchAnyLines(
  expected: readonly string[],
  actual: readonly string[],
  at: number,
  from: number,
): number | undefined {
  let furthest = at + 1
  for (let j = from; j <= actual.length; j++) {
    const difference = matchFrom(expected, actual, at + 1, j)
    if (difference === undefined) return undefined
    furthest = Math.max(furthest, difference)
  }
  return Math.min(furthest, expected.length)
}

function fits(pattern: string, line: string): boolean {
  let source = pattern.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  for (const [name, kind] of kinds) {
    source = source.replaceAll(name.replace(/[.[\]]/g, String.raw`\$&`), kind)
  }
  return new RegExp(`^${source}$`).test(line.trimEnd())
}

function withoutTail(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.slice(0, last + 1)
}
