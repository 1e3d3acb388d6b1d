/** Debian's docker-registry on a free loopback port, filled from an OCI layout by skopeo. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type LoopbackRegistry = {
  readonly host: string
  /** Pushes a tag of an OCI layout to a repository. */
  readonly push: (layout: string, tag: string, repository: string) => void
  readonly close: () => void
}

export async function startRegistry(
  layout: string,
  tags: readonly string[],
): Promise<LoopbackRegistry> {
  const root = mkdtempSync(join(tmpdir(), 'bench-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  const config = join(root, 'config.yml')
  writeFileSync(config, registryConfig(root, host))
  const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  const close = () => stop(server, root)
  const push = (from: string, tag: string, repository: string) => {
    const target = `docker://${host}/${repository}:${tag}`
    run('skopeo', ['copy', '--dest-tls-verify=false', `oci:${from}:${tag}`, target])
  }
  try {
    await untilItAnswers(host)
    for (const tag of tags) push(layout, tag, 'bench/image')
  } catch (error) {
    close()
    throw error
  }
  return { host, push, close }
}

function registryConfig(root: string, host: string): string {
  return [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${JSON.stringify(root)} } }`,
    `http: { addr: ${JSON.stringify(host)} }`,
    '',
  ].join('\n')
}

function stop(server: ChildProcess, root: string): void {
  server.kill()
  rmSync(root, { recursive: true, force: true })
}

export function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${result.stderr || String(result.error)}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function untilItAnswers(host: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`docker-registry does not answer on ${host}`)
}
