import { describe, expect, test } from 'vitest'
import {
  firstDifference,
  formatScript,
  formatSession,
  generalise,
  parseSession,
  statementsOf,
} from '../../src/shell/session-file.ts'

const text = `# needs: local-ecr   width: 100
aws:us-east-1> image = client.pull('library/busybox')
...
Success! [path]/library-busybox:latest.simg
aws:us-east-1> for (const tag of ['a']) {
... print(tag)
... }
a
docker> 1
1
`

describe('reading', () => {
  test('what was typed stands after the prompt, what must appear below it', () => {
    const session = parseSession(text)
    expect(session).toMatchObject({ needs: 'local-ecr', width: 100 })
    expect(session.steps).toEqual([
      {
        prompt: 'aws:us-east-1> ',
        source: "image = client.pull('library/busybox')",
        line: 2,
        expected: ['...', 'Success! [path]/library-busybox:latest.simg'],
      },
      {
        prompt: 'aws:us-east-1> ',
        source: "for (const tag of ['a']) {\nprint(tag)\n}",
        line: 5,
        expected: ['a'],
      },
      { prompt: 'docker> ', source: '1', line: 9, expected: ['1'] },
    ])
  })

  test('remarks and blank lines are for people', () => {
    const { needs, width, steps } = parseSession(
      '# A tour.\n# needs: local-ecr\n\n# First:\naws> 1\n1\n\n# Then: width: 40\naws> 2\n2\n',
    )
    expect([needs, width]).toEqual(['local-ecr', 80])
    expect(steps.map(({ expected }) => expected)).toEqual([['1'], ['2']])
  })

  test('only what was typed is run again', () => {
    expect(statementsOf(text)).toBe(
      "image = client.pull('library/busybox')\nfor (const tag of ['a']) {\nprint(tag)\n}\n1\n",
    )
  })
})

describe('comparing', () => {
  test.each([
    ['the same', ['a', 'b'], ['a', 'b'], undefined],
    ['another line', ['a', 'b'], ['a', 'c'], 1],
    ['a line too few', ['a', 'b'], ['a'], 1],
    ['a line too many', ['a'], ['a', 'b'], 1],
    ['blank lines at the end do not count', ['a', ''], ['a'], undefined],
    [
      'any text in a line',
      ['error X: [..] is not there'],
      ['error X: a b is not there'],
      undefined,
    ],
    ['a size', ['[size]'], ['1.0 MiB'], undefined],
    ['no size', ['[size]'], ['large'], 0],
    ['a time', ['[time]'], ['12 ms'], undefined],
    ['a date', ['[date]'], ['3 days ago'], undefined],
    ['an ISO date', ['[date]'], ['2026-11-23T22:19:12.152Z'], undefined],
    ['a path', ['Success! [path]/b.simg'], ['Success! /home/u/shub/b.simg'], undefined],
    ['a digest', ["'sha256:[hex64]'"], [`'sha256:${'a1'.repeat(32)}'`], undefined],
    ['a digest too short', ['[hex64]'], ['a1'.repeat(31)], 0],
    ['any lines', ['a', '...', 'd'], ['a', 'b', 'c', 'd'], undefined],
    ['no lines', ['a', '...', 'd'], ['a', 'd'], undefined],
    ['any lines, but the next is missing', ['a', '...', 'd'], ['a', 'b'], 2],
    ['what would be a pattern elsewhere', ['a.c (x)'], ['abc (x)'], 0],
  ])('%s', (_, expected, actual, at) => {
    expect(firstDifference(expected, actual)).toBe(at)
  })
})

describe('writing', () => {
  const plain = { needs: undefined, width: 80 }
  const entry = (source: string, output: readonly string[], succeeded = true) => ({
    prompt: 'aws:us-east-1> ',
    source,
    output,
    succeeded,
  })

  test.each([
    ['Success! /home/u/.singularity/shub/x.simg', 'Success! [path]/x.simg'],
    [`'sha256:${'0'.repeat(64)}'`, "'sha256:[hex64]'"],
    ['2 layers, 1.0 MiB', '2 layers, [size]'],
    ['aws://127.0.0.1:44919/x:1.0', 'aws://127.0.0.1:[..]/x:1.0'],
    ['database sqlite:////home/u/sregistry.db', 'database [..]'],
    ['[client|aws] [database|sqlite:////home/u/s.db]', '[client|aws] [database|[..]]'],
    ['  hint: usage: .use [client] [key=value …]', '  hint: usage: .use [client] [key=value …]'],
    ['password: hunter2', '[..]'],
    ['key AKIA…1473', 'key AKIA…[..]'],
    ['took 12 ms', 'took [time]'],
    ['pulled 3 days ago', 'pulled [date]'],
    ['https://host/a/b?x=1', 'https://host/a/b?x=1'],
    [`'eyJwYXlsb2FkIjoi${'Ab1+'.repeat(20)}'`, '[..]'],
    ["  secretAccessKey: 'abc'", '[..]'],
  ])('%s', (line, general) => {
    expect(generalise(line)).toBe(general)
  })

  test('what is written keeps its own word', () => {
    const lines = ['Exploding /home/u/x.tar.gz', 'Success! /home/u/b.simg', '1.0 MiB  3 days ago']
    const written = formatSession([entry('f(\n1)\n', lines)], plain)
    const [step] = parseSession(written).steps
    expect(step?.source).toBe('f(\n1)')
    expect(firstDifference(step?.expected ?? [], lines)).toBeUndefined()
  })

  test('what it ran on is written above it', () => {
    const written = formatSession([entry('1', ['1'])], { needs: 'local-ecr', width: 100 })
    expect(written).toBe('# needs: local-ecr   width: 100\naws:us-east-1> 1\n1\n')
    expect(parseSession(written)).toMatchObject({ needs: 'local-ecr', width: 100 })
  })

  test('what would be taken for a remark is not', () => {
    const lines = ['# heading', '', 'text']
    const [step] = parseSession(formatSession([entry('f()', lines)], plain)).steps
    expect(step?.expected).toHaveLength(3)
    expect(firstDifference(step?.expected ?? [], lines)).toBeUndefined()
  })

  test('secrets and the saving itself are left out', () => {
    const entries = [
      entry("password = 'hunter2hunter2'", []),
      entry(" whispered('softly')", []),
      entry('.save x.session', ['saved']),
      entry('1', ['1']),
    ]
    expect(formatSession(entries, plain)).toBe('# width: 80\naws:us-east-1> 1\n1\n')
    expect(formatScript(entries)).toBe('1\n')
  })

  test('a script has only what succeeded', () => {
    expect(formatScript([entry('missing()', [], false), entry('a = 1\n', ['1'])])).toBe('a = 1\n')
  })
})
