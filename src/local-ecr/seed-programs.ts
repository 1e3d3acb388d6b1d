/** Programs of this machine as entries of a layer, with the libraries that they need. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { SregistryError } from '../errors/sregistry-error.ts'
import { readElf } from './elf.ts'
import type { LayerEntry } from './layer-archive.ts'
import { type LoadedFile, librariesOf } from './shared-libraries.ts'

const applets =
  'ash awk basename cat chmod cp cut date dd df dirname du echo env expr false find grep gunzip gzip head hostname id ln ls mkdir more mv od printf ps pwd readlink rm rmdir sed seq sh sleep sort stat tail tar tee test touch tr true tty uname uniq vi wc which whoami xargs yes'.split(
    ' ',
  )

const tools =
  'sh bash cat chmod cp cut date df dirname du echo env expr false find grep head id ln ls mkdir mv od printf pwd readlink rm rmdir sed seq sleep sort stat tail tee test touch tr true uname uniq wc whoami'.split(
    ' ',
  )

/** Where programs are taken from. */
export type Machine = {
  readonly platform: NodeJS.Platform
  /** Searched in this order. */
  readonly programDirectories: readonly string[]
}

const thisMachine: Machine = {
  platform: process.platform,
  programDirectories: ['/bin', '/usr/bin'],
}

/** BusyBox with its applets where this machine has it, else the programs of `toolEntries`. */
export function shellEntries(machine: Machine = thisMachine): LayerEntry[] {
  requireLinux(machine)
  const path = find(machine, 'busybox')
  if (path === undefined) return toolEntries(machine)
  const busybox = { path: '/bin/busybox', bytes: readFileSync(path) }
  const list = spawnSync(path, ['--list'], { encoding: 'utf8', timeout: 5000 }).stdout ?? ''
  const built = new Set(list.split('\n'))
  const links = applets.filter((name) => built.has(name))
  return [
    programEntry(busybox),
    ...links.map((name): LayerEntry => {
      return { type: 'symlink', path: `bin/${name}`, target: 'busybox' }
    }),
    ...librariesOf([{ path, bytes: busybox.bytes }]).map(programEntry),
  ]
}

/**
 * A shell and the usual tools, dynamically linked as this machine has them.
 * @throws {SregistryError} UNSUPPORTED on another system than Linux, or without a shell.
 */
export function toolEntries(machine: Machine = thisMachine): LayerEntry[] {
  requireLinux(machine)
  const sources = new Map<string, LoadedFile>()
  const entries: LayerEntry[] = []
  const firstNames = new Map<string, string>()
  for (const name of tools) {
    const path = find(machine, name)
    if (path === undefined) continue
    const first = firstNames.get(path)
    if (first === undefined) {
      const bytes = readFileSync(path)
      if (readElf(bytes) === undefined) continue // a script: its interpreter would be missing
      firstNames.set(path, name)
      sources.set(path, { path, bytes })
      entries.push(programEntry({ path: `/bin/${name}`, bytes }))
    } else {
      entries.push({ type: 'symlink', path: `bin/${name}`, target: first })
    }
  }
  if (!entries.some((entry) => entry.path === 'bin/sh')) throw noShell()
  return [...entries, ...librariesOf([...sources.values()]).map(programEntry)]
}

/** The real file behind a program's name. */
function find({ programDirectories }: Machine, name: string): string | undefined {
  const path = programDirectories.map((folder) => `${folder}/${name}`).find(existsSync)
  return path && realpathSync(path)
}

function programEntry({ path, bytes }: LoadedFile): LayerEntry {
  return { type: 'file', path: path.slice(1), content: bytes, mode: 0o755 }
}

function requireLinux({ platform }: Machine): void {
  if (platform === 'linux') return
  throw new SregistryError(
    'UNSUPPORTED',
    `the seed is made of Linux programs; this is ${platform}`,
    {
      hint: 'start without --seed and push an image: skopeo copy docker://busybox docker://HOST/library/busybox',
    },
  )
}

function noShell(): SregistryError {
  return new SregistryError('UNSUPPORTED', 'the seed needs a shell: no ELF program /bin/sh here', {
    hint: 'install busybox or dash, or start without --seed',
  })
}
