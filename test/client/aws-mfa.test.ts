import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AwsClient } from '../../src/client/aws-client.ts'
import { ClientContext } from '../../src/client/client-context.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { loadSettings } from '../../src/settings/settings.ts'
import { withEnvironment } from '../aws/process-environment.ts'
import { mfaProfile } from '../fakes/mfa-profile.ts'

let home: string
let ecr: LocalEcr
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aws-mfa-'))
  ecr = await startLocalEcr({ root: join(home, 'ecr') })
})
afterAll(async () => {
  await ecr.close()
  await rm(home, { recursive: true, force: true })
})

test('a code that is refused is asked for once in each call', async () => {
  const config = join(home, 'config')
  await writeFile(config, mfaProfile)
  const env = {
    ...ecr.environment,
    HOME: home,
    SREGISTRY_AWS_KEY: '',
    SREGISTRY_AWS_SECRET: '',
    AWS_CONFIG_FILE: config,
    AWS_PROFILE: 'lab',
    AWS_REGION: 'us-east-1',
  }
  const asked: string[] = []
  const mfaCode = async (serial: string) => {
    asked.push(serial)
    return '123456'
  }
  await withEnvironment(env, async () => {
    const settings = loadSettings({ env, home })
    const client = new AwsClient(new ClientContext({ settings, env, mfaCode }))
    await expect(client.ping()).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' })
    expect(asked).toEqual(['arn:aws:iam::123456789012:mfa/me'])
    await expect(client.ping()).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' })
    expect(asked).toHaveLength(2)
    await client.close()
  })
})

test('a code that is wrong is told as that, and the next one opens the role', async () => {
  const config = join(home, 'config')
  await writeFile(config, mfaProfile)
  ecr.addPrincipal({
    accessKeyId: 'AKIAPLANTEDPLANTED00',
    secretAccessKey: 'PlantedSecret',
    arn: 'arn:aws:iam::123456789012:user/base',
  })
  const own = { SREGISTRY_AWS_KEY: '', SREGISTRY_AWS_SECRET: '' }
  const env = {
    ...ecr.environment,
    ...own,
    HOME: home,
    AWS_CONFIG_FILE: config,
    AWS_PROFILE: 'lab',
  }
  const codes = ['12', '123456']
  const mfaCode = async () => codes.shift() ?? ''
  await withEnvironment(env, async () => {
    const settings = loadSettings({ env, home })
    const client = new AwsClient(new ClientContext({ settings, env, mfaCode }))
    await expect(client.ping()).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: 'AWS refused the code of the MFA device of profile lab',
      hint: expect.stringContaining('run it again with the code that the device shows then'),
    })
    expect(await client.whoami()).toMatchObject({ provider: 'profile lab (assumed role)' })
    await client.close()
  })
})
