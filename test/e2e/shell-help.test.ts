/** What the shell explains, and what it says to what cannot be meant, in a real terminal. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { prompt, ShellTerminal } from '../fakes/shell-terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let shell: ShellTerminal

beforeEach(() => {
  shell = new ShellTerminal()
})

afterEach(() => shell[Symbol.dispose]())

const terminals: ReadonlyArray<
  readonly [string, { columns?: number; env?: Record<string, string> }]
> = [
  ['in 40 columns', { columns: 40 }],
  ['in 200 columns', { columns: 200 }],
  ['in a dumb terminal', { env: { TERM: 'dumb' } }],
  ['without UTF-8', { env: { LANG: 'C', LC_ALL: 'C' } }],
]

describe.skipIf(!hasTool('tmux'))('help', () => {
  test.each(['client.pull?', '?client.pull', 'help(client.pull)', '.help pull', 'client.pull'])(
    '%s shows usage, options and an example',
    async (typed) => {
      const terminal = await shell.start()
      terminal.enter(typed)
      const screen = await terminal.until(/example: .*\naws:us-east-1>$/)
      expect(screen).toMatch(/^client\.pull\(reference \| \[references\], \{ name, /m)
      expect(screen).toMatch(/^ {2}downloads an image and makes a Singularity image of it$/m)
      expect(screen).toMatch(/^ {4}format +form of the image file \(squashfs, sif\)$/m)
      expect(screen).toContain("example: image = client.pull('library/busybox:latest')")
    },
  )

  test.each(terminals)('%s names every option', async (_, start) => {
    const terminal = await shell.start(start)
    terminal.enter('client.pull?')
    const screen = await terminal.until(/example: (?:.*\n)+aws:us-east-1>$/)
    for (const option of ['format', 'compression', 'platform', 'signal']) {
      expect(screen).toMatch(new RegExp(`^ {4}${option}(?: |$)`, 'm'))
    }
    if (start.env !== undefined) expect(screen).not.toMatch(/[^\n -~]/)
  })

  test.each(['.help', 'help()', 'help', '?'])(
    '%s lists what can be done, with examples',
    async (typed) => {
      const terminal = await shell.start({ columns: 120 })
      terminal.enter(typed)
      const screen = await terminal.until(/tells all of one thing\.\naws:us-east-1>$/)
      expect(screen).toMatch(/^ {2}\.use region=eu-west-1 +another client or other settings/m)
      expect(screen).toMatch(/^ {2}client\.pull\? +explains a method or an object$/m)
    },
  )

  test('help(client) lists what a client can do, with an example each', async () => {
    const terminal = await shell.start()
    terminal.enter('help(client)')
    const screen = await terminal.until(/use\(settings\)(?:.*\n)+aws:us-east-1>$/)
    expect(screen).toMatch(
      /^ {2}tags\(repository, .*\n {6}the tags of a repository\n {6}client\.tags\('/m,
    )
  })

  test.each([
    ['.use?', /^\.use \[client\] \[key=value …\]\n {2}another client/m],
    ['sleep?', /^sleep\(seconds\)\n {2}waits; Ctrl-C ends it$/m],
    ['fs.readFileSync?', /^readFileSync\(path, options\)$/m],
    ['rows?', /^a list of 2, each with\n {2}a, b$/m],
    [
      'image?',
      /^an image on this machine\n {4}name +the repository[\s\S]*^ {4}command\(\) +how to run it/m,
    ],
    ['.help image', /^an image on this machine$/m],
    ['.help fs.readFileSync', /^readFileSync\(path, options\)$/m],
    ['word?', /^a string: 'pull'$/m],
  ])('%s is explained', async (typed, seen) => {
    const terminal = await shell.start()
    terminal.enter(
      "rows = [{ a: 1, b: 2 }, { a: 3 }]; word = 'pull'; image = client.pull('library/busybox')",
    )
    await terminal.until(/Success!.*\naws:us-east-1>$/)
    terminal.enter(typed)
    await terminal.until(seen)
    await terminal.until(prompt)
  })
})

describe.skipIf(!hasTool('tmux'))('what cannot be meant', () => {
  test.each([
    ['client.pull()', /error USAGE: client\.pull\(\) needs a reference as text/],
    ['client.pull(42)', /error USAGE: client\.pull\(\) needs a reference as text/],
    ["client.pull('x', 'y')", /error USAGE: client\.pull\(\) takes its options as an object/],
    ["client.pull('x', { forse: true })", /no option forse; did you mean force\?/],
  ])('%s gets the usage line', async (typed, seen) => {
    const terminal = await shell.start({ columns: 120 })
    terminal.enter(typed)
    const screen = await terminal.until(/example: .*\naws:us-east-1>$/)
    expect(screen).toMatch(seen)
    expect(screen).toMatch(/^ {2}hint: usage: client\.pull\(reference \| \[references\], /m)
  })

  test.each([
    ['client.pul', 'there is no client.pul; did you mean client.pull?'],
    ["client.pul('x')", /client\.pul is not a function\n(?:.*\n)*.*did you mean client\.pull\?/],
    ['cliet.pull', /cliet is not defined\n(?:.*\n)*.*did you mean client\?/],
    ['.imges', 'no such command .imges; did you mean .images?'],
    ['.pull x', 'no such command .pull; did you mean client.pull()?'],
    ['.help pul', 'no help for pul; did you mean pull?'],
    ['client.pul?', 'no help for client.pul; did you mean client.pull?'],
    ['.use regoin=eu-west-1', 'there is no setting regoin; did you mean region?'],
    [
      '.use SREGISTRY_AWS_ZOEN=x',
      'no setting SREGISTRY_AWS_ZOEN; did you mean SREGISTRY_AWS_ZONE?',
    ],
    ['.use dockr', 'there is no client dockr; did you mean docker?'],
    ['.use region', 'region is a setting: .use region=VALUE'],
    ["client.use({ regoin: 'x' })", 'there is no setting regoin; did you mean region?'],
  ])('%s is asked about: %s', async (typed, seen) => {
    const terminal = await shell.start({ columns: 120 })
    terminal.enter(typed)
    await terminal.until(seen)
    await terminal.until(prompt)
  })
})

describe.skipIf(!hasTool('tmux'))('the greeting', () => {
  const lessons = (screen: string): readonly string[] =>
    screen.split('\n').filter((line) => line.startsWith('  '))

  test('teaches in three lines, once', async () => {
    const first = await shell.start({ quiet: false })
    expect(lessons(first.screen())).toEqual([
      "  client.pull('library/busybox')  makes an image; Tab completes, Ctrl-C cancels",
      '  client.repositories()           what the registry has; client.pull? explains',
      '  .doctor                         why something fails; .help for the rest',
    ])
    first.enter('1 + 1')
    await first.until(/^2$/m)
    first.enter('exit')
    await first.until('exit code 0')
    first.close()
    const second = await shell.start({ quiet: false })
    expect(lessons(second.screen())).toEqual([])
    expect(second.screen()).toContain('.help for commands, help(client) for the API')
  })

  test('is broken between words in 40 columns', async () => {
    const terminal = await shell.start({ quiet: false, columns: 40 })
    expect(lessons(terminal.screen()).join('\n')).toBe(
      [
        "  client.pull('library/busybox')",
        '      makes an image; Tab completes,',
        '      Ctrl-C cancels',
        '  client.repositories()',
        '      what the registry has;',
        '      client.pull? explains',
        '  .doctor',
        '      why something fails;',
        '      .help for the rest',
      ].join('\n'),
    )
  })
})
