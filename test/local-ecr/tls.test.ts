/** https on all three listeners: clients that trust the authority get through, others do not. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { makePrivateAuthority, type PrivateAuthority } from '../fakes/certificate.ts'
import { hasTool } from '../fakes/tools.ts'

describe.skipIf(!hasTool('openssl'))('with a certificate', () => {
  let work: string
  let authority: PrivateAuthority
  let ecr: LocalEcr
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'local-ecr-tls-'))
    authority = makePrivateAuthority(work, ['layers.test'])
    const root = join(work, 'ecr')
    ecr = await startLocalEcr({ root, tls: authority, blobHost: 'layers.test' })
  })
  afterAll(async () => {
    await ecr.close()
    await rm(work, { recursive: true, force: true })
  })

  const statusOf = (url: string, ca?: string) =>
    new Promise<number | string | undefined>((resolve) => {
      const asked = request(url, { ca, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)).end()
    })

  test('everything that reaches it says https', () => {
    expect(ecr.apiUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(ecr.blobUrl).toMatch(/^https:\/\/layers\.test:\d+$/)
    expect(ecr.environment).toMatchObject({
      AWS_ENDPOINT_URL_ECR: ecr.apiUrl,
      SREGISTRY_AWS_NOHTTPS: 'false',
    })
  })

  test('who trusts its authority is asked to log in, who does not breaks off', async () => {
    const url = `https://${ecr.registryHost}/v2/`
    expect(await statusOf(url, await readFile(authority.bundle, 'utf8'))).toBe(401)
    expect(await statusOf(url)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('a certificate that is none, or of another key, is a setting to mend', async () => {
    const other = { cert: authority.cert, key: 'no key' }
    await expect(startLocalEcr({ root: join(work, 'other'), tls: other })).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      hint: expect.stringContaining('PEM'),
    })
  })
})
