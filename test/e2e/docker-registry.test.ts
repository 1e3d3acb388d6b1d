import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasTool } from '../fakes/tools.ts'
import { World } from './sregistry.ts'

const modulesLog = pathToFileURL(resolve(import.meta.dirname, '../fakes/modules-log.mjs')).href
const hasBoth = hasTool('docker-registry') && hasTool('skopeo')

describe.skipIf(!hasBoth)('docker:// against a registry we did not write', () => {
  let world: World
  let registry: ChildProcess
  let host: string

  beforeAll(async () => {
    world = await World.start()
    host = `127.0.0.1:${await freePort()}`
    registry = await startRegistry(world.directory, host)
    const layout = await ociLayout(world)
    execFileSync('skopeo', [
      ...['copy', '-q', '--dest-tls-verify=false'],
      ...[`oci:${layout}:latest`, `docker://${host}/library/busybox:latest`],
    ])
  })
  afterAll(async () => {
    registry?.kill()
    await world[Symbol.asyncDispose]()
  })

  test('an image is pulled, and the second pull finds it', async () => {
    const reference = `docker://${host}/library/busybox`
    const first = await world.run(['pull', reference])
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^\[client\|docker\] /)
    expect((await world.run(['pull', reference])).stdout).toContain('[container][same]')
  })

  test('a small image is pulled without loading undici, which takes as long as all the rest', async () => {
    const log = join(world.directory, 'modules.log')
    const env = { MODULES_LOG: log, NODE_OPTIONS: `--import=${modulesLog}` }
    const { code } = await world.run(
      ['pull', '--no-cache', '--name', 'small.simg', `docker://${host}/library/busybox`],
      { env },
    )
    expect(code).toBe(0)
    const loaded = readFileSync(log, 'utf8')
    expect(loaded).toContain('/dist/program/build-image.cjs')
    expect(loaded).not.toContain('/undici/')
  })

  test('tags, manifest and layers look before pulling', async () => {
    const reference = `docker://${host}/library/busybox`
    expect((await world.run(['tags', reference])).stdout).toBe('latest\n')
    const manifest = JSON.parse((await world.run(['manifest', reference])).stdout)
    const layers = JSON.parse((await world.run(['layers', '--json', reference])).stdout)
    expect(layers.map((one: { digest: string }) => one.digest)).toEqual(
      manifest.layers.map((one: { digest: string }) => one.digest),
    )
  })
})

/** The seeded image as an OCI layout, copied out of the local ECR by skopeo. */
async function ociLayout(world: World): Promise<string> {
  const layout = join(world.directory, 'oci')
  const authorization = (await world.ecr.authorization()).replace(/^Basic /, '')
  const credentials = Buffer.from(authorization, 'base64').toString()
  const source = `docker://${world.ecr.ecr.registryHost}/library/busybox:latest`
  const copy = ['copy', '-q', '--src-tls-verify=false', '--src-creds', credentials]
  const child = spawn('skopeo', [...copy, source, `oci:${layout}:latest`])
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`skopeo ended with ${code}`)
  return layout
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function startRegistry(directory: string, host: string): Promise<ChildProcess> {
  const config = join(directory, 'registry.yml')
  const storage = `storage: { filesystem: { rootdirectory: ${join(directory, 'registry')} } }`
  writeFileSync(config, `version: 0.1\n${storage}\nhttp: { addr: ${host} }\n`)
  const registry = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    registry.stderr.on('data', (chunk: Buffer) => {
      if (chunk.includes('listening on')) resolve()
    })
    registry.once('exit', (code) => reject(new Error(`docker-registry ended with ${code}`)))
  })
  return registry
}
