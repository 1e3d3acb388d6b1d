/** The emulator's honesty: the real `aws` command meets it and says what it says of ECR. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Principal } from '../../src/local-ecr/principal.ts'
import { hasTool } from '../fakes/tools.ts'
import { run, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true })
})
afterAll(() => local.close())

async function aws(args: string, principal?: Principal): Promise<string> {
  const env = local.awsEnvironment(principal)
  const all = ['--endpoint-url', local.ecr.apiUrl, '--output', 'json', ...args.split(' ')]
  return (await run('aws', all, { env })).stdout
}

/** What `aws` prints when it fails. */
async function awsFailure(args: string, principal?: Principal): Promise<string> {
  const outcome = await aws(args, principal).then(
    (stdout) => `no failure: ${stdout}`,
    (error: { stderr: string }) => error.stderr.trim(),
  )
  return outcome
}

describe.skipIf(!hasTool('aws'))('the aws command', () => {
  test('gets a password that opens the data plane', async () => {
    const password = (await aws('ecr get-login-password')).trim()
    const authorization = `Basic ${btoa(`AWS:${password}`)}`
    const response = await fetch(`http://${local.ecr.registryHost}/v2/`, {
      headers: { authorization },
    })
    expect(response.status).toBe(200)
  })

  test('lists all repositories, page by page', async () => {
    const before = local.ecr.requests.length
    const output = JSON.parse(await aws('ecr describe-repositories --page-size 2'))
    expect(output.repositories).toHaveLength(5)
    expect(local.ecr.requests.length - before).toBe(3)
  })

  test('lists all images of a repository with more than one page', async () => {
    const output = JSON.parse(await aws('ecr list-images --repository-name science/nightly'))
    expect(output.imageIds).toHaveLength(121)
  })

  test('reads an image and describes it', async () => {
    const id = '--repository-name library/busybox --image-ids imageTag=latest'
    const [read, described] = await Promise.all([
      aws(`ecr batch-get-image ${id}`),
      aws(`ecr describe-images ${id}`),
    ])
    const { images, failures } = JSON.parse(read)
    expect(JSON.parse(images[0].imageManifest).layers).toHaveLength(2)
    expect(failures).toEqual([])
    expect(JSON.parse(described).imageDetails[0].imageTags).toEqual(['latest'])
  })

  test('creates and deletes a repository', async () => {
    const name = '--repository-name team/by-aws'
    const created = JSON.parse(await aws(`ecr create-repository ${name}`))
    expect(created.repository.repositoryUri).toBe(`${local.ecr.registryHost}/team/by-aws`)
    expect(await awsFailure(`ecr create-repository ${name}`)).toContain(
      '(RepositoryAlreadyExistsException)',
    )
    await aws(`ecr delete-repository ${name}`)
    expect(await awsFailure(`ecr list-images ${name}`)).toContain(
      "An error occurred (RepositoryNotFoundException) when calling the ListImages operation: The repository with name 'team/by-aws' does not exist in the registry with id '123456789012'",
    )
  })

  test('archives an image, which is then listed when asked for alone, and restores it', async () => {
    const name = '--repository-name science/hello'
    const archive = (target: string) =>
      aws(
        `ecr update-image-storage-class ${name} --image-id imageTag=1.0 --target-storage-class ${target}`,
      )
    const tags = async (filter = '') => {
      const { imageIds } = JSON.parse(await aws(`ecr list-images ${name}${filter}`))
      return imageIds.map((id: { imageTag: string }) => id.imageTag)
    }
    const read = async () => {
      const output = await aws(`ecr batch-get-image ${name} --image-ids imageTag=1.0`)
      return JSON.parse(output).failures
    }
    expect(JSON.parse(await archive('ARCHIVE')).imageStatus).toBe('ARCHIVED')
    expect(await tags()).toEqual(['1.1'])
    expect(await tags(' --filter imageStatus=ARCHIVED')).toEqual(['1.0'])
    expect(await read()).toMatchObject([{ failureCode: 'ImageInaccessible' }])
    expect(JSON.parse(await archive('STANDARD')).imageStatus).toBe('ACTIVE')
    expect(await tags()).toEqual(['1.0', '1.1'])
    expect(await read()).toEqual([])
  })

  test('knows who it is', async () => {
    expect(JSON.parse(await aws('sts get-caller-identity'))).toMatchObject({
      Account: '123456789012',
      Arn: 'arn:aws:iam::123456789012:user/local',
    })
  })

  test('takes a role, which is a caller of its own until its time is over', async () => {
    const take = 'sts assume-role --role-arn arn:aws:iam::123456789012:role/lab/puller'
    const { Credentials: keys, AssumedRoleUser: user } = JSON.parse(
      await aws(`${take} --role-session-name me --duration-seconds 900`),
    )
    const role = {
      accessKeyId: keys.AccessKeyId,
      secretAccessKey: keys.SecretAccessKey,
      sessionToken: keys.SessionToken,
      arn: user.Arn,
    }
    expect(JSON.parse(await aws('sts get-caller-identity', role)).Arn).toBe(
      'arn:aws:sts::123456789012:assumed-role/puller/me',
    )
    expect((await aws('ecr get-login-password', role)).length).toBeGreaterThan(100)
    local.ecr.addPrincipal({ ...role, expiresAtMs: Date.now() })
    expect(await awsFailure('ecr get-login-password', role)).toContain('(ExpiredTokenException)')
    const withCode = `${take} --role-session-name me --serial-number arn:aws:iam::123456789012:mfa/me --token-code`
    expect(JSON.parse(await aws(`${withCode} 123456`)).Credentials.AccessKeyId).toMatch(/^ASIA/)
    expect(await awsFailure(`${withCode} abcdef`)).toContain(
      '(AccessDenied) when calling the AssumeRole operation: MultiFactorAuthentication failed',
    )
    expect(
      await awsFailure('sts assume-role --role-arn arn:aws:iam::1:user/x --role-session-name me'),
    ).toContain('(ValidationError)')
  })

  test('says which credential is wrong', async () => {
    const { user } = local.ecr
    const over = {
      ...user,
      accessKeyId: 'ASIAOVER',
      sessionToken: 'over',
      expiresAtMs: Date.now() - 1000,
    }
    local.ecr.addPrincipal(over)
    const failures = await Promise.all([
      awsFailure('ecr describe-registry', { ...user, secretAccessKey: 'wrong' }),
      awsFailure('ecr describe-registry', { ...user, accessKeyId: 'AKIAUNKNOWN' }),
      awsFailure('ecr describe-registry', over),
      awsFailure('sts get-caller-identity', { ...user, secretAccessKey: 'wrong' }),
    ])
    const names = failures.map((text) => /An error occurred \((\w+)\)/.exec(text)?.[1] ?? text)
    expect(names).toEqual([
      'InvalidSignatureException',
      'UnrecognizedClientException',
      'ExpiredTokenException',
      'SignatureDoesNotMatch',
    ])
  })

  test('says what it may not do, and that its clock is wrong', async () => {
    const undo = local.ecr.policy.deny({ action: 'GetAuthorizationToken', reason: 'explicit' })
    const denied = await awsFailure('ecr get-login-password').finally(undo)
    expect(denied).toContain('(AccessDeniedException)')
    expect(denied).toContain('with an explicit deny')
    local.ecr.settings.clockOffsetSeconds = 600
    const skewed = await awsFailure('ecr describe-registry')
    local.ecr.settings.clockOffsetSeconds = 0
    expect(skewed).toContain('(InvalidSignatureException)')
    expect(skewed).toContain('Signature expired: ')
  })

  test('says that it is throttled', async () => {
    const undo = local.ecr.faults.add({ listener: 'api', fault: { kind: 'throttle' } })
    const failure = await awsFailure('ecr describe-registry').finally(undo)
    expect(failure).toContain('(ThrottlingException)')
    expect(failure).toContain('Rate exceeded')
  })
})
