/** A profile that needs a code of an MFA device, in the shell: asked for at the prompt, once a call. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeAws, startFakeAws } from '../aws/fake-aws.ts'
import { mfaProfile } from '../fakes/mfa-profile.ts'
import { program, runProgram } from '../fakes/program.ts'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'
import { startTemporaryEcr, type TemporaryEcr } from '../local-ecr/temporary-ecr.ts'

const role = {
  accessKeyId: 'ASIATESTROLE12345678',
  secretAccessKey: 'role-secret-planted-4711',
  sessionToken: 'role-session-token-planted-4712',
  expiration: new Date(Date.now() + 3600_000).toISOString(),
}
let home: string
let world: TemporaryEcr
let aws: FakeAws
let env: Readonly<Record<string, string>>
let terminal: Terminal | undefined

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'shell-mfa-'))
  world = await startTemporaryEcr({})
  world.ecr.addPrincipal({ ...role, arn: 'arn:aws:sts::123456789012:assumed-role/lab/me' })
  aws = await startFakeAws(role)
  await mkdir(join(home, '.aws'))
  await writeFile(join(home, '.aws', 'config'), mfaProfile)
  env = {
    HOME: home,
    LANG: 'C.UTF-8',
    AWS_PROFILE: 'lab',
    AWS_REGION: world.ecr.region,
    AWS_ENDPOINT_URL_ECR: world.ecr.apiUrl,
    AWS_ENDPOINT_URL_STS: aws.url,
    SREGISTRY_AWS_BASE: `http://${world.ecr.registryHost}`,
  }
})
afterEach(async () => {
  terminal?.close()
  terminal = undefined
  await aws.close()
  await world.close()
  await rm(home, { recursive: true, force: true })
})

async function openShell(...args: readonly string[]): Promise<Terminal> {
  const command = [process.execPath, program, 'shell', '--quiet', ...args]
  terminal = Terminal.open({ command, env, columns: 120 })
  return terminal
}

const question = /code of the MFA device arn:aws:iam::123456789012:mfa\/me: $/
const atQuestion = new RegExp(question.source.replace(': $', ':$')) // screens end without blanks
const prompt = /aws:us-east-1>$/

describe.skipIf(!hasTool('tmux'))('in a terminal', () => {
  test('the code is asked for once, taken, and in no history', async () => {
    const shell = await openShell()
    await shell.until(prompt)
    shell.enter('await client.whoami()')
    await shell.until(atQuestion)
    shell.type('12345')
    shell.press('BSpace')
    shell.enter('56')
    const screen = await shell.until(/profile lab[\s\S]*aws:us-east-1>$/)
    expect(screen).toContain('mfa/me: 123456')
    expect(aws.asked).toEqual(['STS AssumeRole with code 123456'])
    shell.enter('await client.ping()')
    await shell.until(/client\.ping\(\)[\s\S]*aws:us-east-1>$/)
    expect(aws.asked).toHaveLength(1)
    shell.enter('.exit')
    await shell.until('exit code 0')
    const history = readFileSync(join(home, '.local/state/sregistry/history'), 'utf8')
    expect(history).toContain('client.ping()')
    expect(history).not.toContain('123456')
  })

  test('Ctrl-C at the question leaves the session as it was, and the next call asks again', async () => {
    const shell = await openShell()
    await shell.until(prompt)
    shell.enter("await client.pull('library/busybox')")
    await shell.until(atQuestion)
    shell.type('99')
    shell.press('C-c')
    await shell.until(/cancelled[\s\S]*aws:us-east-1>$/)
    shell.enter('1 + 41')
    await shell.until(/\n42\naws:us-east-1>$/)
    shell.enter('.doctor')
    await shell.until(atQuestion)
    shell.enter('654321')
    await shell.until(/storage, cache and database[\s\S]*aws:us-east-1>$/)
    expect(aws.asked).toEqual(['STS AssumeRole with code 654321'])
  })

  test('a code that is refused is not asked for again in the same call', async () => {
    aws.stsError = { code: 'AccessDenied', message: 'MultiFactorAuthentication failed' }
    const shell = await openShell()
    await shell.until(prompt)
    shell.enter('await client.whoami()')
    await shell.until(atQuestion)
    shell.enter('000000')
    await shell.until(/error [A-Z_]+[\s\S]*aws:us-east-1>$/)
    expect(aws.asked).toEqual(['STS AssumeRole with code 000000'])
  })

  test('a script that a terminal runs asks there too', async () => {
    const shell = await openShell('-e', 'await client.ping()')
    await shell.until(atQuestion)
    shell.enter('123456')
    await shell.until('exit code 0')
    expect(aws.asked).toEqual(['STS AssumeRole with code 123456'])
  })
})

test('a script without a terminal says what is missing and what to do', async () => {
  const args = ['shell', '-e', 'await client.whoami()']
  const { exitCode, stdout, stderr } = await runProgram(args, { env })
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toMatch(
    /error CREDENTIALS_MISSING: profile lab needs a code of the MFA device arn:aws:iam::123456789012:mfa\/me\n {2}hint: run it on a terminal, where it asks for the code; for a script export the keys of a session: aws sts get-session-token/,
  )
  expect(aws.asked).toEqual([])
  expect(existsSync(join(home, '.local/state/sregistry/history'))).toBe(false)
})
