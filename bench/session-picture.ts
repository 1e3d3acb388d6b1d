/**
 * The picture of a session in the README: a real run of the shell in a real terminal (tmux), against a
 * local ECR, written as SVG. `npx tsc -p tsconfig.bench.json && node bench/.out/session-picture.js`; with
 * `--out FILE` into another file, to compare it with the one that is there.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'bin/sregistry.js')
const { values } = parseArgs({ options: { out: { type: 'string' } } })
const target = values.out ?? join(root, 'repl-history/session.svg')
const columns = 110
const rows = 40
/** A fixed name, as it is to be seen in the picture. */
const home = join(tmpdir(), 'you')
const socket = `sregistry-picture-${process.pid}`

const statements = [
  "image = client.pull('library/busybox')",
  'image',
  "client.layers('library/busybox')",
  "client.search('hello')",
  "client.pul('science/hello:1.1')",
  "client.pull('science/helo')",
  '!ls -sh $image',
]

type Cell = { readonly text: string; readonly style: string }

async function drawSession(): Promise<void> {
  mkdirSync(home) // fails when it is there: somebody else's
  const args = [program, 'local-ecr', '--seed', '--root', join(home, 'ecr')]
  const ecr = spawn(process.execPath, args)
  try {
    await record(await firstOutput(ecr.stdout))
    writeFileSync(target, svg(tmux('capture-pane', '-p', '-e').trimEnd().split('\n')))
  } finally {
    ecr.kill('SIGTERM')
    tmux('kill-server')
    rmSync(home, { recursive: true, force: true })
  }
}

async function firstOutput(output: AsyncIterable<unknown>): Promise<string> {
  for await (const chunk of output) return String(chunk)
  throw new Error('the local ECR did not start')
}

async function record(settings: string): Promise<void> {
  const env = `${settings.replaceAll('export ', '').trim().split('\n').join(' ')} HOME=${home}`
  const line = `env -u CI -u NO_COLOR LANG=C.UTF-8 SREGISTRY_CLIENT=aws ${env} ${process.execPath} ${program} shell`
  tmux('-u', '-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, line)
  await prompt(1)
  for (const [i, statement] of statements.entries()) {
    tmux('send-keys', '-l', '--', statement)
    tmux('send-keys', 'Enter')
    await prompt(i + 2)
  }
}

/** Waits until the prompt has come that often and nothing is typed after the last. */
async function prompt(count: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const screen = tmux('capture-pane', '-p').trimEnd()
    const prompts = screen.match(/^aws:us-east-1>/gm)?.length ?? 0
    if (prompts >= count && screen.endsWith('aws:us-east-1>')) return
    await delay(20)
  }
  throw new Error(`no prompt:\n${tmux('capture-pane', '-p')}`)
}

function tmux(...args: readonly string[]): string {
  return execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' })
}

const colours: { readonly [code: string]: string } = {
  31: '#f7768e',
  32: '#9ece6a',
  33: '#e0af68',
  34: '#7aa2f7',
  35: '#bb9af7',
  36: '#7dcfff',
}

/** The parts of a line between the colour sequences (SGR) that tmux gives back. */
function cells(line: string): readonly Cell[] {
  const escapeMark = String.fromCharCode(27)
  let style = ''
  return line.split(new RegExp(`${escapeMark}\\[([\\d;]*)m`)).flatMap((part, i) => {
    if (i % 2 === 0) return part === '' ? [] : [{ text: part, style }]
    for (const code of part === '' ? ['0'] : part.split(';')) style = styleAfter(style, code)
    return []
  })
}

function styleAfter(style: string, code: string): string {
  if (code === '0') return ''
  if (code === '1') return `${style} font-weight="bold"`
  if (code === '2') return `${style} opacity="0.6"`
  const colour = colours[code]
  return colour === undefined ? style : `${style.replace(/ fill="[^"]*"/, '')} fill="${colour}"`
}

function svg(lines: readonly string[]): string {
  const [charWidth, lineHeight, margin] = [8.4, 18, 16]
  const width = columns * charWidth + 2 * margin
  const height = lines.length * lineHeight + 2 * margin
  const text = lines.map((line, row) => {
    let column = 0
    const parts = cells(line).map((cell) => {
      const x = margin + column * charWidth
      const length = [...cell.text].length
      column += length
      return `<tspan x="${x.toFixed(1)}" textLength="${(length * charWidth).toFixed(1)}"${cell.style}>${escaped(cell.text)}</tspan>`
    })
    return `<text y="${margin + (row + 0.75) * lineHeight}" xml:space="preserve">${parts.join('')}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#c0caf5">`,
    '<title>A session in the shell of sregistry</title>',
    `<rect width="100%" height="100%" rx="8" fill="#1a1b26"/>`,
    ...text,
    '</svg>\n',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

await drawSession()
process.stdout.write(`${target}\n`)
