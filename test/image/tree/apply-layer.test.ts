import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SregistryError } from '../../../src/errors/sregistry-error.ts'
import type { PackedEntry } from '../../../src/image/packed-layer.ts'
import type { EntryText } from './entries.ts'
import { entry, listTree, mergeLayers } from './entries.ts'

const device = (path: string, major: number, minor: number): PackedEntry => ({
  ...entry(path),
  kind: 'char-device',
  major,
  minor,
})

type Case = [
  sentence: string,
  layers: readonly (readonly EntryText[])[],
  expected: readonly string[],
]

describe('layers applied in order', () => {
  test.each<Case>([
    ['an upper file replaces a lower one', [['a=1'], ['a=2']], ['a=2']],
    ['an upper file replaces a lower directory with all in it', [['a/', 'a/b'], ['a=1']], ['a=1']],
    ['an upper directory replaces a lower file', [['a=1'], ['a/', 'a/b']], ['a/', 'a/b=a/b']],
    [
      'a directory entry keeps what lower layers put into it',
      [
        ['a/', 'a/b'],
        ['a/', 'a/c'],
      ],
      ['a/', 'a/b=a/b', 'a/c=a/c'],
    ],
    [
      'a directory entry replaces a symlink',
      [
        ['l -> usr', 'usr/'],
        ['l/', 'l/x'],
      ],
      ['l/', 'l/x=l/x', 'usr/'],
    ],
    ['of duplicates in one layer the later one counts', [['a=1', 'a=2']], ['a=2']],
    [
      'a directory that is replaced between two of its entries is made anew',
      [['d/', 'd/a', 'd=1', 'd/b']],
      ['d/ implied', 'd/b=d/b'],
    ],
    [
      'an entry that replaces the symlink it came through is seen by the next one',
      [['a/', 'a/s -> ../a', 'a/s/x', 'a/s/s=1', 'a/s/b']],
      ['a/', 'a/s/ implied', 'a/s/b=a/s/b', 'a/x=a/s/x'],
    ],
    ['a missing parent is made', [['a/b/c']], ['a/ implied', 'a/b/ implied', 'a/b/c=a/b/c']],
    [
      'a parent only implied leaves the lower directory as it is',
      [['a/'], ['a/b']],
      ['a/', 'a/b=a/b'],
    ],
    [
      'a parent only implied leaves a lower symlink and follows it',
      [['lib -> usr/lib', 'usr/', 'usr/lib/'], ['lib/x']],
      ['lib -> usr/lib', 'usr/', 'usr/lib/', 'usr/lib/x=lib/x'],
    ],
    [
      'absolute symlinks start at the root',
      [['d/', 'd/l -> /e', 'e/'], ['d/l/x']],
      ['d/', 'd/l -> /e', 'e/', 'e/x=d/l/x'],
    ],
    [
      'parents of symlinks stop at the root',
      [['l -> ../../../e', 'e/'], ['l/x']],
      ['e/', 'e/x=l/x', 'l -> ../../../e'],
    ],
    [
      'a dangling symlink in the way is followed and its target made',
      [['l -> t/u'], ['l/x']],
      ['l -> t/u', 't/ implied', 't/u/ implied', 't/u/x=l/x'],
    ],
    ['a file in the way becomes a directory', [['a=1'], ['a/b']], ['a/ implied', 'a/b=a/b']],
    ['a whiteout hides a lower file', [['a', 'b'], ['.wh.a']], ['b=b']],
    ['a whiteout hides a lower directory', [['d/', 'd/a', 'd/e/', 'd/e/f'], ['.wh.d']], []],
    [
      'a whiteout in a directory that this layer only implies',
      [['d/', 'd/a', 'd/b'], ['d/.wh.a']],
      ['d/', 'd/b=d/b'],
    ],
    ['a whiteout hides nothing of its own layer, before', [['a=1'], ['.wh.a', 'a=2']], ['a=2']],
    ['a whiteout hides nothing of its own layer, after', [['a=1'], ['a=2', '.wh.a']], ['a=2']],
    ['a whiteout of nothing is no error', [['a'], ['.wh.b']], ['a=a']],
    [
      'a whiteout and the directory again: opaque',
      [
        ['d/', 'd/a', 'd/e/', 'd/e/f'],
        ['.wh.d', 'd/', 'd/b'],
      ],
      ['d/', 'd/b=d/b'],
    ],
    [
      'the same with the whiteout last',
      [
        ['d/', 'd/a', 'd/e/', 'd/e/f'],
        ['d/', 'd/b', '.wh.d'],
      ],
      ['d/', 'd/b=d/b'],
    ],
    [
      'a whiteout and the directory again, only implied',
      [
        ['d/', 'd/a'],
        ['.wh.d', 'd/b'],
      ],
      ['d/ implied', 'd/b=d/b'],
    ],
    [
      'the same with the whiteout last',
      [
        ['d/', 'd/a'],
        ['d/b', '.wh.d'],
      ],
      ['d/ implied', 'd/b=d/b'],
    ],
    [
      'an opaque directory hides what lower layers put into it',
      [
        ['d/', 'd/a', 'c'],
        ['d/.wh..wh..opq', 'd/b'],
      ],
      ['c=c', 'd/', 'd/b=d/b'],
    ],
    [
      'an opaque marker after its siblings hides none of them',
      [
        ['d/', 'd/a'],
        ['d/', 'd/b', 'd/.wh..wh..opq'],
      ],
      ['d/', 'd/b=d/b'],
    ],
    [
      'an opaque marker hides at any depth',
      [
        ['d/', 'd/e/', 'd/e/a'],
        ['d/e/b', 'd/.wh..wh..opq'],
      ],
      ['d/', 'd/e/ implied', 'd/e/b=d/e/b'],
    ],
    [
      'a whiteout reaches through a symlinked parent',
      [['l -> d', 'd/', 'd/a'], ['l/.wh.a']],
      ['d/', 'l -> d'],
    ],
    ['a hard link shares the content', [['a=1', 'b => a']], ['a=1', 'b=1']],
    [
      'a hard link to a lower layer survives the whiteout of its target',
      [['a=1'], ['b => a', '.wh.a']],
      ['b=1'],
    ],
    [
      'a hard link keeps the old content when its target is replaced',
      [['a=1', 'b => a', 'a=2']],
      ['a=2', 'b=1'],
    ],
    [
      'a hard link goes through symlinked parents',
      [['l -> d', 'd/', 'd/a=1', 'b => l/a']],
      ['b=1', 'd/', 'd/a=1', 'l -> d'],
    ],
    [
      'AUFS link files lend their content and vanish',
      [['.wh..wh.plnk/1.2=9', 'a => .wh..wh.plnk/1.2']],
      ['a=9'],
    ],
    [
      'AUFS bookkeeping is skipped',
      [['.wh..wh.aufs', '.wh..wh.orph/x', 'd/.wh..wh.zzz', 'a']],
      ['a=a'],
    ],
    ['an overlay whiteout hides too', [['a', 'b'], [device('a', 0, 0)]], ['b=b']],
    ['other devices are kept', [[device('null', 1, 3)]], ['null char-device']],
  ])('%s', (_, layers, expected) => {
    expect(listTree(mergeLayers(layers))).toEqual(expected)
  })

  test.each([
    ['a whiteout of nothing nameable', ['.wh.']],
    ['a whiteout of the directory itself', ['d/.wh..']],
    ['a whiteout of the parent', ['d/.wh...']],
    ['entries below a whiteout', ['.wh.a/b']],
    ['a hard link to nothing', ['a => b']],
    ['a hard link to a directory', ['d/', 'a => d']],
    ['a symlink loop', ['a -> b', 'b -> a', 'a/x']],
    ['a root that is a file', [{ ...entry('x'), path: '' }]],
  ])('%s is refused', (_, entries) => {
    expect(() => mergeLayers([entries])).toThrow(SregistryError)
  })

  test('the root entry describes the root', () => {
    const { root } = mergeLayers([
      [{ ...entry('d/'), path: '', mode: 0o700, uid: 5 } as PackedEntry],
    ])
    expect([root.mode, root.uid]).toEqual([0o700, 5])
  })

  test('a directory entry replaces the metadata and xattrs of the lower one', () => {
    const xattrs = new Map([['user.a', new Uint8Array([1])]])
    const { root } = mergeLayers([[{ ...entry('d/'), xattrs }], [{ ...entry('d/'), mode: 0o711 }]])
    expect(root.inode('d')).toMatchObject({ mode: 0o711, xattrs: undefined })
  })
})

const name = fc.constantFrom('a', 'b', 'c')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
const change = fc.oneof(
  path,
  path.map((text) => `${text}/`),
  path.map((text) => text.replace(/[^/]+$/, '.wh.$&')),
)

test('the order of whiteouts and additions in a layer does not matter', () => {
  fc.assert(
    fc.property(
      fc.array(path),
      fc.uniqueArray(path, { maxLength: 4 }),
      fc.array(path),
      (lower, added, hidden) => {
        // files only, none below another, so that the additions themselves have no order
        const files = added.filter(
          (one) => !added.some((other) => one !== other && other.startsWith(`${one}/`)),
        )
        // a whiteout below a file of its own layer would turn that file into a directory
        const whiteouts = hidden
          .filter((one) => !files.some((file) => one.startsWith(`${file}/`)))
          .map((text) => text.replace(/[^/]+$/, '.wh.$&'))
        const early = listTree(mergeLayers([lower, [...whiteouts, ...files]]))
        const late = listTree(mergeLayers([lower, [...files, ...whiteouts]]))
        expect(late.filter((line) => line.includes('='))).toEqual(
          early.filter((line) => line.includes('=')),
        )
      },
    ),
  )
})

test('no marker and no odd name is ever in a merged tree', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change)), (layers) => {
      for (const line of listTree(mergeLayers(layers))) expect(line).not.toContain('.wh.')
    }),
  )
})
