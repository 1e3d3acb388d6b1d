import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runtimeVariablesScript } from '../../../src/image/metadata/env-script.ts'
import { imageTime } from '../../../src/image/metadata/metadata-config.ts'
import { metadataEntries, metadataLayerTar } from '../../../src/image/metadata/metadata-layer.ts'
import { hasTool, isRoot } from '../../fakes/tools.ts'
import { configOf } from './config-of.ts'
import { makeWorkplace, nulSeparated, runScript, shells, type Workplace } from './shells.ts'

const options = { reference: 'library/busybox:latest', version: '1.2.3' }
const busybox = configOf({ Env: ['PATH=/bin', 'PET=a cat'], Cmd: ['sh'], Labels: { a: 'b' } })

let workplace: Workplace
beforeEach(() => {
  workplace = makeWorkplace()
})
afterEach(() => workplace.remove())

async function bytesOf(...args: Parameters<typeof metadataLayerTar>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of metadataLayerTar(...args)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function gnuTar(args: readonly string[], input: Buffer): string {
  const { stdout, stderr, status } = spawnSync('tar', args, { input, cwd: workplace.path })
  expect({ stderr: stderr.toString(), status }).toEqual({ stderr: '', status: 0 })
  return stdout.toString()
}

const tarMissing = !hasTool('tar')

test.skipIf(tarMissing)(
  'another tar lists every entry, root-owned, at the image’s time',
  async () => {
    const listing = gnuTar(
      ['-tvf', '-', '--numeric-owner', '--utc', '--full-time'],
      await bytesOf(busybox, options),
    )
    const lines = listing.trimEnd().split('\n')
    for (const line of lines) expect(line).toMatch(/^[dl-][rwx-]{9} 0\/0 +\d+ 2024-02-29 23:05:09 /)
    expect(lines.map((line) => `${line.split(' ')[0]} ${line.split(':09 ')[1]}`)).toEqual([
      'drwxr-xr-x .singularity.d/',
      'drwxr-xr-x .singularity.d/actions/',
      'drwxr-xr-x .singularity.d/env/',
      'drwxr-xr-x .singularity.d/libs/',
      'drwxr-xr-x dev/',
      'drwxr-xr-x etc/',
      'drwxr-xr-x home/',
      'drwxr-xr-x proc/',
      'drwxr-xr-x root/',
      'drwxr-xr-x sys/',
      'drwxr-xr-x tmp/',
      'drwxr-xr-x var/',
      'drwxr-xr-x var/tmp/',
      '-rw-r--r-- etc/group',
      '-rw-r--r-- etc/hosts',
      '-rw-r--r-- etc/localtime',
      '-rw-r--r-- etc/passwd',
      '-rw-r--r-- etc/resolv.conf',
      'lrwxrwxrwx .exec -> .singularity.d/actions/exec',
      'lrwxrwxrwx .run -> .singularity.d/actions/run',
      'lrwxrwxrwx .shell -> .singularity.d/actions/shell',
      'lrwxrwxrwx .test -> .singularity.d/actions/test',
      'lrwxrwxrwx environment -> .singularity.d/env/90-environment.sh',
      'lrwxrwxrwx singularity -> .singularity.d/runscript',
      '-rwxr-xr-x .singularity.d/actions/exec',
      '-rwxr-xr-x .singularity.d/actions/run',
      '-rwxr-xr-x .singularity.d/actions/shell',
      '-rwxr-xr-x .singularity.d/actions/start',
      '-rwxr-xr-x .singularity.d/actions/test',
      '-rwxr-xr-x .singularity.d/env/01-base.sh',
      '-rwxr-xr-x .singularity.d/env/10-docker2singularity.sh',
      '-rwxr-xr-x .singularity.d/env/90-environment.sh',
      '-rwxr-xr-x .singularity.d/env/95-apps.sh',
      '-rwxr-xr-x .singularity.d/env/99-base.sh',
      '-rwxr-xr-x .singularity.d/env/99-runtimevars.sh',
      '-rwxr-xr-x .singularity.d/runscript',
      '-rwxr-xr-x .singularity.d/startscript',
      '-rw-r--r-- .singularity.d/Singularity',
      '-rw-r--r-- .singularity.d/labels.json',
    ])
  },
)

test.skipIf(tarMissing)('unpacked, every file has its text and every link its target', async () => {
  gnuTar(['-xf', '-', '--no-same-owner'], await bytesOf(busybox, options))
  for (const entry of metadataEntries(busybox, options)) {
    const path = join(workplace.path, entry.path)
    if (entry.kind === 'file') expect(readFileSync(path, 'utf8')).toBe(entry.text)
    if (entry.kind === 'directory') expect(statSync(path).isDirectory()).toBe(true)
  }
  expect(readFileSync(join(workplace.path, 'singularity'), 'utf8')).toContain('exec "$@"')
  expect(readdirSync(join(workplace.path, '.singularity.d/libs'))).toEqual([])
})

test('the same image gives the same bytes, another one others', async () => {
  const once = await bytesOf(busybox, options)
  expect((await bytesOf(busybox, options)).equals(once)).toBe(true)
  expect((await bytesOf(configOf({ Cmd: ['ls'] }), options)).equals(once)).toBe(false)
  expect((await bytesOf(busybox, { ...options, sourceDateEpoch: 7 })).equals(once)).toBe(false)
})

test('texts outside of ASCII and longer than a block keep their bytes', async () => {
  const text = 'ü'.repeat(600)
  const bytes = await bytesOf(configOf({ Env: [`LONG=${text}`] }), options)
  expect(bytes.includes(`LONG='${text}'`)).toBe(true)
  expect(bytes.length % 512).toBe(0)
})

test.each(['Env', 'Entrypoint', 'Cmd'] as const)('a NUL byte in %s is refused', async (field) => {
  await expect(bytesOf(configOf({ [field]: ['A=b\0c'] }), options)).rejects.toMatchObject({
    code: 'MANIFEST_INVALID',
    message: `the image's config has a NUL byte in ${field}`,
  })
})

test.each([
  ['the config’s, whole seconds', { created: '1970-01-01T00:01:40.9Z' }, undefined, 100],
  ['SOURCE_DATE_EPOCH before it', { created: '1970-01-01T00:01:40Z' }, 5, 5],
  ['0 without one', {}, undefined, 0],
  ['0 for one that is no time', { created: 'yesterday' }, undefined, 0],
  ['0 before 1970', { created: '0001-01-01T00:00:00Z' }, undefined, 0],
  [
    'the last that a squashfs can hold',
    { created: '2200-01-01T00:00:00Z' },
    undefined,
    0xffff_ffff,
  ],
])('the image’s time is %s', (_, config, sourceDateEpoch, expected) => {
  expect(imageTime(config, sourceDateEpoch)).toBe(expected)
})

const chrootMissing = tarMissing || !isRoot || !hasTool('chroot') || !hasTool('busybox')

test.skipIf(chrootMissing)(
  'in a root of its own, the image starts by each of its doors',
  async () => {
    const image = configOf({
      Env: ['PATH=/bin', 'PET=a cat'],
      Entrypoint: ['/bin/busybox', 'echo'],
      Cmd: ['$PET', '*'],
    })
    gnuTar(['-xf', '-'], await bytesOf(image, options))
    mkdirSync(join(workplace.path, 'bin'))
    spawnSync('sh', ['-c', 'cp "$(command -v busybox)" bin/ && ln -s busybox bin/sh'], {
      cwd: workplace.path,
    })
    const inside = (...args: string[]) => {
      const { stdout, stderr } = spawnSync('chroot', ['.', ...args], {
        cwd: workplace.path,
        env: { PATH: '/usr/sbin:/usr/bin:/bin' },
      })
      return `${stdout}${stderr}`
    }
    expect(inside('/singularity')).toBe('$PET *\n')
    expect(inside('/.run', '$PET')).toBe('a cat\n')
    expect(inside('/.exec', 'sh', '-c', 'echo "$PET $LD_LIBRARY_PATH"')).toBe(
      'a cat /.singularity.d/libs\n',
    )
    expect(inside('/.shell', '-c', 'echo "$PET"')).toBe('a cat\n')
    expect(inside('/.test')).toBe('this container has no test\n')
  },
)

/** An action script with the container's root moved into the workplace. */
function actionScript(name: string, image: typeof busybox): string {
  const root = join(workplace.path, 'root')
  for (const entry of metadataEntries(image, options)) {
    const path = join(root, entry.path)
    if (entry.kind === 'directory') mkdirSync(path, { recursive: true })
    if (entry.kind === 'file') writeFileSync(path, moved(entry.text), { mode: entry.mode })
  }
  return readFileSync(join(root, '.singularity.d/actions', name), 'utf8')
}

function moved(text: string): string {
  return text.replaceAll('/.singularity.d/', `${join(workplace.path, 'root')}/.singularity.d/`)
}

describe.each(shells)('in $name', (shell) => {
  test.skipIf(shell.missing)('exec starts its arguments in the image’s environment', () => {
    const image = configOf({ Env: ['PATH=/usr/bin:/bin', 'PET=a "cat"', 'singularity_env=x'] })
    const args = ['sh', '-c', 'printf "%s\\0" "$PET" "$PATH" "$@"', 'sh', 'x y', '']
    const { stdout } = runScript(shell, workplace, actionScript('exec', image), { args })
    expect(nulSeparated(stdout)).toEqual(['a "cat"', '/usr/bin:/bin', 'x y', ''])
  })

  test.skipIf(shell.missing)('run starts the runscript, or a shell when there is none', () => {
    const image = configOf({
      Env: ['PET=cat'],
      Entrypoint: ['/usr/bin/printf', '%s\\0'],
      Cmd: ['$PET'],
    })
    const script = actionScript('run', image)
    expect(nulSeparated(runScript(shell, workplace, script).stdout)).toEqual(['$PET'])
    const withArgs = runScript(shell, workplace, script, { args: ['$PET'] })
    expect(nulSeparated(withArgs.stdout)).toEqual(['cat'])
    const bare = script.replaceAll('runscript', 'nothing')
    const { stdout } = runScript(shell, workplace, bare, { args: ['-c', 'echo "$PET"'] })
    expect(stdout.toString()).toBe('cat\n')
  })

  test.skipIf(shell.missing)('shell starts the shell that the user wants, else bash or sh', () => {
    const script = actionScript('shell', busybox).replaceAll(
      '/bin/bash',
      join(workplace.path, 'none'),
    )
    const run = (env: Record<string, string>) =>
      runScript(shell, workplace, script, {
        args: ['-c', 'echo "$0 $PET $SHELL"'],
        env,
      }).stdout.toString()
    expect(run({})).toBe('/bin/sh a cat /bin/sh\n')
    expect(run({ SINGULARITY_SHELL: '/bin/dash', SHELL: '' })).toBe('/bin/dash a cat \n')
  })

  test.skipIf(shell.missing)(
    'start and test have nothing to do in a pulled image, and succeed',
    () => {
      const start = actionScript('start', busybox).replace('kill -CONT 1\n', '')
      expect(runScript(shell, workplace, start).status).toBe(0)
      expect(runScript(shell, workplace, actionScript('test', busybox)).status).toBe(0)
    },
  )
})

test('the environment scripts are sourced in the order in which the runtimes expect them', () => {
  const names = metadataEntries(busybox, options)
    .map(({ path }) => path)
    .filter((path) => path.startsWith('.singularity.d/env/'))
  expect(names).toEqual([...names].sort())
  expect(names.at(-1)).toBe('.singularity.d/env/99-runtimevars.sh')
  expect(runtimeVariablesScript).toContain('export PATH')
})
