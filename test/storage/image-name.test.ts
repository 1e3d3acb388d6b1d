import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkFileName,
  chooseImageName,
  formatOfName,
  type ImageNaming,
  imageNames,
  type NameHolder,
} from '../../src/storage/image-name.ts'

const busybox: ImageNaming = {
  repository: 'library/busybox',
  tag: 'latest',
  uri: 'aws://h/library/busybox:latest',
  format: 'squashfs',
}
const digest = `sha256:8c5a7da1${'0'.repeat(56)}`

describe('the name of an image', () => {
  test.each([
    ['is the ancestor’s', {}, 'library-busybox:latest.simg'],
    ['tells a SIF', { format: 'sif' }, 'library-busybox:latest.sif'],
    ['keeps the case of tags', { tag: 'V1.2' }, 'library-busybox:V1.2.simg'],
    ['keeps dots inside', { repository: 'my.sif.tool' }, 'my.sif.tool:latest.simg'],
    [
      'tells a pinned digest',
      { tag: undefined, digest },
      'library-busybox@sha256:8c5a7da10000.simg',
    ],
  ] as const)('%s', (_, change, expected) => {
    expect(imageNames({ ...busybox, ...change }).plain).toBe(expected)
  })

  test('the distinguished name depends on the whole reference, and on nothing else', () => {
    const names = imageNames(busybox)
    expect(names.distinguished).toMatch(/^library-busybox~[0-9a-f]{8}:latest\.simg$/)
    expect(imageNames({ ...busybox })).toEqual(names)
    const elsewhere = imageNames({ ...busybox, uri: 'docker://library/busybox:latest' })
    expect(elsewhere.plain).toBe(names.plain)
    expect(elsewhere.distinguished).not.toBe(names.distinguished)
  })

  test('names fit into 255 bytes, end as they must, and differ when cut', () => {
    const long = (end: string): ImageNaming => {
      const repository = `${'a'.repeat(254)}${end}`
      return { repository, tag: 't'.repeat(128), uri: `aws://h/${repository}`, format: 'sif' }
    }
    const [one, two] = [imageNames(long('b')), imageNames(long('c'))]
    for (const name of [one.plain, one.distinguished, two.plain]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
      expect(name.endsWith(`:${'t'.repeat(128)}.sif`)).toBe(true)
    }
    expect(new Set([one.plain, one.distinguished, two.plain, two.distinguished]).size).toBe(4)
  })
})

test.each([
  ['free', 'plain'],
  ['same-reference', 'plain'],
  ['unknown', 'plain'],
  ['other-reference', 'distinguished'],
] as const)('a plain name that is held by: %s → the %s one', async (holder, kind) => {
  const names = imageNames(busybox)
  expect(await chooseImageName(names, async () => holder)).toBe(names[kind])
})

test('references that flatten to one name never get the same file', async () => {
  const component = fc.stringMatching(/^[a-z]{1,2}$/)
  const repository = fc
    .array(component, { minLength: 2, maxLength: 4 })
    .chain((parts) =>
      fc.constantFrom(parts.join('-'), parts.join('/'), `${parts[0]}/${parts.slice(1).join('-')}`),
    )
  const references = fc.uniqueArray(
    fc.tuple(fc.constantFrom('aws://h/', 'docker://'), repository),
    {
      selector: (one) => one.join(''),
      maxLength: 12,
    },
  )
  await fc.assert(
    fc.asyncProperty(references, async (all) => {
      const held = new Map<string, string>()
      for (const [registry, name] of all) {
        const uri = `${registry}${name}:latest`
        const holderOf = async (file: string): Promise<NameHolder> => {
          const holder = held.get(file)
          if (holder === undefined) return 'free'
          return holder === uri ? 'same-reference' : 'other-reference'
        }
        const naming: ImageNaming = { repository: name, tag: 'latest', uri, format: 'squashfs' }
        const chosen = await chooseImageName(imageNames(naming), holderOf)
        expect(held.get(chosen) ?? uri).toBe(uri)
        held.set(chosen, uri)
        expect(await chooseImageName(imageNames(naming), holderOf)).toBe(chosen)
      }
    }),
  )
})

test.each([
  ['x.sif', 'sif'],
  ['aws-is-hard.simg', 'squashfs'],
  ['my.sif.tool', undefined],
])('the name %s asks for %s', (name, format) => {
  expect(formatOfName(name)).toBe(format)
})

test.each([
  ['a'.repeat(255), true],
  ['a'.repeat(256), false],
  ['é'.repeat(128), false],
  [`/${'a/'.repeat(2047)}`, true],
  [`/${'a/'.repeat(2048)}`, false],
  ['', false],
  ['a\0b', false],
])('%# a name given by the user is checked by its bytes', (name, isGood) => {
  if (isGood) expect(() => checkFileName(name)).not.toThrow()
  else expect(() => checkFileName(name)).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
