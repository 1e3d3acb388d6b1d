/** One image with everything in it that layers may hold, for readers we did not write. */
import { createHash } from 'node:crypto'
import type { OciImage } from '../fakes/oci-image.ts'
import { makeImage } from '../fakes/oci-image.ts'
import {
  directory,
  file,
  hardlink,
  type LayerEntry,
  opaque,
  special,
  symlink,
  whiteout,
} from '../fakes/tar-layer.ts'

const blockSize = 131_072
/** cap_net_raw=ep, revision 2 (linux/capability.h). */
const netRaw = Buffer.from('0100000200200000000000000000000000000000', 'hex')
const longName = 'n'.repeat(255)
const deepPath = `deep/${'d'.repeat(120)}/${'e'.repeat(120)}`

/** Bytes that no compressor makes smaller, and the same every time. */
export function noise(sizeBytes: number, seed: string): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at * 64 < sizeBytes; at += 1) {
    parts.push(createHash('sha512').update(`${seed}${at}`).digest())
  }
  return Buffer.concat(parts).subarray(0, sizeBytes)
}

function text(sizeBytes: number, seed: string): Buffer {
  return Buffer.from(noise(Math.ceil(sizeBytes / 2), seed).toString('hex')).subarray(0, sizeBytes)
}

const lower: readonly LayerEntry[] = [
  directory('.', { mode: 0o751, uid: 3, gid: 4, mtime: 1_600_000_000 }),
  directory('etc', { mtime: 5 }),
  directory('usr'),
  file('etc/passwd', 'root:x:0:0::/root:/bin/sh\n', { mode: 0o640, mtime: 0 }),
  symlink('etc/localtime', '/usr/lib/zone', { mode: 0o644 }),
  file('usr/lib/zone', 'TZif'),
  directory('usr/lib', { mode: 0o775 }),
  symlink('lib', 'usr/lib'),
  symlink('loop-a', 'loop-b'),
  symlink('loop-b', 'loop-a'),
  symlink('long-target', `/${'t/'.repeat(1500)}x`),
  directory('bin', { mode: 0o1777 }),
  file('bin/su', text(40_000, 'su'), { mode: 0o4755 }),
  file('bin/write', 'w', { mode: 0o2755, uid: 1000, gid: 5 }),
  file('bin/ping', text(900, 'ping'), { xattrs: { 'security.capability': netRaw } }),
  file('bin/none', 'unreadable', { mode: 0o000, uid: 65_534, gid: 65_534 }),
  file('sizes/empty'),
  file('sizes/below', text(blockSize - 1, 'below')),
  file('sizes/exact', text(blockSize, 'exact')),
  file('sizes/above', text(blockSize + 1, 'above')),
  file('sizes/double', text(2 * blockSize, 'double')),
  file('sizes/random', noise(3 * blockSize + 17, 'random')),
  file('sizes/zeros', Buffer.alloc(5 * blockSize + 3)),
  file('sizes/few-zeros', Buffer.alloc(100)),
  file('sizes/twin', text(blockSize + 1, 'above')),
  file('sizes/hole', '', {
    sparse: {
      sizeBytes: 10 * blockSize,
      parts: [
        { offset: 1000, bytes: text(5000, 'first') },
        { offset: 7 * blockSize, bytes: text(blockSize, 'last') },
      ],
    },
  }),
  directory('links'),
  file('links/one', 'linked', { uid: 7, mtime: 99 }),
  hardlink('links/two', 'links/one'),
  hardlink('links/through', '/lib/../../links/./one'),
  file('links/kept', text(70_000, 'kept')),
  symlink('links/symlink', 'nowhere'),
  hardlink('links/symlink-too', 'links/symlink'),
  directory('dev'),
  special('char-device', 'dev/null', { mode: 0o666, rdev: [1, 3] }),
  special('block-device', 'dev/loop', { rdev: [7, 250], gid: 6 }),
  special('char-device', 'dev/big', { rdev: [511, 70_000] }),
  special('fifo', 'dev/fifo', { mode: 0o622 }),
  directory('empty', { mode: 0o700, uid: 4_294_967_294, gid: 3_000_000, mtime: 4_294_967_295 }),
  directory('attributes', {
    xattrs: { 'user.kind': 'directory', 'trusted.secret': noise(300, 't') },
  }),
  file('attributes/file', 'a', {
    xattrs: { 'user.a': 'one', 'user.b': '\0binary\xff', 'user.e': '-' },
  }),
  file('attributes/same', 'b', {
    xattrs: { 'user.a': 'one', 'user.b': '\0binary\xff', 'user.e': '-' },
  }),
  file(`long/${longName}`, 'a name of 255 bytes'),
  file(`${deepPath}/pax`, 'pax'),
  file(`${deepPath}/gnu`, 'gnu', { longNames: 'gnu' }),
  file('names/caf\xc3\xa9', 'utf-8'),
  file('names/caf\xe9', 'latin1'),
  file('names/\xff\xfe', 'not utf-8'),
  file('names/new\nline \\ "quote" \t*', 'odd'),
  file('names/Upper', 'A'),
  file('names/upper', 'a'),
  ...Array.from({ length: 400 }, (_, i) => file(`many/file-${i}`, text((i * 997) % 3000, `${i}`))),
  directory('hidden'),
  file('hidden/gone', 'gone'),
  directory('hidden/below'),
  file('hidden/below/gone', text(2 * blockSize, 'gone')),
  directory('cleared', { mode: 0o711, mtime: 77 }),
  file('cleared/old', 'old'),
  directory('replaced-by-file'),
  file('replaced-by-file/child', 'child'),
  file('replaced-by-directory', 'was a file'),
  symlink('replaced-symlink', 'usr'),
]

const middle: readonly LayerEntry[] = [
  whiteout('hidden/gone'),
  whiteout('hidden/below'),
  opaque('cleared'),
  file('cleared/new', 'new'),
  file('lib/through-symlink', 'lands in usr/lib'),
  file('lib/implied/below', 'implied directory over a symlink'),
  whiteout('links/kept'),
  hardlink('links/three', 'links/one'),
  hardlink('many/link', 'many/file-17'),
  file('replaced-by-file', 'now a file'),
  directory('replaced-by-directory', { mode: 0o500 }),
  file('replaced-by-directory/child', 'now a directory'),
  directory('replaced-symlink', { mtime: 12 }),
  directory('etc', { mode: 0o700, uid: 9, mtime: 6 }),
  file('etc/new', text(blockSize + 1, 'above'), { mode: 0o600 }),
]

const upper: readonly LayerEntry[] = [
  file('links/one', 'replaced below its links'),
  file('links/kept', 'again', { mtime: 123 }),
  whiteout('many/file-3'),
  whiteout('not-there'),
  directory('attributes', { mode: 0o710 }),
  file('bin/su', text(41_000, 'su again'), { mode: 0o4711 }),
]

/** Three layers; whiteouts, replacements and links reach across them. */
export function wholeImage(): OciImage {
  return makeImage([lower, middle, upper])
}
