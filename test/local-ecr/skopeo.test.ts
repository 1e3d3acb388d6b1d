/** skopeo, which we did not write, copies images in and out of the emulator. */
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasTool } from '../fakes/tools.ts'
import { run, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
let credentials: string
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true })
  const parameter = (await local.authorization()).replace('Basic ', '')
  credentials = Buffer.from(parameter, 'base64').toString()
})
afterAll(() => local.close())

const image = (name: string) => `docker://${local.ecr.registryHost}/${name}`

async function skopeo(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: local.root, XDG_RUNTIME_DIR: local.root }
  return (await run('skopeo', args, { env })).stdout
}

async function skopeoFailure(...args: string[]): Promise<string> {
  return skopeo(...args).then(
    (stdout) => `no failure: ${stdout}`,
    (error: { stderr: string }) => error.stderr,
  )
}

describe.skipIf(!hasTool('skopeo'))('skopeo', () => {
  test('inspects an image', async () => {
    const access = ['--tls-verify=false', '--creds', credentials]
    const output = JSON.parse(await skopeo('inspect', ...access, image('science/hello:1.1')))
    expect(output).toMatchObject({
      Labels: { 'org.opencontainers.image.version': '1.1' },
      RepoTags: ['1.0', '1.1'],
    })
  })

  test('lists all tags over several pages', async () => {
    local.ecr.settings.pageSize = 25
    const access = ['--tls-verify=false', '--creds', credentials]
    const output = JSON.parse(await skopeo('list-tags', ...access, image('science/nightly')))
    local.ecr.settings.pageSize = 1000
    expect(output.Tags).toHaveLength(121)
  })

  test.each([
    ['library/busybox:latest', 'team/busybox'],
    ['library/multi:latest', 'team/multi'],
  ])('copies %s out and in again, unchanged', async (source, repositoryName) => {
    await local.client.send(new CreateRepositoryCommand({ repositoryName }))
    const directory = `dir:${local.root}/${repositoryName.replace('/', '-')}`
    const out = ['--all', '--src-tls-verify=false', '--src-creds', credentials]
    await skopeo('copy', '-q', ...out, image(source), directory)
    const back = ['--all', '--dest-tls-verify=false', '--dest-creds', credentials]
    await skopeo('copy', '-q', ...back, directory, image(`${repositoryName}:copy`))
    const [name = '', tag = ''] = source.split(':')
    const before = await (await local.fetch(`/v2/${name}/manifests/${tag}`)).text()
    const after = await (await local.fetch(`/v2/${repositoryName}/manifests/copy`)).text()
    expect(after).toBe(before)
  })

  test('is refused without a login, with an expired one, and to a missing repository', async () => {
    const source = image('library/busybox:latest')
    const anonymous = await skopeoFailure('inspect', '--tls-verify=false', '--no-creds', source)
    expect(anonymous).toContain('unauthorized')
    const to = ['--dest-tls-verify=false', '--dest-creds', credentials]
    const from = ['--src-tls-verify=false', '--src-creds', credentials]
    const missing = await skopeoFailure('copy', ...from, ...to, source, image('team/none:1'))
    expect(missing).toContain("The repository with name 'team/none' does not exist")
    local.ecr.expireTokens()
    const access = ['--tls-verify=false', '--creds', credentials]
    const expired = await skopeoFailure('inspect', ...access, source)
    expect(expired).toContain('Your authorization token has expired. Reauthenticate and try again.')
  })
})
