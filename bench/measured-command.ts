/** Runs a command as a whole process and says what it cost, by GNU time. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Cost = {
  readonly seconds: number
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number
  readonly residentMiB: number
}

export type CommandOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** @throws {Error} when the command fails, with what it wrote to stderr. */
export function measure(command: readonly string[], options: CommandOptions = {}): Cost {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const report = join(scratch, 'time')
    const started = process.hrtime.bigint()
    const run = spawnSync('/usr/bin/time', ['-o', report, '-f', '%U %S %M', ...command], {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    const seconds = Number(process.hrtime.bigint() - started) / 1e9
    if (run.status !== 0)
      throw new Error(`${command.join(' ')}: ${run.stderr || String(run.error)}`)
    const [user = 0, system = 0, resident = 0] = readFileSync(report, 'utf8')
      .split(/\s+/)
      .map(Number)
    return { seconds, cpuSeconds: user + system, residentMiB: resident / 1024 }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The run with the median wall time; what runs before each one is not measured. */
export function median(runs: number, prepare: () => void, run: () => Cost): Cost {
  const costs: Cost[] = []
  for (let i = 0; i < runs; i += 1) {
    prepare()
    costs.push(run())
  }
  return middleOf(costs)
}

/** Of several runs of the same the one with the median wall time. */
export function middleOf(runs: readonly Cost[]): Cost {
  const costs = [...runs].sort((a, b) => a.seconds - b.seconds)
  const middle = costs[Math.floor(costs.length / 2)]
  if (middle === undefined) throw new RangeError('no runs')
  return middle
}
