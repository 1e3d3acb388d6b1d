import { describe, expect, test } from 'vitest'
import type { ResultKind } from '../../src/shell/api-help.ts'
import { renderJson, renderValue } from '../../src/shell/render.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'
import { textWidth } from '../../src/terminal/text-width.ts'

const now = Date.parse('2026-03-01T00:00:00Z')
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`
const utf8 = { LANG: 'C.UTF-8' }

type Shown = { kind?: ResultKind; columns?: number; env?: Record<string, string>; isTold?: boolean }

async function shown(value: unknown, given: Shown = {}): Promise<string> {
  const { kind, columns = 80, env = utf8, isTold = false } = given
  const style = terminalStyle({ columns }, env)
  return (await renderValue(value, { style, kind, isTold, now })) ?? '(nothing)'
}

const image = (name: string) => ({
  name,
  tag: 'latest',
  digest: digest('8'),
  size: 2_200_000,
  path: `/home/someone/.singularity/shub/${name.replaceAll('/', '-')}:latest.simg`,
  pulled: '2026-02-26T00:00:00Z',
  command: () => ['singularity run it'],
})
const images = [image('library/busybox'), image('a-laboratory/with-a-long-name/and-a-tool')]
const layers = [
  { digest: digest('a'), size: 2_000_000, mediaType: 'x' },
  { digest: digest('b'), size: 500_000, mediaType: 'x' },
]
const repositories = [
  { name: 'library/busybox', createdAt: new Date(now - 864e5), uri: `1.dkr.ecr/${'x'.repeat(60)}` },
  { name: 'science/hello', createdAt: new Date(now - 36e5), uri: '1.dkr.ecr/science/hello' },
]
const tags = Array.from({ length: 40 }, (_, i) => `2026.${i}`)

describe.each([40, 80, 200])('in %i columns', (columns) => {
  test.each<[string, unknown, ResultKind]>([
    ['images', images, 'images'],
    ['layers', layers, 'layers'],
    ['repositories', repositories, 'repositories'],
    ['tags', tags, 'tags'],
  ])('%s fit', async (_, value, kind) => {
    const lines = (await shown(value, { kind, columns })).split('\n')
    expect(lines.length).toBeGreaterThan(1)
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(columns)
  })
})

describe('a value is shown by what it is', () => {
  test('an image is a line with how to run it', async () => {
    expect(await shown(image('library/busybox'), { columns: 200 })).toBe(
      [
        'library/busybox:latest  888888888888  2.1 MiB  /home/someone/.singularity/shub/library-busybox:latest.simg',
        '  singularity run it',
      ].join('\n'),
    )
  })

  test('an image is one line: the path that does not fit stands in the command below', async () => {
    const path = `/home/someone/${'x'.repeat(40)}.simg`
    const long = { ...image('library/busybox'), path, command: () => [`singularity run ${path}`] }
    expect(await shown(long, { columns: 80 })).toBe(
      `library/busybox:latest  888888888888  2.1 MiB\n  singularity run ${path}`,
    )
    expect(await shown(long, { columns: 40 })).toBe(
      `library/busybox:latest  2.1 MiB\n  singularity run ${path}`,
    )
  })

  test.each([
    [
      'one with room is whole',
      130,
      [
        'NAME                                             DIGEST           SIZE  PULLED      PATH',
        'library/busybox:latest                           888888888888  2.1 MiB  3 days ago  ….singularity/shub/library-busybox:latest.simg',
        'a-laboratory/with-a-long-name/and-a-tool:latest  888888888888  2.1 MiB  3 days ago  …atory-with-a-long-name-and-a-tool:latest.simg',
      ],
    ],
    [
      'paths are left out before names are cut',
      84,
      [
        'NAME                                             DIGEST           SIZE  PULLED  …',
        'library/busybox:latest                           888888888888  2.1 MiB  3 days ago',
        'a-laboratory/with-a-long-name/and-a-tool:latest  888888888888  2.1 MiB  3 days ago',
      ],
    ],
    [
      'digests go before names get less than half',
      50,
      [
        'NAME                              SIZE  PULLED  …',
        'library/busybox:latest         2.1 MiB  3 days ago',
        'a-laboratory/with-a-long-nam…  2.1 MiB  3 days ago',
      ],
    ],
    [
      'in little room the name is what stays',
      40,
      [
        'NAME                                SIZE',
        'library/busybox:latest           2.1 MiB',
        'a-laboratory/with-a-long-name/…  2.1 MiB',
      ],
    ],
  ])('images are a table: %s', async (_, columns, lines) => {
    expect(await shown(images, { columns })).toBe(lines.join('\n'))
  })

  test('layers are a tree with their sizes as bars', async () => {
    expect(await shown(layers, { kind: 'layers', columns: 60 })).toBe(
      [
        '2 layers, 2.4 MiB',
        `├─ aaaaaaaaaaaa   1.9 MiB ${'█'.repeat(24)}`,
        `└─ bbbbbbbbbbbb   488 KiB ${'█'.repeat(6)}`,
      ].join('\n'),
    )
  })

  test('in ASCII where the locale has no more', async () => {
    const text = await shown(layers, { kind: 'layers', env: { LC_ALL: 'C' } })
    expect(text).toMatch(/^[\n -~]+$/)
    expect(await shown(images, { env: { LC_ALL: 'C' }, columns: 60 })).toMatch(/^[\n -~]+$/)
  })

  test('records are a table with dates beside now', async () => {
    expect(await shown(repositories, { kind: 'repositories', columns: 56 })).toBe(
      [
        'NAME             CREATED AT  URI',
        'library/busybox  1 day ago   1.dkr.ecr/xxxxxxxxxxxxxxxx…',
        'science/hello    1 hour ago  1.dkr.ecr/science/hello',
      ].join('\n'),
    )
  })

  test('the name of a record is readable in little room; what it costs is the last columns', async () => {
    const lines = [
      'NAME             CREATED AT  …',
      'library/busybox  1 day ago',
      'science/hello    1 hour ago',
    ]
    expect(await shown(repositories, { kind: 'repositories', columns: 40 })).toBe(lines.join('\n'))
  })

  test('words stand in columns, lists of the user as JavaScript', async () => {
    expect(await shown(['1.0', '1.1', 'latest'], { kind: 'tags' })).toBe('1.0     1.1     latest')
    expect(await shown(['1.0', '1.1'])).toBe("[ '1.0', '1.1' ]")
  })

  test.each([
    ['undefined', undefined, '(nothing)'],
    ['text of one line', "it's", '"it\'s"'],
    ['text of many lines', 'a\nb', 'a\nb'],
    ['nothing found', [], '[]'],
    ['a list of holes', new Array(3), '[ <3 empty items> ]'],
    ['a list with nothing in it', [undefined], '[ undefined ]'],
  ])('%s', async (_, value, text) => {
    expect(await shown(value)).toBe(text)
  })

  test('a list of the API that is empty says of what', async () => {
    expect(await shown([], { kind: 'images' })).toBe('no images')
  })

  test('what describes an image of this machine is data, not the image', async () => {
    expect(await shown(image('x'), { kind: 'data' })).toContain("tag: 'latest'")
  })

  test('of an endless stream only the start', async () => {
    async function* numbers() {
      for (let i = 0; ; i++) yield i
    }
    const text = await shown(numbers())
    expect(text).toContain('… more: for await (const x of _)')
    expect(text).not.toContain('20,')
  })

  test('a tag name cannot move the cursor', async () => {
    const text = await shown(['a\u001b[2J', 'b\u202eevil'], { kind: 'tags' })
    expect(text).toContain('a\\u001b[2J')
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('\u202e')
    expect(await shown({ name: '\u001b]0;title\u0007' })).not.toContain('\u001b')
  })
})

describe("a doctor's report", () => {
  const report = {
    healthy: false,
    rungs: [
      { name: 'settings', status: 'ok', evidence: 'region us-east-1' },
      { name: 'token', status: 'failed', evidence: 'refused', hint: 'check the key' },
    ],
  }

  test('is the whole ladder', async () => {
    const lines = (await shown(report)).split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^✓ settings +region us-east-1$/),
      expect.stringMatching(/^✗ token +refused$/),
      '  hint: check the key',
      'failed: token',
    ])
  })

  test('only ends with what it comes to when its rungs were printed as they came', async () => {
    expect(await shown(report, { isTold: true })).toBe('failed: token')
    expect(await shown({ rungs: report.rungs.slice(0, 1) }, { isTold: true })).toBe(
      'everything that was looked at works',
    )
  })
})

describe('as JSON', () => {
  test.each([
    ['data', { a: 1n, b: new Map([['x', 1]]), c: new Set([2]) }, '{"a":"1","b":{"x":1},"c":[2]}'],
    ['nothing', undefined, undefined],
    ['an error', new Error('x\u001b'), String.raw`{"name":"Error","message":"x\\u001b"}`],
    ['controls that JSON leaves alone', '\u0085\u202e', String.raw`"\u0085\u202e"`],
  ])('%s', async (_, value, text) => {
    expect(await renderJson(value)).toBe(text)
  })

  test('a stream is collected to its end', async () => {
    async function* many() {
      for (let i = 0; i < 30; i++) yield i
    }
    expect(JSON.parse((await renderJson(many())) ?? '')).toHaveLength(30)
  })
})
