import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseChallenges } from '../../src/registry/challenge.ts'

test.each<[string, string, [string, Record<string, string>][]]>([
  [
    'as Docker Hub writes it',
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull',
        },
      ],
    ],
  ],
  [
    'as ECR writes it',
    'Basic realm="https://h/",service="ecr.amazonaws.com"',
    [['basic', { realm: 'https://h/', service: 'ecr.amazonaws.com' }]],
  ],
  [
    'in another order, without service',
    'Bearer scope="x",realm="r"',
    [['bearer', { scope: 'x', realm: 'r' }]],
  ],
  [
    'with bare values',
    'Bearer realm=https://h/token?a=b, service=s',
    [['bearer', { realm: 'https://h/token?a=b', service: 's' }]],
  ],
  [
    'upper case and spaces',
    'BEARER  Realm = "r" ,  SERVICE="s"',
    [['bearer', { realm: 'r', service: 's' }]],
  ],
  [
    'several in one header',
    'Negotiate, Basic realm="a", Bearer realm="b",scope="c,d"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b', scope: 'c,d' }],
    ],
  ],
  [
    'a value without a name',
    'Negotiate YIIabc==, Basic realm="a"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'a' }],
    ],
  ],
  ['quoted pairs', 'Basic realm="a \\"b\\" \\\\c"', [['basic', { realm: 'a "b" \\c' }]]],
  ['the first of two equal names', 'Basic realm="a",realm="b"', [['basic', { realm: 'a' }]]],
  ['nothing', '', []],
  ['junk', '=,"",;', []],
])('%s', (_, header, expected) => {
  const read = parseChallenges(header).map(({ scheme, parameters }) => [scheme, { ...parameters }])
  expect(read).toEqual(expected)
})

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const challenges = fc.array(
  fc.record({
    scheme: token,
    parameters: fc
      .array(fc.tuple(token, fc.stringMatching(/^[\x20-\x7e]{0,12}$/)), {
        minLength: 1,
        maxLength: 4,
      })
      .map((entries) => Object.fromEntries(entries)),
  }),
  { maxLength: 3 },
)

test('what was written by the grammar is read again', () =>
  fc.assert(
    fc.property(challenges, (wanted) => {
      const quote = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`
      const header = wanted
        .map(({ scheme, parameters }) => {
          const list = Object.entries(parameters).map(([name, value]) => `${name}=${quote(value)}`)
          return `${scheme} ${list.join(', ')}`
        })
        .join(', ')
      const read = parseChallenges(header)
      expect(read.map((one) => ({ ...one, parameters: { ...one.parameters } }))).toEqual(wanted)
    }),
  ))

test('any header ends in some list of challenges', () =>
  fc.assert(
    fc.property(fc.string(), (header) => {
      expect(parseChallenges(header).every(({ scheme }) => scheme !== '')).toBe(true)
    }),
  ))
