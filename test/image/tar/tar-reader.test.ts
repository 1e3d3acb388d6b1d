import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSregistryError } from '../../../src/errors/sregistry-error.ts'
import { endBlocks, file, type HeaderFields, header, pax, readArchive, sealed } from './archive.ts'

const metadata = { mode: 0o644, uid: 1, gid: 2, mtime: 3, xattrs: undefined }

function read(...parts: Buffer[]) {
  return readArchive(Buffer.concat([...parts, endBlocks]))
}

function readOne(...parts: Buffer[]) {
  const entries = read(...parts)
  expect(entries).toHaveLength(1)
  return entries[0]
}

const long = `${'d'.repeat(120)}/${'é'.repeat(120)}`

/** One of everything: what every chunking must give alike. */
const everything = Buffer.concat([
  pax({ comment: 'global' }, 'g'),
  file({ name: 'plain' }, 'x'.repeat(1000)),
  file({ name: 'empty' }, ''),
  pax({
    path: `${long}\nline`,
    mtime: '-1.5',
    'SCHILY.xattr.security.capability': '\x01\0=\n\xff',
  }),
  file({ name: 'short' }, 'body'),
  file({ name: '././@LongLink', type: 'L' }, `${long}\0`),
  file({ name: '././@LongLink', type: 'K' }, `${long}\0`),
  header({ name: 'cut', type: '2', link: 'cut' }),
  header({ name: 'dir/', type: '5', size: 77 }),
  header({ name: 'null', type: '3', major: '0000001', minor: '0000003', magic: 'ustar  \0' }),
  pax({
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': 'holes',
    'GNU.sparse.realsize': '3000',
  }),
  file({ name: 'GNUSparseFile.1/holes' }, `${'2\n1000\n3\n2000\n5\n'.padEnd(512, '\0')}abcdefgh`),
  endBlocks,
])

describe('any chunking gives the same entries', () => {
  const whole = readArchive(everything)

  test('there is one entry for each that the archive has', () => {
    expect(whole.map((entry) => entry.path)).toEqual([
      'plain',
      'empty',
      `${long}\nline`,
      long,
      'dir',
      'null',
      'holes',
    ])
  })
  test.each([1, 7, 511, 512, 513, 65_536])('%i bytes at a time', (size) => {
    expect(readArchive(everything, size)).toEqual(whole)
  })
  test('random pieces', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(sizes, (pieces) => {
        expect(readArchive(everything, ...pieces)).toEqual(whole)
      }),
      { numRuns: 100 },
    )
  })
})

describe('what npm tar loses is kept (FORMATS § 3.6)', () => {
  test('xattrs of every byte, SCHILY before LIBARCHIVE', () => {
    const records = {
      'LIBARCHIVE.xattr.user.a%3Db': '/wA',
      'LIBARCHIVE.xattr.user.c': 'AAAA',
      'SCHILY.xattr.user.c': '\xff\0\n',
    }
    expect(readOne(pax(records), file({}, ''))?.xattrs).toEqual(
      new Map([
        ['user.c', Buffer.from([255, 0, 10])],
        ['user.a=b', Buffer.from([255, 0])],
      ]),
    )
  })
  test('a long name of multibyte characters', () => {
    expect(readOne(pax({ path: 'a/\xe4\xb8\xad'.repeat(300) }), file({}, ''))?.path).toHaveLength(
      1500,
    )
  })
  test('a name that is not UTF-8, in ustar and in PAX', () => {
    expect(
      read(file({ name: 'a\xff' }, ''), pax({ path: 'b\xfe' }), file({}, '')).map(
        (entry) => entry.path,
      ),
    ).toEqual(['a\xff', 'b\xfe'])
  })
  test('a link whose target is only in PAX, and the entry after it', () => {
    expect(
      read(
        pax({ path: 'l\xe9', linkpath: '\xe9' }),
        header({ type: '2', name: 'l' }),
        file({ name: 'next' }, 'n'),
      ),
    ).toEqual([
      { ...metadata, kind: 'symlink', path: 'l\xe9', target: '\xe9' },
      { ...metadata, kind: 'file', path: 'next', sizeBytes: 1, body: 'n' },
    ])
  })
  test('a regular file with junk in its link name', () => {
    expect(readOne(file({ link: 'junk' }, 'x'))).toMatchObject({ kind: 'file', body: 'x' })
  })
  test('device numbers of a GNU header', () => {
    expect(
      readOne(header({ type: '3', magic: 'ustar  \0', major: '0000001', minor: '0000003' })),
    ).toMatchObject({ kind: 'char-device', major: 1, minor: 3 })
  })
  test.each(['1', '2', '5', '6'])(
    'an entry of type %s has no body, whatever its size says',
    (type) => {
      const entries = read(
        header({ type, name: 'a', link: 'b', size: 512 }),
        file({ name: 'next' }, 'n'),
      )
      expect(entries.map((entry) => entry.path)).toEqual(['a', 'next'])
    },
  )
  test('a PAX size counts for files only', () => {
    expect(
      read(
        pax({ size: '3' }),
        header({ name: 'f', size: 0 }),
        padded3(),
        pax({ size: '512' }),
        header({ type: '5', name: 'd' }),
        file({ name: 'n' }, ''),
      ).map((entry) => entry.path),
    ).toEqual(['f', 'd', 'n'])
  })
  test('old GNU sparse files with extension blocks', () => {
    expect(readOne(...oldSparse())?.kind === 'file' && readOne(...oldSparse())).toMatchObject({
      sizeBytes: 6000,
      body: sparseBody,
    })
  })
  test.each([
    ['0.1', { 'GNU.sparse.map': '2,2,6,1', 'GNU.sparse.size': '8' }],
    ['0.1, nothing but a hole', { 'GNU.sparse.map': '8,0', 'GNU.sparse.size': '8' }],
  ])('PAX sparse %s', (_, records) => {
    const stored = records['GNU.sparse.map'] === '8,0' ? '' : 'abc'
    expect(readOne(pax(records), file({}, stored))).toMatchObject({
      sizeBytes: 8,
      body: stored === '' ? '\0'.repeat(8) : '\0\0ab\0\0c\0',
    })
  })
  test('base-256, type 7, v7, a trailing slash, ustar and star prefixes', () => {
    expect(readOne(file({ uid: '\x80\0\0\0\xff\xff\xff\xfe' }, ''))?.uid).toBe(4294967294)
    expect(readOne(file({ type: '7' }, 'c'))).toMatchObject({ kind: 'file', body: 'c' })
    expect(readOne(file({ type: '\0', magic: '', prefix: 'no' }, 'c'))).toMatchObject({
      kind: 'file',
      path: 'file',
    })
    expect(readOne(header({ name: 'd/' }))).toMatchObject({ kind: 'directory', path: 'd' })
    expect(readOne(header({ prefix: 'p/q' }))?.path).toBe('p/q/file')
    const star = header({ prefix: 'p' })
    star.write('12345678901 12345678901 ', 476, 'latin1')
    star.write('tar\0', 508, 'latin1')
    expect(readOne(sealed(star))?.path).toBe('p/file')
  })
  test('records of the entry go before global ones, and an empty one takes those back', () => {
    const entries = read(
      pax({ uid: '7', gid: '8' }, 'g'),
      pax({ uid: '9', gid: '' }),
      file({}, ''),
      file({}, ''),
    )
    expect(entries.map(({ uid, gid }) => [uid, gid])).toEqual([
      [9, 2],
      [7, 8],
    ])
  })
})

function padded3(): Buffer {
  return Buffer.from('abc'.padEnd(512, '\0'))
}

const sparseBody = `a${'\0'.repeat(999)}b${'\0'.repeat(999)}c${'\0'.repeat(999)}d${'\0'.repeat(999)}e${'\0'.repeat(1999)}`

function oldSparse(): Buffer[] {
  const number = (value: number) => value.toString(8).padStart(11, '0')
  const block = header({ type: 'S', magic: 'ustar  \0', size: 5 })
  for (const i of [0, 1, 2, 3]) {
    block.write(number(i * 1000), 386 + i * 24, 'latin1')
    block.write(number(1), 398 + i * 24, 'latin1')
  }
  block[482] = 1
  block.write(number(6000), 483, 'latin1')
  const extension = Buffer.alloc(512)
  extension.write(number(4000), 0, 'latin1')
  extension.write(number(1), 12, 'latin1')
  return [sealed(block), extension, Buffer.from('abcde'.padEnd(512, '\0'))]
}

describe('the end of an archive', () => {
  test('end blocks may be missing, and what follows them is ignored', () => {
    expect(readArchive(file({}, 'x'))).toHaveLength(1)
    expect(
      readArchive(Buffer.concat([file({}, 'x'), endBlocks, Buffer.alloc(9999, 'junk')])),
    ).toHaveLength(1)
    expect(readArchive(endBlocks)).toEqual([])
  })
  test.each([
    ['inside a header', file({}, 'x').subarray(0, 300), /inside a header/],
    [
      'inside a body',
      file({ name: 'cut' }, 'x'.repeat(600)).subarray(0, 800),
      /inside an entry \(entry "cut"\)/,
    ],
    ['after an extended header', pax({ path: 'a' }), /after an extended header/],
    ['at a lone zero block', Buffer.concat([Buffer.alloc(512), file({}, '')]), /lone zero block/],
  ])('%s it is an error', (_, archive, message) => {
    expect(() => readArchive(archive)).toThrow(message)
  })
})

describe('numbers, names and types that make no sense are refused', () => {
  const bad: readonly (readonly [string, HeaderFields])[] = [
    ['a checksum', { checksum: '0000001' }],
    ['a size with a minus', { size: '-0000000001' }],
    ['a size in hexadecimal', { size: '0x000000200' }],
    ['a size beyond 2^53', { size: '\x80\0\0\0\0\x40\0\0\0\0\0\0' }],
    ['a negative base-256 size', { size: '\xff'.repeat(12) }],
    ['a negative uid', { uid: '\xff'.repeat(8) }],
    ['an unknown type', { type: 'V' }],
    ['no name', { name: '' }],
    ['the root as a file', { name: './', type: '6' }],
    ['a component of 256 bytes', { name: 'a'.repeat(100), prefix: 'a'.repeat(155) }],
    ['a symlink without target', { type: '2' }],
    ['a hard link to the root', { type: '1', link: '/' }],
    ['a device number beyond 12 bits', { type: '3', major: '0010000' }],
  ]
  test.each(bad.filter(([what]) => !what.startsWith('a component')))('%s', (_, fields) => {
    expect(() => read(header(fields))).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }))
  })
  test.each([
    ['size', '0x2'],
    ['size', '1.5'],
    ['size', 'Infinity'],
    ['size', '-1'],
    ['size', '9007199254740992'],
    ['uid', 'nan'],
    ['uid', '4294967296'],
    ['gid', '-1'],
    ['mtime', 'now'],
    ['path', 'a\0b'],
    ['path', 'c'.repeat(256)],
    ['path', 'd/'.repeat(2049)],
    ['GNU.sparse.map', '1'],
    ['GNU.sparse.major', '2'],
  ])('PAX %s=%s', (key, value) => {
    expect(() => read(pax({ [key]: value }), file({}, ''))).toThrow(
      expect.objectContaining({ code: 'LAYER_INVALID' }),
    )
  })
  test.each(['path', 'linkpath', 'size', 'SCHILY.xattr.user.a'])('a global %s', (key) => {
    expect(() => read(pax({ [key]: '1' }, 'g'))).toThrow(/global/)
  })
  test.each(['5 a=b\n', '99 a=b\n', 'x a=b\n', '6 a=bc', '4 =\n', '0 a=b\n'])(
    'the PAX body %j',
    (body) => {
      expect(() => read(file({ type: 'x' }, body), file({}, ''))).toThrow(/PAX record/)
    },
  )
  test('an extended header of more than 1 MiB', () => {
    expect(() => read(header({ type: 'x', size: 1_048_577 }))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    )
  })
  test('more than 64 KiB of xattrs', () => {
    expect(() => read(pax({ 'SCHILY.xattr.user.a': 'x'.repeat(65_537) }), file({}, ''))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    )
  })
})

test('mtimes are clamped to unsigned 32 bits and rounded down', () => {
  const times = ['-1.5', '3.999', '4294967296'].map(
    (mtime) => readOne(pax({ mtime }), file({}, ''))?.mtime,
  )
  expect(times).toEqual([0, 3, 4294967295])
})

test('xattrs that would forge what an image means are dropped, user ones but on files and directories', () => {
  const names = [
    'trusted.overlay.opaque',
    'user.overlay.opaque',
    'security.selinux',
    'system.posix_acl_access',
    'other.x',
    'user.kept',
    'trusted.kept',
    'security.kept',
  ]
  const records = Object.fromEntries(names.map((name) => [`SCHILY.xattr.${name}`, 'v']))
  expect([...(readOne(pax(records), file({}, ''))?.xattrs?.keys() ?? [])]).toEqual([
    'user.kept',
    'trusted.kept',
    'security.kept',
  ])
  expect([...(readOne(pax(records), header({ type: '6' }))?.xattrs?.keys() ?? [])]).toEqual([
    'trusted.kept',
    'security.kept',
  ])
})

test('mutated archives end in entries or in a known error, never otherwise', () => {
  const mutation = fc.tuple(fc.nat(everything.length - 1), fc.nat(255))
  fc.assert(
    fc.property(
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (mutations, reseal) => {
        const archive = Buffer.from(everything)
        for (const [offset, byte] of mutations) {
          archive[offset] = byte
          const start = offset - (offset % 512)
          if (reseal) sealed(archive.subarray(start, start + 512))
        }
        try {
          readArchive(archive, 700)
        } catch (error) {
          if (!isSregistryError(error)) throw error
        }
      },
    ),
    { numRuns: 1500 },
  )
})
