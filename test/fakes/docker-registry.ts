/** Debian's docker-registry, which we did not write, on a free loopback port over a directory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'

export type DockerRegistry = {
  /** `127.0.0.1:port` */
  readonly host: string
  close(): Promise<void>
}

export async function startDockerRegistry(directory: string): Promise<DockerRegistry> {
  mkdirSync(directory, { recursive: true })
  const host = `127.0.0.1:${await freePort()}`
  const config = join(directory, 'config.yml')
  const storage = `{filesystem: {rootdirectory: ${join(directory, 'storage')}}}`
  writeFileSync(config, `{version: 0.1, storage: ${storage}, http: {addr: '${host}'}}`)
  const child = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('listening on')) resolve()
    })
    child.once('exit', () => reject(new Error(`docker-registry ended: ${log.slice(-500)}`)))
  })
  return {
    host,
    close: async () => {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
