import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EcrControlPlane } from '../../src/aws/ecr-client.ts'
import { metadataTimeoutMs } from '../../src/aws/instance-metadata.ts'
import { createTransport } from '../../src/registry/transport.ts'
import { withEnvironment } from './process-environment.ts'

const machine = (files: Readonly<Record<string, string>>) => (path: string) => {
  const text = files[path]
  if (text === undefined) throw new Error('ENOENT')
  return text
}

describe('the wait for instance metadata', () => {
  test.each([
    ['Nitro', { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n' }, {}, undefined],
    ['Xen', { '/sys/hypervisor/uuid': 'ec2e1916-9099\n' }, {}, undefined],
    ['a cluster', { '/sys/class/dmi/id/sys_vendor': 'Dell Inc.\n' }, {}, 250],
    ['no such files', {}, {}, 250],
    [
      'a named endpoint',
      {},
      { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' },
      undefined,
    ],
    ['a container', {}, { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/x' }, undefined],
  ])('on %s', (_, files, env, expected) => {
    expect(metadataTimeoutMs(env, machine(files))).toBe(expected)
  })

  test('is kept by the SDK when nobody answers there', async () => {
    const home = await mkdtemp(join(tmpdir(), 'aws-imds-'))
    const blackHole = createServer(() => undefined)
    await new Promise<void>((done) => blackHole.listen(0, '127.0.0.1', done))
    const { port } = blackHole.address() as AddressInfo
    const transport = createTransport({ env: {} })
    const env = { HOME: home, AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` }
    try {
      await withEnvironment(env, async () => {
        const plane = new EcrControlPlane({
          region: 'us-east-1',
          transport,
          metadataTimeoutMs: 100,
        })
        const startedAt = performance.now()
        await expect(plane.credentials()).rejects.toMatchObject({ code: 'CREDENTIALS_MISSING' })
        expect(performance.now() - startedAt).toBeLessThan(1500)
        plane.close()
      })
    } finally {
      await transport.close()
      blackHole.close()
      await rm(home, { recursive: true, force: true })
    }
  })
})
