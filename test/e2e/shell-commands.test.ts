/** Each command of the prompt, driven through a real terminal: keys in, screen out. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ShellStart, ShellTerminal, fakeShell as shell } from '../fakes/shell-terminal.ts'
import type { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'

let opened: ShellTerminal
let home: string
let terminal: Terminal

beforeEach(() => {
  opened = new ShellTerminal()
  home = opened.home
})

afterEach(() => opened[Symbol.dispose]())

async function start(options: ShellStart = {}): Promise<void> {
  terminal = await opened.start(options)
}

/** @returns The screen, once what was typed has been answered and the prompt is back. */
async function answer(line: string): Promise<string> {
  terminal.press('C-l')
  await terminal.until(/^\S+>$/)
  terminal.enter(line)
  return terminal.until(/^\S+> .*\n(?:.*\n)*[\w-]+:[\w.-]+>$/)
}

/** Takes the terminal over as vi does: another screen, single keys, Ctrl-X to write and leave. */
const screenEditor = `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs')
const path = process.argv[2]
let text = readFileSync(path, 'utf8')
const draw = () => process.stdout.write('\\x1b[2J\\x1b[Heditor:' + text.replaceAll('\\n', '\\r\\n'))
process.stdout.write('\\x1b[?1049h')
process.stdin.setRawMode(true)
process.stdin.on('data', (keys) => {
  for (const key of String(keys)) {
    if (key === '\\x18') {
      writeFileSync(path, text)
      process.stdout.write('\\x1b[?1049l')
      process.exit()
    }
    text = key === '\\x03' ? '' : text + key.replace('\\r', '\\n')
  }
  draw()
})
draw()
`

function writeProgram(name: string, text: string): string {
  const path = join(home, name)
  writeFileSync(path, text, { mode: 0o755 })
  return path
}

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test('an unknown command is told from its neighbour', async () => {
    await start()
    terminal.enter('.imges')
    await terminal.until('no such command .imges; did you mean .images?')
  })

  test('.exit leaves with its code', async () => {
    await start()
    terminal.enter('.exit 3')
    await terminal.until('exit code 3')
  })

  test('Ctrl-D leaves with the exit code that was set', async () => {
    await start()
    await answer('process.exitCode = 3')
    terminal.press('C-d')
    await terminal.until('exit code 3')
  })

  test('!command gets the terminal, and the last image in $image', async () => {
    await start()
    terminal.enter("client.pull('library/busybox').size")
    await terminal.until('2200000')
    terminal.enter("client.get ? 0 : image = client.pull('library/busybox')")
    terminal.enter('!echo "it is $image"; exit 4')
    await terminal.until(/it is .*library-busybox:latest\.simg\nexit code 4\naws/)
  })

  test('.edit opens the last statement in $EDITOR and runs what is left there', async () => {
    const editor = join(home, 'editor')
    writeFileSync(editor, '#!/bin/sh\nsed -i s/20/40/ "$1"\n', { mode: 0o755 })
    await start({ env: { EDITOR: editor } })
    terminal.enter('20 + 2')
    await terminal.until(/^22$/m)
    terminal.enter('.edit')
    await terminal.until(/40 \+ 2\n42\naws:us-east-1>$/)
    terminal.press('Up')
    await terminal.until(/> 40 \+ 2$/)
    terminal.press('C-c')
    const file = join(home, 'edited.session')
    terminal.enter(`.save ${file}`)
    await terminal.until('saved to')
    expect(readFileSync(file, 'utf8')).toContain('us-east-1> 40 + 2\n42\n')
    expect(readFileSync(file, 'utf8')).not.toContain('.edit')
  })

  test('.history finds statements, not itself and not their numbers', async () => {
    await start()
    terminal.enter("'one'")
    terminal.enter("'two'")
    terminal.enter('.history two')
    await terminal.until(/^ {3}2 {2}'two'\naws:us-east-1>$/m)
    terminal.enter('.history 1')
    await terminal.until(/> \.history 1\naws:us-east-1>$/)
  })

  test('.use changes client and prompt', async () => {
    await start()
    terminal.enter('.use region=eu-west-1')
    await terminal.until(/\[client\|aws\].*\n(.*\n)*aws:eu-west-1>$/)
  })

  test('.edit hands the terminal to an editor that takes it over, and has it back after', async () => {
    await start({ env: { EDITOR: writeProgram('editor', screenEditor) } })
    await answer('20 + 2')
    terminal.enter('.edit')
    await terminal.until(/^editor:20 \+ 2$/)
    terminal.press('C-c') // the editor's own
    terminal.type('x = 6 * 7')
    await terminal.until('editor:x = 6 * 7')
    terminal.press('C-x')
    await terminal.until(/> \.edit\nx = 6 \* 7\n42\naws:us-east-1>$/)
    expect(await answer('x + 1')).toContain('\n43\n')
  })

  test.each([
    ['exit 1', '', 'ended with exit code 1'],
    [': > "$1"', '', '> .edit\naws'],
    ['true', ' 1', "> .edit 1\n'first'\n'first'\naws"],
    ['true', ' 9', 'there is no statement 9; .history lists them'],
  ])('.edit with an editor that does %s%s', async (does, argument, seen) => {
    await start({ env: { EDITOR: writeProgram('editor', `#!/bin/sh\n${does}\n`) } })
    await answer("'first'")
    await answer("'second'")
    expect(await answer(`.edit${argument}`)).toContain(seen)
  })

  test('.edit with an editor that is not there says how to name another', async () => {
    await start({ env: { EDITOR: 'no-such-editor' } })
    await answer('1')
    expect(await answer('.edit')).toMatch(/exit code 127\n {2}hint: name one that is there/)
  })

  test('.images lists what is here, or what has a word in its name', async () => {
    await start({ columns: 120 })
    expect(await answer('.images')).toContain('\nno images\n')
    await answer("client.pull('library/busybox')")
    expect(await answer('.images')).toMatch(/^NAME +.*SIZE +PULLED +PATH\nlibrary\/busybox:latest/m)
  })

  test('.json prints data until it is off again', async () => {
    await start({ columns: 200 })
    await answer('.json on')
    expect(await answer("client.tags('library/busybox')")).toContain('\n["1.36","1.37","latest"]\n')
    expect(await answer('client')).toContain('\n{"name":"aws","place":"us-east-1","database":')
    expect(await answer("client.pull('nope')")).toMatch(/^\{"error":\{"code":"NAME_UNKNOWN"/m)
    await answer('.json off')
    expect(await answer("client.tags('library/busybox')")).toMatch(/^1\.36 +1\.37 +latest$/m)
    expect(await answer('.json')).toContain('error USAGE: .json is on or off')
  })

  test('.time tells how long each statement took', async () => {
    await start()
    await answer('.time on')
    expect(await answer('sleep(0.2)')).toMatch(/> sleep\(0\.2\)\n2\d\d ms\naws/)
    await answer('.time off')
    expect(await answer('1')).toMatch(/> 1\n1\naws/)
  })

  test('.error shows the stack and the causes of the last error', async () => {
    await start({ columns: 200 })
    expect(await answer('.error')).toContain('no error so far')
    await answer("client.pull('nope')")
    expect(await answer('.error')).toMatch(
      /^SregistryError: repository "nope" is not in the fake registry\n {4}at /m,
    )
  })

  test('.clear clears the screen and keeps the names', async () => {
    await start()
    await answer('kept = 41')
    terminal.enter('.clear')
    await terminal.until(/^aws:us-east-1>$/)
    expect(await answer('kept + 1')).toContain('\n42\n')
    expect(await answer('.clear all')).toContain('error USAGE: .clear stands alone')
  })

  test('.load runs a script here, its file named as in other shells', async () => {
    writeFileSync(join(home, 'my tour.js'), 'const loaded = 6\nprint(loaded)\nmissing()\n')
    await start()
    expect(await answer('.load ~/my tour.js')).toMatch(/^6\nmy tour\.js:3: ReferenceError/m)
    expect(await answer('.load "~/my tour.js"')).toMatch(/^6\nmy tour\.js:3: ReferenceError/m)
    expect(await answer('loaded')).toContain('\n6\n')
    expect(await answer('.load /dev/tty')).toContain('/dev/tty is no file')
    expect(await answer('.load ~/gone.js')).toMatch(/error STORAGE: \/.*gone\.js could not be read/)
  })

  test('what .save wrote, .load runs again', async () => {
    await start()
    await answer('n = 20')
    await answer('missing()')
    await answer('n = n + 1')
    for (const [file, typed] of [
      ['again.js', 'n = 20\nn = n + 1\n'],
      ['again.session', undefined],
    ] as const) {
      expect(await answer(`.save ~/${file}`)).toContain('saved to')
      if (typed !== undefined) expect(readFileSync(join(home, file), 'utf8')).toBe(typed)
      await answer('n = 0')
      const screen = await answer(`.load ~/${file}`)
      if (typed === undefined) expect(screen).toContain('again.session:2: ReferenceError')
      else expect(await answer('n')).toContain('\n21\n')
    }
    expect(await answer('.save /nowhere/x.js')).toContain('error NOT_WRITABLE: /nowhere/x.js')
  })

  test('.break gives up a statement of several lines', async () => {
    await start()
    terminal.enter('f(')
    await terminal.until(/> f\(\n.*[.|] *$/)
    terminal.enter('.break')
    await terminal.until(/\.break\naws:us-east-1>$/)
    expect(await answer('typeof f')).toContain("\n'undefined'\n")
  })

  test('.use takes a client and settings at once; what makes no sense leaves the prompt', async () => {
    await start()
    await answer('.use docker region="eu-west-1"')
    await terminal.until(/\ndocker:eu-west-1>$/)
    for (const [typed, seen] of [
      ['.use', '.use takes one client, settings, or both'],
      ['.use eu-west-2', 'eu-west-2 is a region: .use region=eu-west-2'],
      ['.use quay.io', 'quay.io is a registry: .use docker registry=quay.io'],
    ] as const) {
      const screen = await answer(typed)
      expect(screen).toContain(seen)
      expect(screen).toMatch(/\ndocker:eu-west-1>$/)
    }
  })

  test('!command has the whole terminal: its Ctrl-C, its exit code, its questions', async () => {
    await start()
    expect(await answer('!test -t 0 && test -t 1 && echo tty')).toContain('\ntty\n')
    terminal.enter('!echo who; read -r name; echo "<$name>"')
    await terminal.until(/^who$/m)
    terminal.enter('you')
    await terminal.until(/^<you>\naws:us-east-1>$/m)
    terminal.enter('!echo waits; sleep 60')
    await terminal.until(/^waits$/m)
    terminal.press('C-c')
    await terminal.until(/exit code 130\naws:us-east-1>$/)
    expect(await answer('!')).toContain('! needs a command')
  })

  test('$image is the image that was pulled last, in a loop or for a part of it too', async () => {
    await start()
    expect(await answer('!echo "<$image>"')).toContain('\n<>\n')
    await answer("client.pull('library/busybox').size")
    expect(await answer('!echo $image')).toMatch(/^\/\S+library-busybox:latest\.simg$/m)
    await answer("client.pull(['library/busybox', 'library/alpine']).length")
    expect(await answer('!echo $image')).toMatch(/^\/\S+library-alpine:latest\.simg$/m)
    await answer("for (const one of ['science/numpy']) client.pull(one)")
    expect(await answer('!echo $image')).toMatch(/^\/\S+science-numpy:latest\.simg$/m)
  })

  test('.save writes a session that --check accepts, and no secret', async () => {
    await start()
    terminal.enter("image = client.pull('library/busybox')")
    terminal.enter("x = { token: 'hunter2hunter2' }.token.length")
    terminal.enter('image.digest')
    const file = join(home, 'tour.session')
    terminal.enter(`.save ${file}`)
    await terminal.until('saved to')
    expect(existsSync(file)).toBe(true)
    const text = readFileSync(file, 'utf8')
    expect(text).not.toContain('hunter2')
    expect(text).toContain("'sha256:[hex64]'")
    const args = [shell, '--check', file]
    execFileSync(process.execPath, args, { env: { ...process.env, HOME: home } })
    writeFileSync(file, text.replace("'sha256:[hex64]'", "'sha1:[hex64]'"))
    expect(() =>
      execFileSync(process.execPath, args, { env: { ...process.env, HOME: home }, stdio: 'pipe' }),
    ).toThrow(/sha1/)
  })
})
