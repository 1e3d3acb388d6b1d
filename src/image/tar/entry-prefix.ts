import { SregistryError } from '../../errors/sregistry-error.ts'
import { layerInvalid } from './layer-invalid.ts'
import { mergeGlobalRecords, parsePaxRecords } from './pax-records.ts'
import type { EntryPrefix } from './tar-entry.ts'
import type { TarHeader } from './tar-header.ts'

/** As Go's archive/tar and node-tar have it; they skip what is larger, which would lose a name. */
const maxMetaBytes = 1_048_576

const metaTypes = new Set(['x', 'g', 'L', 'K'])

/** Whether an entry only describes later ones: PAX (`x`, `g`), GNU long name (`L`) and link (`K`). */
export function isMetaType(type: string): boolean {
  return metaTypes.has(type)
}

/** @throws {SregistryError} LIMIT_EXCEEDED, LAYER_INVALID. */
export function metaBytesOf(header: TarHeader): number {
  if (header.size > maxMetaBytes) {
    throw new SregistryError(
      'LIMIT_EXCEEDED',
      `the layer has an extended tar header of ${header.size} bytes; the limit is ${maxMetaBytes}`,
    )
  }
  if (header.size < 0) throw layerInvalid('the size of an extended tar header is negative')
  return header.size
}

/** Collects what PAX and GNU headers say about the entry after them. */
export class PrefixCollector {
  private readonly globals = new Map<string, string>()
  private records: Map<string, string> | undefined
  private longName: string | undefined
  private longLink: string | undefined

  /** Whether an entry must follow. */
  get isPending(): boolean {
    return (this.records ?? this.longName ?? this.longLink) !== undefined
  }

  /** @throws {SregistryError} LAYER_INVALID for broken records. */
  add(type: string, body: Buffer): void {
    if (type === 'L') this.longName = untilNul(body)
    else if (type === 'K') this.longLink = untilNul(body)
    else if (type === 'g') mergeGlobalRecords(this.globals, parsePaxRecords(body))
    else this.addRecords(parsePaxRecords(body))
  }

  /** What belongs to the entry that begins now; the next one starts afresh. */
  take(): EntryPrefix {
    const { records, longName, longLink } = this
    this.records = undefined
    this.longName = undefined
    this.longLink = undefined
    return { records: records ?? this.globals, longName, longLink }
  }

  private addRecords(added: Map<string, string>): void {
    const base = this.records ?? this.globals
    this.records = base.size === 0 ? added : new Map([...base, ...added])
  }
}

function untilNul(body: Buffer): string {
  const end = body.indexOf(0)
  return body.toString('latin1', 0, end < 0 ? body.length : end)
}
