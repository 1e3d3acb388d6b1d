/** A role that is taken with the keys of another profile: what is refused is told of the profile that has it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

let world: AwsClientWorld
beforeAll(async () => {
  world = await openAwsClientWorld()
  const { accessKeyId, secretAccessKey } = world.ecr.user
  const profile = (name: string, id: string, secret: string) =>
    `[profile ${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`
  const role = (name: string, arn: string, source: string) =>
    `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = ${source}\n`
  const puller = 'arn:aws:iam::123456789012:role/lab/puller'
  await mkdir(join(world.home, '.aws'))
  await writeFile(
    join(world.home, '.aws', 'config'),
    [
      profile('good', accessKeyId, secretAccessKey),
      profile('wrong', accessKeyId, 'not-the-secret'),
      profile('gone', 'AKIAGONEGONEGONEGONE', secretAccessKey),
      role('by-good', puller, 'good'),
      role('by-role', puller, 'by-good'),
      role('by-wrong', puller, 'wrong'),
      role('by-gone', puller, 'gone'),
      role('no-role', 'arn:aws:iam::123456789012:user/me', 'good'),
    ].join(''),
  )
})
beforeEach(() => world.reset())
afterAll(() => world.close())

const as = (profile: string) => ({
  SREGISTRY_AWS_KEY: '',
  SREGISTRY_AWS_SECRET: '',
  AWS_PROFILE: profile,
})

test.each(['by-good', 'by-role'])('%s pulls, and is named', async (profile) => {
  await world.use(async (client) => {
    await client.pull('library/busybox', { force: true })
    expect(await client.whoami()).toMatchObject({
      provider: `profile ${profile} (assumed role)`,
      isTemporary: true,
    })
  }, as(profile))
})

test.each([
  [
    'by-wrong',
    'CREDENTIALS_INVALID',
    /of profile wrong does not/,
    /aws configure --profile wrong$/,
  ],
  ['by-gone', 'CREDENTIALS_INVALID', /key of profile gone/, /get-caller-identity --profile gone$/],
  ['no-role', 'SETTING_INVALID', /does not accept what profile no-role asks for/, /role_arn/],
])('%s is told of the profile that is to be mended', async (profile, code, message, hint) => {
  for (const ask of ['whoami', 'ping'] as const) {
    const error = await world.failure((client) => client[ask](), as(profile))
    expect(error).toMatchObject({ code })
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
  }
})

test('the doctor says that the profile wins over keys of the environment, and the SDK says nothing', async () => {
  const env = { ...as('good'), AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 'x' }
  const report = await world.use(async (client) => client.doctor(), env)
  expect(report.rungs.find(({ key }) => key === 'credentials')).toMatchObject({
    status: 'warning',
    hint: expect.stringContaining('the profile wins'),
  })
  expect(world.warnings).toEqual([])
})
