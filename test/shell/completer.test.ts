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
let calls: ClientCalls
let late: string[]
let variables: Record<string, string>

beforeAll(() => {
  calls = new ClientCalls()
  const session = createSessionClient(client as unknown as ShellClient, calls)
  Object.defineProperty(globalThis, 'client', { configurable: true, value: session })
  Object.defineProperty(globalThis, 'listed', { configurable: true, value: [{ only: 1 }] })
  Object.defineProperty(globalThis, 'sample', {
    configurable: true,
    value: {
      plain: 1,
      nested: { inside: 1 },
      add: (a: number, b = { c: 1 }) => a + b.c,
      get loaded() {
        touched.push('getter')
        return {}
      },
    },
  })
})

afterAll(() => {
  for (const name of ['client', 'sample', 'listed']) Reflect.deleteProperty(globalThis, name)
})

beforeEach(() => {
  late = []
  variables = { PATH: '', HOME: '/home/u', image: '/x.simg' }
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
    methodOf: (value) => calls.methodOf(value),
    variables: () => variables,
    onLate: (line) => late.push(line),
  })
}

/** The whole line with its only candidate in place. */
async function completed(line: string): Promise<string> {
  const { candidates, prefix, insertion } = await completer.complete(line)
  if (candidates.length !== 1) return `${candidates.length} candidates`
  return line.slice(0, line.length - prefix.length) + insertion
}

async function offered(line: string): Promise<readonly string[]> {
  return (await completer.complete(line)).candidates.map(({ name }) => name)
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
    ['listed[0].onl', 'listed[0].only'],
    ["sample['nested'].ins", "sample['nested'].inside"],
    ['.use region=eu-n', '.use region=eu-north-1'],
    ['.use docker SREGISTRY_CLIENT=nv', '.use docker SREGISTRY_CLIENT=nvidia'],
    ['.use SREGISTRY_DISABLE=y', '.use SREGISTRY_DISABLE=yes'],
    ["client.use({ region: 'sa", "client.use({ region: 'sa-east-1"],
    ["help('lay", "help('layers"],
    ['awai', 'await'],
    ['!ls $im', '!ls $image'],
    ['!ls "$im', '!ls "$image'],
    ["!ls '$im", '0 candidates'],
    ['!ls $' + '{im', '!ls $' + '{image}'],
    ['!echo $HO', '!echo $HOME'],
    ['!clie', '!client'],
    ['!client.lay', '!client.layers'],
    ["require('node:worker_th", "require('node:worker_threads"],
    ["require('worker_th", "require('worker_threads"],
    ["require('no", "require('node:"],
    ["fs = await import('node:fs/pro", "fs = await import('node:fs/promises"],
    ["import { sep } from 'path/po", "import { sep } from 'path/posix"],
  ])('%s', async (line, expected) => {
    expect(await completed(line)).toBe(expected)
  })

  test('files and directories, in paths and after .load', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sregistry-tab-'))
    try {
      mkdirSync(join(directory, 'scripts'))
      writeFileSync(join(directory, 'tour.session'), '')
      expect(await completed(`.load ${directory}/to`)).toBe(`.load ${directory}/tour.session`)
      const storage = `.use SREGISTRY_STORAGE=${directory}/`
      expect(await completed(`${storage}sc`)).toBe(`${storage}scripts/`)
      writeFileSync(join(directory, 'config'), '[profile lab-admin]\n')
      variables = { AWS_CONFIG_FILE: join(directory, 'config') }
      expect(await completed('.use profile=la')).toBe('.use profile=lab-admin')
      expect(await completed("client.use({ profile: 'la")).toBe("client.use({ profile: 'lab-admin")
      expect(await completed(`require('${directory}/sc`)).toBe(`require('${directory}/scripts/`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('files in a command line, with what is special in their names quoted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sregistry-tab-'))
    try {
      mkdirSync(join(directory, 'my images'))
      writeFileSync(join(directory, 'my images', "b'x.simg"), '')
      const escaped = `!ls -l ${directory}/my\\ images/`
      expect(await completed(`!ls -l ${directory}/my`)).toBe(escaped)
      expect(await completed(escaped)).toBe(`${escaped}b\\'x.simg`)
      const quoted = `!ls "${directory}/my images/`
      expect(await completed(quoted)).toBe(`${quoted}b'x.simg`)
      variables = { BASE: directory }
      expect(await completed('!ls $BASE/my\\ images/b')).toBe("!ls $BASE/my\\ images/b\\'x.simg")
      writeFileSync(join(directory, 'lister'), '')
      variables = { PATH: `/no/such:${directory}` }
      expect(await completed('!lis')).toBe('!lister')
      expect(await completed('!echo a | lis')).toBe('!echo a | lister')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('modules that have no name without `node:` by that alone', async () => {
    expect(await offered("require('node:tes")).toContain('node:test')
    expect(await offered("require('tes")).toEqual([])
  })

  test('the values of an option with their quotes; where there are none, names', async () => {
    expect(await offered("client.pull('x', { format: ")).toEqual(["'sif'", "'squashfs'"])
    expect(await offered("client.pull('x', { name: ")).toContain('client')
  })

  test('names of tags that could move the cursor are never offered', async () => {
    const candidates = await offered("client.pull('science/hello:")
    expect(candidates).toEqual(['science/hello:1.0', 'science/hello:1.1'])
    expect(asked).toEqual(['science/hello'])
  })

  test('what was used often comes first', async () => {
    completer = open({ 'science/hello': 3 })
    const candidates = await offered("client.layers('")
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
    const { candidates, more } = await completer.complete("client.layers('")
    expect(candidates).toHaveLength(100)
    expect(more).toBe(30)
  })

  test('without running a getter', async () => {
    expect(await offered('sample.')).toEqual(['add', 'loaded', 'nested', 'plain'])
    expect(await offered('sample.loaded.')).toEqual([])
    expect(touched).toEqual([])
  })
})

describe('beside a candidate stands', () => {
  const image = {
    name: 'library/busybox',
    digest: 'sha256:8',
    path: '/x.simg',
    command: () => ['singularity run /x.simg'],
  }
  beforeAll(() => Object.defineProperty(globalThis, 'img', { configurable: true, value: image }))
  afterAll(() => void Reflect.deleteProperty(globalThis, 'img'))

  test.each([
    ['client.lay', 'layers(reference, {…})', 'the layers of an image with their sizes'],
    ['client.use().lay', 'layers(reference, {…})', 'the layers of an image with their sizes'],
    ['img.com', 'command()', 'how to run it, one command a line'],
    ['img.pat', undefined, 'where the file lies'],
    ["client.pull('x').dig", undefined, expect.stringContaining('digest of its manifest')],
    ["client.tags('x').fla", 'flat()', undefined],
    ['sample.ad', 'add(a, b = { c: 1 })', undefined],
    ['parseIn', 'parseInt(…)', undefined],
    ['process.env.SREGISTRY_TMP', undefined, expect.stringMatching(/./)],
    ['.use reg', undefined, 'AWS region'],
    ["client.pull('x', { form", undefined, 'form of the image file'],
    ['.imag', 'images [query]', 'the images on this machine'],
    ['.help lay', 'layers(reference, {…})', 'the layers of an image with their sizes'],
  ])('%s: %s, %s', async (line, signature, summary) => {
    const { candidates } = await completer.complete(line)
    const [first] = candidates
    expect(first?.signature).toEqual(signature)
    expect(first?.summary).toEqual(summary)
  })
})

test.each([
  ['client.pull(', /^client\.pull\(reference \| \[references\], \{ name, /, /^downloads an image/],
  ['sample.add(', /^add\(a, b = \{ c: 1 \}\)$/, undefined],
  ['Math.max(', /^max\(…\)$/, undefined],
])('right after the bracket of %s stands how the call goes', async (line, signature, summary) => {
  const { call, candidates } = await completer.complete(line)
  expect(call?.signature).toMatch(signature)
  if (summary !== undefined) expect(call?.summary).toMatch(summary)
  expect(candidates).toEqual([])
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
    const [{ candidates }, elapsedMs] = await timed("client.pull('lib")
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
    expect(await offered("client.pull('lib")).toEqual([])
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
    expect(await offered("client.pull('lib")).toEqual([])
  })
})
