/** The real program: started as users start it, against a seeded ECR of the test's own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalEcrOptions } from '../../src/local-ecr/local-ecr.ts'
import { startTemporaryEcr, type TemporaryEcr } from '../local-ecr/temporary-ecr.ts'

export const launcher: string = fileURLToPath(new URL('../../bin/sregistry.js', import.meta.url))

export type Outcome = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Start = {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly input?: string
}

/** An ECR, and the directories of a user who has pulled nothing yet. */
export class World implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'sregistry-e2e-'))
  readonly home: string = join(this.directory, 'home')
  readonly work: string = join(this.directory, 'work')
  readonly ecr: TemporaryEcr

  private constructor(ecr: TemporaryEcr) {
    this.ecr = ecr
    mkdirSync(this.home)
    mkdirSync(this.work)
  }

  static async start(options: Partial<LocalEcrOptions> = { seed: true }): Promise<World> {
    return new World(await startTemporaryEcr(options))
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      TMPDIR: this.directory,
      ...this.ecr.ecr.environment,
    }
  }

  get storage(): string {
    return join(this.home, '.singularity', 'shub')
  }

  run(args: readonly string[], start: Start = {}): Promise<Outcome> {
    const child = this.spawn(args, start)
    child.stdin?.end(start.input ?? '')
    return outcomeOf(child)
  }

  spawn(args: readonly string[], { env = {}, cwd = this.work }: Start = {}): ChildProcess {
    const whole = Object.entries({ ...this.env, ...env })
    const given = Object.fromEntries(whole.filter(([, value]) => value !== undefined))
    return spawn(process.execPath, [launcher, ...args], { env: given, cwd })
  }

  /** A line of sh, in which `sregistry` is the program. */
  sh(line: string, { env = {}, cwd = this.work }: Start = {}): Promise<Outcome> {
    const script = `sregistry() { "${process.execPath}" "${launcher}" "$@"; }\n${line}`
    const child = spawn('bash', ['-o', 'pipefail', '-c', script], {
      env: { ...this.env, ...env } as NodeJS.ProcessEnv,
      cwd,
    })
    child.stdin.end()
    return outcomeOf(child)
  }

  /** Every file and directory below the home and the working directory. */
  files(): string[] {
    return [this.home, this.work].flatMap((directory) =>
      readdirSync(directory, { recursive: true, encoding: 'utf8' }),
    )
  }

  /** Puts another manifest under library/busybox:latest. */
  async moveTag(): Promise<void> {
    const path = '/v2/library/busybox/manifests/latest'
    const answer = await this.ecr.fetch(path)
    const manifest = (await answer.json()) as object
    const put = await this.ecr.fetch(path, {
      method: 'PUT',
      headers: { 'content-type': answer.headers.get('content-type') ?? '' },
      body: JSON.stringify({ ...manifest, annotations: { moved: 'yes' } }),
    })
    if (put.status !== 201) throw new Error(`the tag could not be moved: ${put.status}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ecr.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    )
  })
}
