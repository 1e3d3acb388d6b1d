/** The history of several shells of one user, each in a terminal of its own. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { prompt, ShellTerminal } from '../fakes/shell-terminal.ts'
import type { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let first: ShellTerminal
let others: ShellTerminal[]

beforeEach(() => {
  first = new ShellTerminal()
  others = []
})

afterEach(() => {
  for (const shell of [first, ...others]) shell[Symbol.dispose]()
})

/** Another shell of the same user. */
function startAnother(): Promise<Terminal> {
  const shell = new ShellTerminal()
  others.push(shell)
  return shell.start({ env: { HOME: first.home } })
}

const statements = (): readonly string[] =>
  readFileSync(first.historyFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly s: string }).s)

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test('two shells at once lose nothing of each other; a third has it all', async () => {
    const one = await first.start()
    const two = await startAnother()
    one.enter("'one'")
    await one.until(/^'one'\naws/m)
    two.type('for (const x of [2]) {\r  print(x)\r}\r')
    await two.until(/^2\naws/m)
    one.enter("'three'")
    await one.until(/^'three'\naws/m)
    // each shell's own statements are what Up brings in it
    one.press('Up', 'Up')
    await one.until(/> 'one'$/)
    expect(statements()).toEqual(["'one'", 'for (const x of [2]) {\n  print(x)\n}', "'three'"])
    const three = await startAnother()
    three.press('C-r')
    three.type('const x')
    await three.until(/for \(const x of \[2\]\) \{/)
    three.press('Enter')
    await three.until(/^2\naws:us-east-1>$/m)
  })

  test('a file that others may read is theirs no longer', async () => {
    mkdirSync(dirname(first.historyFile), { recursive: true })
    writeFileSync(first.historyFile, '{"t":1,"s":"\'before\'"}\n')
    chmodSync(first.historyFile, 0o644)
    const terminal = await first.start()
    expect(statSync(first.historyFile).mode & 0o777).toBe(0o600)
    terminal.press('Up')
    await terminal.until(/> 'before'$/)
  })

  test('what shows a secret comes back with Up and is in no later session', async () => {
    const terminal = await first.start()
    const secret = "process.env.AWS_SESSION_TOKEN = 'abc'"
    terminal.enter(secret)
    await terminal.until(/^'abc'\naws/m)
    terminal.enter('!true "https://host/x?X-Amz-Signature=abc"')
    await terminal.until(prompt)
    terminal.enter("'last'")
    await terminal.until(/^'last'\naws/m)
    expect(statements()).toEqual(["'last'"])
    terminal.press('Up', 'Up', 'Up')
    await terminal.until(`> ${secret}`)
  })
})
