/**
 * The guide that this program replaces, whole: from a home without anything to an image on disk. Once on
 * the command line, once in the shell. Pushing is skopeo's part, with our login.
 */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'
import { launcher, type Outcome, World } from './sregistry.ts'

/** What a user has who was given keys and nothing else: no settings of ours at all. */
const nothing = {
  SREGISTRY_AWS_BASE: undefined,
  SREGISTRY_AWS_ID: undefined,
  SREGISTRY_AWS_ZONE: undefined,
  SREGISTRY_AWS_KEY: undefined,
  SREGISTRY_AWS_SECRET: undefined,
  SREGISTRY_AWS_NOHTTPS: undefined,
  AWS_EC2_METADATA_DISABLED: 'true',
  LANG: 'C.UTF-8',
}

let world: World
beforeEach(async () => {
  world = await World.start()
})
afterEach(() => world[Symbol.asyncDispose]())

function configureAws(): void {
  const { user, region } = world.ecr.ecr
  mkdirSync(join(world.home, '.aws'))
  writeFileSync(
    join(world.home, '.aws/credentials'),
    `[default]\naws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\n`,
  )
  writeFileSync(join(world.home, '.aws/config'), `[default]\nregion = ${region}\n`)
}

/** Files below the home other than the user's own `~/.aws`. */
function ownFiles(): readonly string[] {
  return world
    .files()
    .map((name) => join(world.home, name))
    .filter(
      (path) => !path.includes('/.aws') && statSync(path, { throwIfNoEntry: false })?.isFile(),
    )
}

function expectNoSecret(text: string): void {
  expect(text).not.toContain(world.ecr.ecr.user.secretAccessKey)
  expect(text).not.toMatch(/eyJ[\w-]{40}|X-Amz-Signature=[0-9a-f]/)
}

describe.skipIf(!hasTool('skopeo') || !hasTool('curl'))('on the command line', () => {
  const outcomes: Outcome[] = []
  const sregistry = async (...args: readonly string[]) => {
    const outcome = await world.run(args, { env: nothing })
    outcomes.push(outcome)
    return outcome
  }
  const sh = (line: string) => world.sh(line, { env: nothing })

  test('each step is one command, and the doctor names the step that is missing', async () => {
    outcomes.splice(0)
    const { registryHost } = world.ecr.ecr
    expect(await sregistry('doctor')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/✗ settings +no AWS region is set\n +hint: .*AWS_REGION/),
    })

    configureAws()
    await sregistry('backend', 'add', 'aws', 'SREGISTRY_AWS_BASE', registryHost)
    await sregistry('backend', 'add', 'aws', 'SREGISTRY_AWS_NOHTTPS', 'true')
    expect(statSync(join(world.home, '.sregistry')).mode & 0o777).toBe(0o600)
    const examined = await sregistry('doctor')
    expect(examined).toMatchObject({ code: 0, stderr: '' })
    expect(examined.stdout).toContain('profile default (static keys)')

    expect((await sregistry('create', 'team/guide')).stdout).toContain('[new]')
    const again = await sregistry('create', 'team/guide')
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('[same]') })
    expect(await sregistry('doctor', 'team/guide:v1')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/✗ image .*team\/guide:v1 was not found/),
    })

    const place = `docker://${registryHost}`
    const access = '--src-tls-verify=false --dest-tls-verify=false'
    const login = '"AWS:$(sregistry token --raw)"'
    const from = `--src-creds ${login} ${place}/science/hello:1.0`
    const to = `--dest-creds ${login} ${place}/team/guide:v1`
    expect((await sh(`skopeo copy -q ${access} ${from} ${to}`)).code).toBe(0)
    // the guide's own line
    const listed = await sh(`curl -s -u ${login} http://${registryHost}/v2/team/guide/tags/list`)
    expect(JSON.parse(listed.stdout)).toEqual({ name: 'team/guide', tags: ['v1'] })

    expect((await sregistry('tags', 'team/guide')).stdout).toBe('v1\n')
    expect((await sregistry('repositories', 'team/*')).stdout).toContain('team/guide')
    expect((await sregistry('doctor', 'team/guide:v1')).code).toBe(0)
    const pulled = await sregistry('pull', 'team/guide:v1')
    const path = join(world.storage, 'team-guide:v1.simg')
    expect(pulled.stdout).toContain(`Success! ${path}`)
    expect((await sregistry('get', 'team/guide:v1')).stdout).toBe(`${path}\n`)
    const inspected = await sregistry('inspect', 'team/guide:v1')
    expect(JSON.parse(inspected.stdout)).toMatchObject({ name: 'team/guide', tag: 'v1', path })

    for (const { stdout, stderr } of outcomes) expectNoSecret(stdout + stderr)
    for (const file of ownFiles()) expectNoSecret(readFileSync(file, 'latin1'))
  })
})

describe.skipIf(!hasTool('skopeo') || !hasTool('tmux'))('in the shell', () => {
  let terminal: Terminal
  afterEach(() => terminal.close())

  const prompt = /aws:us-east-1>$/
  const enter = async (line: string, expected: RegExp) => {
    terminal.press('C-l')
    await terminal.until(/^aws:us-east-1>$/)
    terminal.enter(line)
    const screen = await terminal.until(new RegExp(`${expected.source}[^]*${prompt.source}`))
    expectNoSecret(screen)
  }

  test('each step is one call', async () => {
    const { registryHost } = world.ecr.ecr
    const bin = join(world.directory, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'sregistry'), `#!/bin/sh\nexec ${process.execPath} ${launcher} "$@"\n`)
    chmodSync(join(bin, 'sregistry'), 0o755)
    terminal = Terminal.open({
      command: [process.execPath, launcher, 'shell'],
      env: { ...world.env, LANG: 'C.UTF-8', PATH: `${bin}:${world.env['PATH']}` },
      columns: 200,
    })
    await terminal.until(prompt)
    await enter('client.doctor()', /everything that was looked at works/)
    await enter("client.createRepository('team/shell')", /team\/shell/)
    const access = '--src-tls-verify=false --dest-tls-verify=false'
    const login = '"AWS:$(sregistry token --raw)"'
    const place = `docker://${registryHost}`
    const copy = `skopeo copy -q ${access} --src-creds ${login} --dest-creds ${login}`
    const line = `!${copy} ${place}/science/hello:1.0 ${place}/team/shell:v1 && echo "pushed it"`
    await enter(line, /\npushed it/)
    await enter("client.tags('team/shell')", /v1/)
    await enter("image = client.pull('team/shell:v1')", /Success! .*team-shell:v1\.simg/)
    await enter("client.inspect('team/shell:v1')", /team\/shell/)
    terminal.enter('.exit')
    await terminal.until('exit code 0')
    for (const file of ownFiles()) expectNoSecret(readFileSync(file, 'latin1'))
  })
})
