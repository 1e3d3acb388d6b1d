/** A value as the prompt shows it, by what it is. Loaded with the first value, not before the prompt. */
import { inspect } from 'node:util'
import { sanitise, sanitiseJson, sanitiseLines } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import type { ResultKind } from './api-help.ts'
import { renderImage, renderImages } from './render-image.ts'
import { renderLayers } from './render-layers.ts'
import { isTableRow, renderRecords, renderWords } from './render-records.ts'
import { isReport, renderReport } from './render-report.ts'
import { type ClientFacts, isShownImage } from './shell-client.ts'

export type RenderOptions = {
  readonly style: TerminalStyle
  /** What the API said the value is, if the API made it. */
  readonly kind: ResultKind | undefined
  /** Whether its parts were printed as they came: a doctor's rungs. */
  readonly isTold: boolean
  /** Milliseconds since the epoch, for relative dates. */
  readonly now: number
}

const streamRows = 20

/** @returns Undefined for what prints nothing. */
export async function renderValue(
  value: unknown,
  options: RenderOptions,
): Promise<string | undefined> {
  if (value === undefined) return undefined
  if (isStream(value)) return renderStream(value, options)
  return renderKnown(value, options) ?? renderAny(value, options.style)
}

/** One line of JSON, with the control characters that JSON leaves alone escaped. */
export async function renderJson(
  value: unknown,
  kind?: ResultKind | undefined,
): Promise<string | undefined> {
  if (value === undefined) return undefined
  if (kind === 'client') return renderClientJson(value)
  const plain = isStream(value) ? await collect(value, Number.POSITIVE_INFINITY) : value
  const json = JSON.stringify(plain, (_, one: unknown) => jsonValue(one))
  return sanitiseJson(json ?? 'null')
}

function renderKnown(value: unknown, options: RenderOptions): string | undefined {
  if (options.kind === 'client') return renderClient(value)
  if (options.kind !== 'data' && isShownImage(value)) return renderImage(value, options)
  if (isReport(value)) return renderReport(value, options)
  if (typeof value === 'string' && value.includes('\n')) return sanitiseLines(value)
  if (Array.isArray(value)) return renderList(value, options)
  return undefined
}

function renderList(list: readonly unknown[], options: RenderOptions): string | undefined {
  if (list.length === 0) return options.kind === undefined ? undefined : `no ${options.kind}`
  if (list.includes(undefined)) return undefined // holes, too, which `every` passes over
  if (list.every(isShownImage)) return renderImages(list, options)
  if (options.kind === 'layers') return renderLayers(list, options.style)
  if (list.every(isTableRow)) return renderRecords(list, options)
  const isWords = options.kind !== undefined && list.every((one) => typeof one === 'string')
  return isWords ? renderWords(list as readonly string[], options.style) : undefined
}

function renderClient(value: unknown): string {
  const { name, place } = value as ClientFacts
  return `[client|${name}]${place === undefined ? '' : ` ${place}`}  help(client) lists what it can do`
}

/** Not what it holds: caches, connections and each setting. */
function renderClientJson(value: unknown): string {
  const { name, place, database } = value as ClientFacts
  return sanitiseJson(JSON.stringify({ name, place, database }))
}

function renderAny(value: unknown, style: TerminalStyle): string {
  const text = inspect(value, {
    depth: 4,
    maxArrayLength: 100,
    maxStringLength: 10_000,
    breakLength: style.width,
    colors: style.colours.bad('x') !== 'x',
  })
  // util.inspect escapes C0 and C1 controls in strings, but not bidi marks; its own colours stay.
  const colourSequence = new RegExp(`(${String.fromCharCode(27)}\\[\\d+m)`)
  return text
    .split(colourSequence)
    .map((part, i) => (i % 2 === 1 ? part : sanitiseLines(part)))
    .join('')
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

async function renderStream(
  stream: AsyncIterable<unknown>,
  options: RenderOptions,
): Promise<string> {
  const rows = await collect(stream, streamRows + 1)
  const shown = rows.slice(0, streamRows)
  const text = (await renderValue(shown, options)) ?? ''
  if (rows.length <= streamRows) return text
  const more = `${options.style.glyphs.ellipsis} more: for await (const x of _)`
  return `${text}\n${options.style.colours.dim(more)}`
}

async function collect(stream: AsyncIterable<unknown>, limit: number): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const row of stream) {
    rows.push(row)
    if (rows.length >= limit) break
  }
  return rows
}

function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Error) return { name: value.name, message: sanitise(value.message) }
  if (typeof value === 'function') return `[function ${value.name}]`
  return value
}
