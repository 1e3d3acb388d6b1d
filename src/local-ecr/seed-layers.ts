/** The layers that seed images are stacked from. */
import { existsSync, readFileSync } from 'node:fs'
import {
  type LayerArchive,
  type LayerEntry,
  layerArchive,
  parentDirectories,
} from './layer-archive.ts'
import { shellEntries, toolEntries } from './seed-programs.ts'

export type SeedLayers = {
  /** Root file system with a shell. */
  readonly shell: LayerArchive
  /** Root file system with dynamically linked tools. */
  readonly tools: LayerArchive
  /** Over one of these: a whiteout, a hard link, a changed file. */
  readonly changes: LayerArchive
  readonly hello: Readonly<Record<'1.0' | '1.1', LayerArchive>>
}

export async function seedLayers(): Promise<SeedLayers> {
  const shellPrograms = shellEntries()
  const [shell, tools, changes, first, second] = await Promise.all([
    rootArchive(shellPrograms),
    rootArchive(toolEntries()),
    layerArchive(changeEntries()),
    layerArchive(helloEntries('1.0')),
    layerArchive(helloEntries('1.1')),
  ])
  return { shell, tools, changes, hello: { '1.0': first, '1.1': second } }
}

function rootArchive(programs: readonly LayerEntry[]): Promise<LayerArchive> {
  const files = [...programs, ...configurationFiles()]
  const mounts = ['dev', 'home', 'proc', 'run', 'sys', 'var/tmp']
  const parents = parentDirectories([...files.map(({ path }) => path), ...mounts])
  return layerArchive([
    ...parents,
    ...mounts.map((path): LayerEntry => ({ type: 'directory', path })),
    { type: 'directory', path: 'root', mode: 0o700 },
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    ...files,
  ])
}

function configurationFiles(): LayerEntry[] {
  return [
    {
      type: 'file',
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    },
    { type: 'file', path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    { type: 'file', path: 'etc/hostname', content: 'sregistry\n' },
    { type: 'file', path: 'etc/os-release', content: osRelease() },
    { type: 'file', path: 'etc/motd', content: 'a layer below\n' },
    { type: 'file', path: 'usr/share/doc/obsolete.txt', content: 'removed by the next layer\n' },
  ]
}

function osRelease(): string | Uint8Array {
  const path = '/etc/os-release'
  return existsSync(path) ? readFileSync(path) : 'ID=linux\nNAME=Linux\nPRETTY_NAME="Linux"\n'
}

function changeEntries(): LayerEntry[] {
  const greeting = '#!/bin/sh\necho "Hello from $(uname -s) on $(uname -m)"\n'
  return [
    ...parentDirectories(['etc/motd', 'usr/share/doc/x', 'usr/local/bin/x']),
    { type: 'file', path: 'etc/motd', content: 'seeded by sregistry local-ecr\n' },
    { type: 'file', path: 'usr/local/bin/greet', content: greeting, mode: 0o755 },
    { type: 'hardlink', path: 'usr/local/bin/welcome', target: 'usr/local/bin/greet' },
    { type: 'file', path: 'usr/share/doc/.wh.obsolete.txt', content: '' },
  ]
}

function helloEntries(version: string): LayerEntry[] {
  const script = `#!/bin/sh\necho "$GREETING, \${1:-world}: science/hello ${version}"\n`
  return [
    ...parentDirectories(['usr/local/bin/hello', 'usr/local/share/hello/VERSION']),
    { type: 'file', path: 'usr/local/bin/hello', content: script, mode: 0o755 },
    { type: 'file', path: 'usr/local/share/hello/VERSION', content: `${version}\n` },
  ]
}
