/** The commands that look into a registry, and what scripts read of them, against the local ECR. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { type Ended, runProgram } from '../fakes/program.ts'
import { hasTool } from '../fakes/tools.ts'

let root: string
let ecr: LocalEcr
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sregistry-commands-'))
  ecr = await startLocalEcr({ root: join(root, 'ecr'), seed: true })
})
beforeEach(() => {
  ecr.faults.clear()
  ecr.policy.clear()
})
afterAll(async () => {
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})

type Variables = Readonly<Record<string, string>>

/** Runs the program, and looks for the key pair in all that it printed. */
async function sregistry(args: readonly string[], more: Variables = {}): Promise<Ended> {
  const env = { HOME: root, LANG: 'C.UTF-8', AWS_EC2_METADATA_DISABLED: 'true' }
  const ended = await runProgram(args, { env: { ...env, ...ecr.environment, ...more } })
  const all = ended.stdout + ended.stderr
  for (const secret of [ecr.user.accessKeyId, ecr.user.secretAccessKey, ...Object.values(more)]) {
    if (secret.length > 15) expect(all).not.toContain(secret)
  }
  return ended
}

const linesOf = ({ stdout }: Ended) => stdout.trimEnd().split('\n')

describe('doctor', () => {
  test('is a checklist with evidence and sources, exit code 0', async () => {
    const ended = await sregistry(['doctor', 'library/busybox'])
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    const marks = linesOf(ended).filter((line) => /^[✓✗·] /.test(line))
    expect(marks.map((line) => line[0]).join('')).toBe('✓✓✓✓✓✓✓✓✓')
    expect(ended.stdout).toContain('region: environment SREGISTRY_AWS_ZONE')
    expect(linesOf(ended).at(-1)).toBe('everything that was looked at works')
  })

  test('a rung that failed says how to mend it, exit code 1', async () => {
    const ended = await sregistry(['doctor'], { SREGISTRY_AWS_SECRET: 'PlantedSecretPlanted' })
    expect(ended.exitCode).toBe(1)
    expect(ended.stdout).toMatch(/^✗ token .*secret key.*\n(?:.*\n)?\s+hint: enter the pair again/m)
    expect(ended.stdout).toMatch(/^· registry endpoint +not tried: token failed$/m)
    expect(linesOf(ended).at(-1)).toBe('failed: token')
  })

  test('--json is one document with stable keys', async () => {
    const ended = await sregistry(['doctor', 'library/busybox', '--json'])
    const report = JSON.parse(ended.stdout)
    expect(Object.keys(report)).toEqual(['healthy', 'rungs', 'fixed'])
    expect(report.rungs).toHaveLength(9)
    expect(report.rungs[3]).toMatchObject({ rung: 4, key: 'token', name: 'token', status: 'ok' })
  })

  test('--quiet prints the result alone', async () => {
    const ended = await sregistry(['--quiet', 'doctor'])
    expect(linesOf(ended)).toEqual(['everything that was looked at works'])
  })

  test('a reference that is none is wrong usage', async () => {
    expect((await sregistry(['doctor', 'Library/Busybox'])).exitCode).toBe(2)
  })
})

describe('token', () => {
  test('--raw prints the password alone, which opens /v2/ by curl as in the guide', async () => {
    const { stdout, stderr } = await sregistry(['token', '--raw'])
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^\S{100,}\n$/), ''])
    if (!hasTool('curl')) return
    const url = `http://${ecr.registryHost}/v2/library/busybox/tags/list`
    const curl = ['-s', '-u', `AWS:${stdout.trimEnd()}`, url]
    const answer = await promisify(execFile)('curl', curl)
    expect(JSON.parse(answer.stdout)).toMatchObject({ tags: ['latest'] })
  })

  test('is masked otherwise, with its end', async () => {
    const ended = await sregistry(['token'])
    expect(ended.stdout).toMatch(/^password +\*\*\*\*$/m)
    expect(ended.stdout).toMatch(/^expires at +\d{4}-\d\d-\d\dT/m)
    expect(ended.stdout).not.toMatch(/\S{100}/)
  })
})

describe('what scripts read', () => {
  test.each([
    [
      ['repositories', 'library/*'],
      ['library/busybox', 'library/debian-tools', 'library/multi'],
    ],
    [['tags', 'library/busybox'], ['latest']],
    [['policy', 'create', '--json'], [expect.stringMatching(/^\{"Version":"2012-10-17",.*\}$/)]],
  ])('%j', async (args, expected) => {
    const ended = await sregistry(args)
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(linesOf(ended)).toEqual(expected)
  })

  test('whoami --json', async () => {
    const { stdout } = await sregistry(['whoami', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      account: '123456789012',
      provider: 'environment SREGISTRY_AWS_KEY',
      keyId: `AKIA…${ecr.user.accessKeyId.slice(-4)}`,
    })
  })

  test('search gives references that pull takes', async () => {
    const [uri = ''] = linesOf(await sregistry(['search', 'busybox']))
    expect((await sregistry(['--quiet', 'pull', uri])).stdout).toMatch(
      /library-busybox:latest\.simg\n$/,
    )
  })

  test('describe shows an image’s facts, a repository’s images', async () => {
    const image = await sregistry(['describe', 'library/busybox:latest'])
    expect(image.stdout).toMatch(/^platform +linux\/amd64$/m)
    expect(image.stdout).toMatch(/^pushed at +\d{4}-/m)
    const repository = await sregistry(['describe', 'library/busybox'])
    expect(repository.stdout).toMatch(
      /^DIGEST +SIZE +PUSHED +TAGS\nsha256:[0-9a-f]{64} .* latest$/m,
    )
    expect(image.stderr + repository.stderr).toBe('')
  })

  test('ping and create', async () => {
    expect((await sregistry(['ping'])).stdout).toBe(
      `${ecr.registryHost} answers and takes the credentials\n`,
    )
    const uri = `${ecr.registryHost}/lab/new`
    expect((await sregistry(['create', 'lab/new'])).stdout).toBe(`[repository][new] ${uri}\n`)
    expect((await sregistry(['create', 'lab/new'])).stdout).toBe(`[repository][same] ${uri}\n`)
  })

  test('an error is one JSON document too', async () => {
    const ended = await sregistry(['--json', 'tags', 'library/busybx'])
    expect(ended.exitCode).toBe(1)
    expect(JSON.parse(ended.stdout)).toEqual({
      error: {
        code: 'NAME_UNKNOWN',
        message: expect.stringContaining('library/busybx'),
        hint: 'did you mean library/busybox?',
      },
    })
  })

  test('who may pull but not browse is told so, with the policy that mends it', async () => {
    ecr.policy.deny({ action: 'DescribeRepositories' })
    const ended = await sregistry(['repositories'])
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error ACCESS_DENIED: cannot browse repositories: /)
    expect(ended.stderr).toMatch(/^ {2}hint: .*sregistry policy browse/m)
    expect((await sregistry(['--quiet', 'pull', 'library/busybox'])).exitCode).toBe(0)
  })
})

describe('--registry-id', () => {
  const commands = [['repositories'], ['tags', 'science/hello'], ['search', 'hello']]
  const all = [...commands, ['describe', 'science/hello'], ['create', 'team/by-account']]

  test.each(all)('%s asks the registry of that account', async (...args) => {
    const own = await sregistry([...args, '--registry-id', ecr.accountId])
    expect(own).toMatchObject({ exitCode: 0, stderr: '' })
    const other = await sregistry([...args, '--registry-id', '999999999999'])
    expect(other.exitCode).toBe(1)
    expect(other.stderr).toContain('arn:aws:ecr:us-east-1:999999999999:repository/')
  })

  test('means nothing to a registry that has no accounts', async () => {
    const ended = await sregistry(['tags', 'docker://library/busybox', '--registry-id', '1'])
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toContain('the docker client cannot look into the registry of an AWS')
  })
})

test.each([
  [['doctor', '--create'], '--create has no repository to create'],
  [['policy', 'push', '--cross-account', '210987654321'], '--cross-account is for pulling'],
])('%j would do nothing of what it says, and is refused', async (args, says) => {
  const ended = await sregistry(args)
  expect(ended.exitCode).toBe(2)
  expect(ended.stderr).toContain(says)
})
