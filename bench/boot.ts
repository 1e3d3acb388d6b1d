/**
 * How long the shell takes to its prompt, beside a bare `node -i`: both in a pseudo-terminal (`script`
 * of util-linux), one after the other in turn, medians. Run by itself:
 * `node bench/.out/boot.js [NODE…]`, with other Node binaries to measure on.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bothCertificates, type Certificates, certificateSettings } from './certificates.ts'

export type Boot = {
  readonly node: string
  readonly bareMs: number
  readonly shellMs: number
  /** Shell to bare; the bar is `bootBar`. */
  readonly ratio: number
}

/** DESIGN § 10. */
export const bootBar = 1.25

const patienceMs = 5000

const program = resolve(import.meta.dirname, '../../bin/sregistry.js')

export type BootOptions = {
  /** The Node binary that runs both. */
  readonly node: string
  readonly certificates: Certificates
  /** Default 25. */
  readonly rounds?: number
}

export async function measureBoot(options: BootOptions): Promise<Boot> {
  const { node, certificates, rounds = 25 } = options
  const home = await mkdtemp(join(tmpdir(), 'sregistry-boot-'))
  try {
    const bare: number[] = []
    const shell: number[] = []
    for (let i = 0; i < rounds + 2; i++) {
      const times = [
        await timeToPrompt([node, '-i'], home, certificates),
        await timeToPrompt([node, program, 'shell'], home, certificates),
      ] as const
      if (i < 2) continue // the first reads files into the page cache
      bare.push(times[0])
      shell.push(times[1])
    }
    const [bareMs, shellMs] = [median(bare), median(shell)]
    return { node: await versionOf(node), bareMs, shellMs, ratio: shellMs / bareMs }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** Milliseconds until the prompt appears, which readline draws after `CSI J`; the program is then ended. */
function timeToPrompt(
  command: readonly string[],
  home: string,
  certificates: Certificates,
): Promise<number> {
  const line = command.map((word) => `'${word}'`).join(' ')
  const { PATH } = process.env
  const env = {
    ...certificateSettings(certificates),
    PATH,
    HOME: home,
    TERM: 'xterm',
    LANG: 'C.UTF-8',
  }
  const startedAt = performance.now()
  const child = spawn('script', ['-qefc', `exec ${line}`, '/dev/null'], {
    env: { ...env, SREGISTRY_AWS_ZONE: 'us-east-1' },
    cwd: home,
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  })
  let seen = ''
  let promptAt: number | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
    if (promptAt !== undefined || !/J[\w:-]*> /.test(seen)) return
    promptAt = performance.now()
    child.kill('SIGKILL') // the terminal goes away, and with it (SIGHUP) what runs in it
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', () => {
      if (promptAt === undefined) fail(new Error(`no prompt of ${line}:\n${seen}`))
      else done(promptAt - startedAt)
    })
  })
}

async function versionOf(node: string): Promise<string> {
  const child = spawn(node, ['--version'])
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return text.trim()
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function formatBoot({ node, bareMs, shellMs, ratio }: Boot): string {
  const verdict = ratio <= bootBar ? 'within' : 'over'
  return `${node.padEnd(10)} node -i ${bareMs.toFixed(1)} ms, shell ${shellMs.toFixed(1)} ms: ${ratio.toFixed(2)} × (${verdict} the bar of ${bootBar})`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const nodes = process.argv.slice(2)
  for (const node of nodes.length > 0 ? nodes : [process.execPath]) {
    for (const certificates of bothCertificates) {
      const measured = await measureBoot({ node, certificates })
      process.stdout.write(`${formatBoot(measured)} ${certificates}\n`)
    }
  }
}
