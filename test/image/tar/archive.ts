/** Tar archives written field by field, so that tests can break any of them. */
import type { TarEntry } from '../../../src/image/tar/tar-entry.ts'
import { TarReader } from '../../../src/image/tar/tar-reader.ts'

export type HeaderFields = {
  readonly name?: string
  readonly type?: string
  readonly size?: number | string
  readonly mode?: string
  readonly uid?: string
  readonly mtime?: string
  readonly link?: string
  readonly magic?: string
  readonly major?: string
  readonly minor?: string
  readonly prefix?: string
  readonly checksum?: string
}

/** Everything is latin1, one byte per char. */
export function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(512)
  const put = (text: string, offset: number) => block.write(text, offset, 'latin1')
  const { size = 0 } = fields
  put(fields.name ?? 'file', 0)
  put(fields.mode ?? '0000644', 100)
  put(fields.uid ?? '0000001', 108)
  put('0000002', 116)
  put(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124)
  put(fields.mtime ?? '00000000003', 136)
  put(fields.type ?? '0', 156)
  put(fields.link ?? '', 157)
  put(fields.magic ?? 'ustar\x0000', 257)
  put(fields.major ?? '0000000', 329)
  put(fields.minor ?? '0000000', 337)
  put(fields.prefix ?? '', 345)
  return sealed(block, fields.checksum)
}

/** With the checksum that its bytes have now. */
export function sealed(block: Buffer, checksum?: string): Buffer {
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

export function padded(body: string | Buffer): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

export function file(fields: HeaderFields, body: string | Buffer): Buffer {
  return Buffer.concat([header({ size: body.length, ...fields }), padded(body)])
}

export function pax(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const body = Object.entries(records).map(([key, value]) => paxRecord(key, value))
  return file({ name: 'PaxHeaders/x', type }, body.join(''))
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

export const endBlocks: Buffer = Buffer.alloc(1024)

/** An entry, and for files what they hold. */
export type ReadEntry = TarEntry & { readonly body?: string }

/** Reads an archive written in pieces of these sizes, again and again. */
export function readArchive(archive: Buffer, ...pieces: readonly number[]): ReadEntry[] {
  const entries: ReadEntry[] = []
  let parts: Buffer[] = []
  const reader = new TarReader({
    entry: (entry) => entries.push(entry),
    data: (bytes) => parts.push(Buffer.from(bytes)),
    hole: (sizeBytes) => parts.push(Buffer.alloc(sizeBytes)),
    entryEnd: () => {
      const last = entries.pop()
      if (last) entries.push({ ...last, body: Buffer.concat(parts).toString('latin1') })
      parts = []
    },
  })
  for (let offset = 0, i = 0; offset < archive.length; i += 1) {
    const size = pieces[i % Math.max(1, pieces.length)] ?? archive.length
    reader.write(archive.subarray(offset, offset + size))
    offset += size
  }
  reader.end()
  return entries
}
