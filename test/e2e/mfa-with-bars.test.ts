/** A session that ends in mid-pull: the code of the MFA device is asked for while bars are on the screen. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeAws, startFakeAws } from '../aws/fake-aws.ts'
import { mfaProfile } from '../fakes/mfa-profile.ts'
import { program } from '../fakes/program.ts'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'
import { startTemporaryEcr, type TemporaryEcr } from '../local-ecr/temporary-ecr.ts'

const role = {
  accessKeyId: 'ASIATESTROLE12345678',
  secretAccessKey: 'role-secret-planted-4711',
  sessionToken: 'role-session-token-planted-4712',
  expiration: '',
}
let home: string
let world: TemporaryEcr
let aws: FakeAws
let terminal: Terminal | undefined

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mfa-bars-'))
  world = await startTemporaryEcr({ seed: true })
  world.ecr.addPrincipal({ ...role, arn: 'arn:aws:sts::123456789012:assumed-role/lab/me' })
  aws = await startFakeAws(role)
  await mkdir(join(home, '.aws'))
  await writeFile(join(home, '.aws', 'config'), mfaProfile)
})
afterEach(async () => {
  terminal?.close()
  terminal = undefined
  await aws.close()
  await world.close()
  await rm(home, { recursive: true, force: true })
})

function open(...args: readonly string[]): Terminal {
  const env = {
    HOME: home,
    LANG: 'C.UTF-8',
    AWS_PROFILE: 'lab',
    AWS_REGION: world.ecr.region,
    AWS_ENDPOINT_URL_ECR: world.ecr.apiUrl,
    AWS_ENDPOINT_URL_STS: aws.url,
    SREGISTRY_AWS_BASE: `http://${world.ecr.registryHost}`,
  }
  terminal = Terminal.open({ command: [process.execPath, program, ...args], env, columns: 120 })
  return terminal
}

const atQuestion = /^code of the MFA device arn:aws:iam::123456789012:mfa\/me:$/m
const bars = /total +[█░#.-]+ +\d+ % +[1-9]\d* KiB/

test.skipIf(!hasTool('tmux'))(
  'the doctor asks on a line of its own, and goes on below it',
  async () => {
    const screen = open('doctor')
    await screen.until(atQuestion)
    role.expiration = new Date(Date.now() + 3_600_000).toISOString()
    screen.enter('111111')
    const whole = await screen.until(/everything that was looked at works/)
    expect(whole).toMatch(/^code of the MFA device \S+: 111111$/m)
    expect(whole).not.toContain('looking')
  },
)

describe.skipIf(!hasTool('tmux')).each([
  ['a pull', ['pull', 'library/busybox', 'science/hello:1.0']],
  ['a script of the shell', ['shell', '-e', "await client.pull('library/busybox')"]],
  ['the shell', ['shell', '--quiet']],
] as const)('%s', (_, args) => {
  test('asks on a line of its own, which stays until it is answered', async () => {
    const screen = open(...args)
    if (args[1] === '--quiet') {
      await screen.until(/aws:us-east-1>$/)
      screen.enter("await client.pull('library/busybox')")
    }
    // each layer comes slowly and breaks off: the new request finds its token over
    world.ecr.faults.add({ operation: 'Download', fault: { kind: 'slow', bytesPerSecond: 20_000 } })
    world.ecr.faults.add({ operation: 'Download', fault: { kind: 'reset', afterBytes: 120_000 } })
    await screen.until(atQuestion)
    // the SDK renews what has five minutes left
    role.expiration = new Date(Date.now() + 304_000).toISOString()
    screen.enter('111111')
    await screen.until(bars)
    world.ecr.expireTokens()
    await screen.until(/(mfa\/me:[\s\S]*){2}$/)
    screen.type('2222')
    await screen.until(/mfa\/me: 2222$/)
    // time for every bar to be drawn once more, if it were
    const seen = []
    for (let look = 0; look < 30; look++) seen.push(screen.screen())
    screen.press('Enter')
    for (const one of seen) {
      expect(one).toMatch(/^code of the MFA device \S+: 2222$/m)
      expect(one).not.toContain('total ')
    }
    world.ecr.faults.clear()
    await screen.until(/Success! /)
    expect(aws.asked.slice(0, 2)).toEqual([
      'STS AssumeRole with code 111111',
      'STS AssumeRole with code 2222',
    ])
  })
})
