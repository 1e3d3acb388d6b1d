import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SregistryError } from '../../src/errors/sregistry-error.ts'
import { formatReference, parseReference } from '../../src/registry/reference.ts'

const hex = 'a'.repeat(64)

describe('parseReference', () => {
  test.each([
    ['busybox', { repository: 'busybox' }],
    ['library/busybox:1.36', { repository: 'library/busybox', tag: '1.36' }],
    ['aws://library/busybox', { scheme: 'aws', repository: 'library/busybox' }],
    ['localhost:5000/x', { registry: 'localhost:5000', repository: 'x' }],
    ['localhost/x', { registry: 'localhost', repository: 'x' }],
    ['a/b/c/d', { repository: 'a/b/c/d' }],
    ['[::1]:5000/x:t', { registry: '[::1]:5000', repository: 'x', tag: 't' }],
    ['quay.io/a/b:CaseKept', { registry: 'quay.io', repository: 'a/b', tag: 'CaseKept' }],
    ['my.sif.tool', { repository: 'my.sif.tool' }],
    ['QUAY.io/a', { registry: 'quay.io', repository: 'a' }],
    [
      '692517157806.dkr.ecr.us-east-1.amazonaws.com/library/busybox',
      { registry: '692517157806.dkr.ecr.us-east-1.amazonaws.com', repository: 'library/busybox' },
    ],
    [
      'docker://busybox',
      { scheme: 'docker', registry: 'docker.io', repository: 'library/busybox' },
    ],
    ['docker://u/r', { scheme: 'docker', registry: 'docker.io', repository: 'u/r' }],
    [
      'docker://index.docker.io/busybox',
      { scheme: 'docker', registry: 'docker.io', repository: 'library/busybox' },
    ],
    ['docker://quay.io/busybox', { scheme: 'docker', registry: 'quay.io', repository: 'busybox' }],
    ['nvidia://nvidia/cuda', { scheme: 'nvidia', repository: 'nvidia/cuda' }],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected)
  })

  test('a tag and a digest may both be there', () => {
    expect(parseReference(`a:t@sha256:${hex}`)).toEqual({
      repository: 'a',
      tag: 't',
      digest: { algorithm: 'sha256', hex },
    })
  })

  test.each<[string, string]>([
    ['library/Busybox', '        ^'],
    ['', '^'],
    ['a//b', '  ^'],
    ['../b', '^'],
    ['a/..', '  ^'],
    ['-a', '^'],
    ['a_-b', ' ^'],
    ['a:', '  ^'],
    ['a:b:c', '   ^'],
    ['a:-t', '  ^'],
    ['a@sha256:12', '  ^'],
    [`a@sha256:${hex.toUpperCase()}`, '  ^'],
    ['https://quay.io/a', '^'],
    ['quay.io:99999/a', '^'],
    ['quay.io:0/a', '^'],
    ['[::zz]/a', '^'],
    ['exa mple.org/a', '^'],
    ['user@quay.io/a', '     ^'],
    ['a b', ' ^'],
    ['quay.io/', '        ^'],
    [`a:${'t'.repeat(129)}`, `${' '.repeat(130)}`.slice(0, 0)],
  ])('%s is refused with a caret under the place', (text, caret) => {
    const error = failureOf(text)
    expect(error.code).toBe('REFERENCE_INVALID')
    const line = error.message.split('\n')[2] ?? ''
    if (caret !== '') expect(line).toBe(`  ${caret}`)
    expect(line.trim()).toBe('^')
  })

  test('escapes and odd characters are shown, not sent, and the caret counts what is shown', () => {
    const lines = failureOf('a\x1b[2Jb').message.split('\n')
    expect(lines[1]).toBe('  a\\x1b[2Jb')
    expect(lines[2]).toBe('   ^')
    expect(failureOf('a\u202eb').message).toContain('\\u{202e}')
    expect(failureOf('а/b').code).toBe('REFERENCE_INVALID') // a Cyrillic letter
  })

  test('what is too long is refused without repeating all of it', () => {
    expect(failureOf('a'.repeat(5000)).message.length).toBeLessThan(500)
    expect(failureOf('a'.repeat(256)).message).toContain('at most 255')
  })
})

function failureOf(text: string): SregistryError {
  try {
    parseReference(text)
  } catch (thrown) {
    return thrown as SregistryError
  }
  throw new Error(`"${text}" was accepted`)
}

const part = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}$/)
const references = fc.record(
  {
    scheme: fc.constantFrom('aws' as const, 'nvidia' as const, 'ecr-public' as const),
    registry: fc.oneof(
      fc.constantFrom('localhost', 'localhost:5000', '[::1]', '[2001:db8::1]:443', '127.0.0.1:1'),
      fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z]{2,5}(:[1-9][0-9]{0,3})?$/),
    ),
    repository: fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'))
      // a first part with a dot is a host, unless a host goes before it
      .filter((name) => !/^[^/]*\./.test(name) && !name.startsWith('localhost/')),
    tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
    digest: fc.constantFrom(
      { algorithm: 'sha256' as const, hex },
      { algorithm: 'sha512' as const, hex: hex + hex },
    ),
  },
  { requiredKeys: ['repository'] },
)

test('parsing what was formatted gives the same reference', () =>
  fc.assert(
    fc.property(references, (reference) => {
      expect(parseReference(formatReference(reference))).toEqual(reference)
    }),
  ))

test('any text is parsed or refused as REFERENCE_INVALID, and what is parsed is stable', () =>
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      try {
        const reference = parseReference(text)
        expect(parseReference(formatReference(reference))).toEqual(reference)
      } catch (thrown) {
        expect((thrown as SregistryError).code).toBe('REFERENCE_INVALID')
      }
    }),
  ))
