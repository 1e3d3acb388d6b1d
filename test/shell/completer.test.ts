import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Completer, type Completion } from '../../src/shell/completer.ts'
import { RemoteNames } from '../../src/shell/remote-names.ts'
import { ClientCalls, createSessionClient } from '../../src/shell/session-client.ts'
import type { ShellClient } from '../../src/shell/shell-client.ts'

const touched: string[] = []
const asked: string[] = []
let repositories: () => Promise<unknown>

const client = {
  name: 'aws',
  place: 'us-east-1',
  pull: async () => undefined,
  layers: async () => undefined,
  policy: async () => undefined,
  use: () => client,
  repositories: () => repositories(),
  tags: async (repository: string) => {
    asked.push(repository)
    return ['1.0', '1.1', 'evil\u001b[2J']
  },
  images: async () => [{ name: 'library/busybox', tag: 'latest', path: '/x.simg' }],
}

/** What `eu` stands for. */
const other = {
  ...client,
  place: 'eu-west-1',
  repositories: async () => [{ name: 'library/european' }],
  tags: async () => ['eu-1'],
}

let completer: Completer
let current: typeof client
let signatures: string[]
let late: string[]

beforeAll(() => {
  const session = createSessionClient(client as unknown as ShellClient, new ClientCalls())
  Object.defineProperty(globalThis, 'client', { configurable: true, value: session })
  Object.defineProperty(globalThis, 'sample', {
    configurable: true,
    value: {
      plain: 1,
      get loaded() {
        touched.push('getter')
        return {}
      },
    },
  })
})

afterAll(() => {
  for (const name of ['client', 'sample']) Reflect.deleteProperty(globalThis, name)
})

beforeEach(() => {
  signatures = []
  late = []
  current = { ...client }
  asked.length = 0
  repositories = async () => [{ name: 'library/busybox' }, { name: 'science/hello' }]
  completer = open({})
})

function open(uses: Record<string, number>): Completer {
  return new Completer({
    client: (name) => (name === 'eu' ? other : current) as unknown as ShellClient,
    remoteNames: new RemoteNames({ now: () => 0 }),
    uses: (name) => uses[name] ?? 0,
    onSignature: ({ signature }) => signatures.push(signature),
    onLate: (line) => late.push(line),
  })
}

/** The whole line with its only candidate in place. */
async function completed(line: string): Promise<string> {
  const [candidates, prefix] = await completer.complete(line)
  const [only, ...more] = candidates
  if (only === undefined || more.length > 0) return `${candidates.length} candidates`
  return line.slice(0, line.length - prefix.length) + only
}

describe('Tab completes', () => {
  test.each([
    ['clie', 'client'],
    ['client.lay', 'client.layers'],
    ["image = client.pull('lib", "image = client.pull('library/busybox"],
    ["client.pull('science/hello:1.1", "client.pull('science/hello:1.1"],
    ["client.pull('x', { comp", "client.pull('x', { compression"],
    ["client.pull('x', { format: 'si", "client.pull('x', { format: 'sif"],
    ["client.policy('br", "client.policy('browse"],
    ['client.use({ reg', '2 candidates'],
    ['client.use({ SREGISTRY_AWS_Z', 'client.use({ SREGISTRY_AWS_ZONE'],
    ['.use SREGISTRY_AWS_Z', '.use SREGISTRY_AWS_ZONE='],
    ['.use ecr', '.use ecr-public'],
    ['.imag', '.images'],
    ['.images lib', '.images library/busybox:latest'],
    ['.time of', '.time off'],
    ['client.images().leng', 'client.images().length'],
    ["client.pull('x').dig", "client.pull('x').digest"],
    ["'clie", '0 candidates'],
    ['// clie', '0 candidates'],
    ["client.pull('aws://lib", "client.pull('aws://library/busybox"],
    ["client.pull('aws://science/hello:1.1", "client.pull('aws://science/hello:1.1"],
    ["client.pull('docker://lib", '0 candidates'],
    ['client.pull(`lib', 'client.pull(`library/busybox'],
    ["eu.pull('lib", "eu.pull('library/european"],
    ["eu.pull('library/european:", "eu.pull('library/european:eu-1"],
    ['process.env.SREGISTRY_TMP', 'process.env.SREGISTRY_TMPDIR'],
    ['process.pla', 'process.platform'],
  ])('%s', async (line, expected) => {
    expect(await completed(line)).toBe(expected)
  })

  test('files and directories, in paths and after .load', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sregistry-tab-'))
    try {
      mkdirSync(join(directory, 'scripts'))
      writeFileSync(join(directory, 'tour.session'), '')
      expect(await completed(`.load ${directory}/to`)).toBe(`.load ${directory}/tour.session`)
      expect(await completed(`require('${directory}/sc`)).toBe(`require('${directory}/scripts/`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('names of tags that could move the cursor are never offered', async () => {
    const [candidates] = await completer.complete("client.pull('science/hello:")
    expect(candidates).toEqual(['science/hello:1.0', 'science/hello:1.1'])
    expect(asked).toEqual(['science/hello'])
  })

  test('what was used often comes first', async () => {
    completer = open({ 'science/hello': 3 })
    const [candidates] = await completer.complete("client.layers('")
    expect(candidates).toEqual(['science/hello', 'library/busybox'])
  })

  test('the names of the registry that `.use` has chosen', async () => {
    expect(await completed("client.pull('lib")).toBe("client.pull('library/busybox")
    current = { ...client, repositories: async () => [{ name: 'library/other' }] }
    expect(await completed("client.pull('lib")).toBe("client.pull('library/other")
  })

  test('of two clients, asked in turn, each with its own names', async () => {
    for (const expected of ['european', 'busybox', 'european']) {
      const name = expected === 'busybox' ? 'client' : 'eu'
      expect(await completed(`${name}.pull('lib`)).toBe(`${name}.pull('library/${expected}`)
    }
  })

  test('images of this machine as they are now', async () => {
    expect(await completed("client.get('lib")).toBe("client.get('library/busybox:latest")
    current.images = async () => [{ name: 'library/new', tag: '1', path: '/y.simg' }]
    expect(await completed("client.get('lib")).toBe("client.get('library/new:1")
  })

  test('a hundred of many, and says how many more', async () => {
    repositories = async () => Array.from({ length: 130 }, (_, i) => `${i}`)
    const [candidates] = await completer.complete("client.layers('")
    expect(candidates).toHaveLength(101)
    expect(candidates.at(-1)).toBe('(30 more)')
  })

  test('without running a getter', async () => {
    expect((await completer.complete('sample.'))[0]).toEqual(['loaded', 'plain'])
    expect((await completer.complete('sample.loaded.'))[0]).toEqual([])
    expect(touched).toEqual([])
  })
})

test('a second Tab after the bracket shows the signature, the first does not', async () => {
  await completer.complete('client.pull(')
  expect(signatures).toEqual([])
  await completer.complete('client.pull(')
  expect(signatures).toEqual([expect.stringMatching(/^pull\(/)])
})

describe('a registry that is out of order', () => {
  let timers: NodeJS.Timeout[]
  beforeEach(() => {
    timers = []
  })
  afterEach(() => timers.forEach(clearTimeout))

  async function timed(line: string): Promise<[Completion, number]> {
    const startedAt = performance.now()
    const completion = await completer.complete(line)
    return [completion, performance.now() - startedAt]
  }

  test('and does not answer keeps nobody waiting longer than 300 ms', async () => {
    repositories = () =>
      new Promise((resolve) => {
        timers.push(setTimeout(resolve, 20_000))
      })
    const [[candidates], elapsedMs] = await timed("client.pull('lib")
    expect(candidates).toEqual([])
    expect(elapsedMs).toBeGreaterThan(200)
    expect(elapsedMs).toBeLessThan(450)
  })

  test('and answers late has its answer told with the line that asked', async () => {
    let answer: (rows: readonly unknown[]) => void = () => undefined
    repositories = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    expect((await completer.complete("client.pull('lib"))[0]).toEqual([])
    answer([{ name: 'library/busybox' }])
    await expect.poll(() => late).toEqual(["client.pull('lib"])
    expect(await completed("client.pull('lib")).toBe("client.pull('library/busybox")
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('403'))],
    [
      'throws',
      () => {
        throw new Error('no region')
      },
    ],
  ])('and %s offers nothing and says nothing', async (_, answer) => {
    repositories = answer
    expect((await completer.complete("client.pull('lib"))[0]).toEqual([])
  })
})
