/**
 * What a pull of an unchanged image costs beside `node -e 0`: one in turn with the other, medians of
 * wall time. Run by itself: `node bench/.out/repull.js [NODE…]`, with other Node binaries to measure on.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bothCertificates, type Certificates, environmentWith } from './certificates.ts'
import { run, startRegistry } from './loopback-registry.ts'

export type Repull = {
  readonly node: string
  readonly bareMs: number
  readonly pullMs: number
  /** Pull to bare; the bar is `repullBar`. */
  readonly ratio: number
}

/** DESIGN § 10. */
export const repullBar = 4

const program = resolve(import.meta.dirname, '../../bin/sregistry.js')

export type RepullOptions = {
  /** The Node binary that runs both. */
  readonly node: string
  readonly certificates: Certificates
  /** Default 25. */
  readonly rounds?: number
}

/** @param reference Of an image on a loopback registry. */
export function measureRepull(reference: string, options: RepullOptions): Repull {
  const { node, certificates, rounds = 25 } = options
  const home = mkdtempSync(join(tmpdir(), 'sregistry-repull-'))
  const env = { ...environmentWith(certificates), HOME: home }
  try {
    const bare: number[] = []
    const pull: number[] = []
    for (let i = 0; i < rounds + 2; i++) {
      const bareMs = wallMs([node, '-e', '0'], env)
      const pullMs = wallMs([node, program, 'pull', reference], env)
      if (i < 2) continue // the first pulls, the second reads files into the page cache
      bare.push(bareMs)
      pull.push(pullMs)
    }
    const [bareMs, pullMs] = [median(bare), median(pull)]
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
    return { node: version, bareMs, pullMs, ratio: pullMs / bareMs }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function wallMs([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): number {
  const startedAt = performance.now()
  const result = spawnSync(command, args, { env, encoding: 'utf8' })
  const ms = performance.now() - startedAt
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`)
  return ms
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function formatRepull({ node, bareMs, pullMs, ratio }: Repull): string {
  const verdict = ratio <= repullBar ? 'within' : 'over'
  return `${node.padEnd(10)} node -e 0 ${bareMs.toFixed(1)} ms, pull ${pullMs.toFixed(1)} ms: ${ratio.toFixed(2)} × (${verdict} the bar of ${repullBar})`
}

/** An image without layers: an unchanged one is never looked into. */
function emptyLayout(): string {
  const layout = join(mkdtempSync(join(tmpdir(), 'sregistry-layout-')), 'oci')
  run('umoci', ['init', '--layout', layout])
  run('umoci', ['new', '--image', `${layout}:latest`])
  return layout
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const layout = emptyLayout()
  const registry = await startRegistry(layout, ['latest'])
  try {
    const nodes = process.argv.slice(2)
    for (const node of nodes.length > 0 ? nodes : [process.execPath]) {
      for (const certificates of bothCertificates) {
        const options = { node, certificates }
        const measured = measureRepull(`docker://${registry.host}/bench/image:latest`, options)
        process.stdout.write(`${formatRepull(measured)} ${certificates}\n`)
      }
    }
  } finally {
    registry.close()
    rmSync(join(layout, '..'), { recursive: true, force: true })
  }
}
