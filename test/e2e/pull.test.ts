import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { World } from './sregistry.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})
beforeEach(() => {
  for (const directory of [world.home, world.work]) {
    rmSync(directory, { recursive: true })
    mkdirSync(directory)
  }
})
afterAll(() => world[Symbol.asyncDispose]())

const sha256 = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

describe('the guide: pull --name aws-is-hard.simg --no-cache aws://library/busybox', () => {
  const args = ['pull', '--name', 'aws-is-hard.simg', '--no-cache', 'aws://library/busybox']

  test('makes one file in the working directory and touches nothing else', async () => {
    const { code, stdout, stderr } = await world.run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toBe(
      `[client|aws] [database|sqlite:///${world.home}/.singularity/sregistry.db]`,
    )
    expect(lines[1]).toBe('Exploding environment.tar')
    expect(
      lines.slice(2, -1).every((line) => /^Exploding sha256:[0-9a-f]{64}\.tar\.gz$/.test(line)),
    ).toBe(true)
    expect(lines.at(-1)).toBe('Success! aws-is-hard.simg')
    expect(world.files()).toEqual(['aws-is-hard.simg'])
  })

  test('refuses to replace the file, and does so with --force', async () => {
    await world.run(args)
    const again = await world.run(args)
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('error IMAGE_EXISTS: aws-is-hard.simg exists')
    expect((await world.run([...args, '--force'])).code).toBe(0)
  })

  test.skipIf(!hasTool('unsquashfs') || !isRoot)('gives an image whose programs run', async () => {
    await world.run(args)
    const root = join(world.directory, 'root')
    execFileSync('unsquashfs', ['-q', '-n', '-d', root, join(world.work, 'aws-is-hard.simg')])
    const said = spawnSync('chroot', [root, '/bin/sh', '-c', 'echo runs'], { encoding: 'utf8' })
    rmSync(root, { recursive: true })
    expect(said.stdout).toBe('runs\n')
  })
})

describe('a pull into storage', () => {
  test('says what it does, line by line, and is quick the second time', async () => {
    const banner = `[client|aws] [database|sqlite:///${world.home}/.singularity/sregistry.db]`
    const path = join(world.storage, 'library-busybox:latest.simg')
    const first = await world.run(['pull', 'library/busybox'])
    expect(first.stdout.split('\n')).toEqual([
      banner,
      'Exploding environment.tar',
      expect.stringMatching(/^Exploding \/.*\/docker\/sha256:[0-9a-f]{64}\.tar\.gz$/),
      expect.stringMatching(/^Exploding \/.*\/docker\/sha256:[0-9a-f]{64}\.tar\.gz$/),
      '[container][new] library/busybox:latest',
      `Success! ${path}`,
      '',
    ])
    const second = await world.run(['pull', 'library/busybox'])
    expect(second.stdout).toBe(
      `${banner}\n[container][same] library/busybox:latest\nSuccess! ${path}\n`,
    )
  })

  test('--quiet prints the path alone, --json one document', async () => {
    const path = join(world.storage, 'library-busybox:latest.simg')
    expect((await world.run(['--quiet', 'pull', 'library/busybox'])).stdout).toBe(`${path}\n`)
    const { stdout, stderr } = await world.run(['pull', 'library/busybox', '--json'])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ name: 'library/busybox', tag: 'latest', path })
    expect(stdout.trimEnd()).not.toContain('\n')
    expect((await world.run(['get', 'library/busybox'])).stdout).toBe(`${path}\n`)
  })

  test('SREGISTRY_DISABLE needs no database and says so', async () => {
    const { code, stdout } = await world.run(['pull', 'library/busybox'], {
      env: { SREGISTRY_DISABLE: 'yes' },
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\[client\|aws\] \[database\|dummy\]\n/)
    expect(existsSync(join(world.home, '.singularity', 'sregistry.db'))).toBe(false)
  })

  test('an image made with other options is not the same', async () => {
    await world.run(['pull', 'library/busybox'])
    const other = await world.run(['pull', '--all-root', 'library/busybox'])
    expect(other.code).toBe(1)
    expect(other.stderr).toContain('made with other options')
    expect((await world.run(['pull', '--all-root', '--force', 'library/busybox'])).code).toBe(0)
    expect((await world.run(['pull', '--all-root', 'library/busybox'])).stdout).toContain('[same]')
    expect((await world.run(['pull', 'library/busybox'])).code).toBe(1)
  })

  test('a name that ends in .sif makes a SIF beside the other', async () => {
    await world.run(['pull', 'library/busybox'])
    await world.run(['pull', '--name', 'x.sif', 'library/busybox'])
    expect(readFileSync(join(world.storage, 'x.sif')).subarray(32, 41).toString()).toBe('SIF_MAGIC')
    expect((await world.run(['images', '--quiet'])).stdout.trimEnd().split('\n')).toHaveLength(2)
  })

  test('a moved tag is told with both digests and replaced with --force alone', async () => {
    await world.run(['pull', 'library/busybox'])
    const path = join(world.storage, 'library-busybox:latest.simg')
    const before = sha256(path)
    await world.moveTag()
    const refused = await world.run(['pull', 'library/busybox'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /library\/busybox:latest has changed: here is sha256:[0-9a-f]{64}, the registry has sha256:[0-9a-f]{64}/,
    )
    expect(sha256(path)).toBe(before)
    const forced = await world.run(['pull', '--force', 'library/busybox'])
    expect(forced.stdout).toContain('[container][update] library/busybox:latest')
    expect(forced.stderr).toMatch(/note: .* was sha256:[0-9a-f]{64}, is now sha256:[0-9a-f]{64}/)
    expect(sha256(path)).not.toBe(before)
  })

  test('eight processes at once all succeed with the same bytes', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => world.run(['pull', 'library/busybox'])),
    )
    expect(all.map(({ code }) => code)).toEqual(Array(8).fill(0))
    const waiting =
      /^note: waiting for process \d+ on .+, which is packing layer sha256:[0-9a-f]{12}\n/gm
    // one packs, the others say that they wait, and nobody says anything else
    expect(all.map(({ stderr }) => stderr.replace(waiting, ''))).toEqual(Array(8).fill(''))
    expect(readdirSync(world.storage)).toEqual(['library-busybox:latest.simg'])
    const [record] = JSON.parse((await world.run(['images', '--json'])).stdout)
    expect(record.size).toBe(readFileSync(record.path).length)
  }, 60_000)

  test('an image that could not be recorded is recorded by the command that the error names', async () => {
    await world.run(['pull', 'library/busybox'])
    const path = join(world.storage, 'library-busybox:latest.simg')
    const before = sha256(path)
    rmSync(join(world.home, '.singularity', 'sregistry.db'))
    const uri = `aws://${world.ecr.ecr.registryHost}/library/busybox:latest`
    expect((await world.run(['add', '--name', uri, path])).code).toBe(0)
    expect((await world.run(['pull', 'library/busybox'])).stdout).toContain('[container][same]')
    rmSync(join(world.home, '.singularity', 'sregistry.db'))
    expect((await world.run(['pull', 'library/busybox'])).code).toBe(0)
    expect(sha256(path)).toBe(before)
  })
})
