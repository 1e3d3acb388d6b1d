/** Finds the libraries of programs as the dynamic loader would (ld.so(8)), without running it. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import { type ElfProgram, readElf } from './elf.ts'

export type LoadedFile = { readonly path: string; readonly bytes: Buffer }

const defaultDirectories = ['/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib']

/**
 * All libraries that the programs need, each once, by the name they are asked for, and the dynamic
 * loader under the very path that stands in the programs.
 * @throws {SregistryError} UNSUPPORTED when one is not found.
 */
export function librariesOf(programs: readonly LoadedFile[]): readonly LoadedFile[] {
  const directories = [...configuredDirectories('/etc/ld.so.conf'), ...defaultDirectories]
  const loaders = new Map<string, LoadedFile>()
  const libraries = new Map<string, LoadedFile>()
  const queue = [...programs]
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const elf = readElf(file.bytes)
    if (elf?.interpreter !== undefined && !loaders.has(elf.interpreter)) {
      loaders.set(elf.interpreter, load(elf.interpreter))
    }
    for (const name of elf?.needed ?? []) {
      if (elf === undefined || libraries.has(name)) continue
      const library = findLibrary(name, elf, [...runpathOf(elf, file.path), ...directories])
      libraries.set(name, library)
      queue.push(library)
    }
  }
  return withoutLoaders([...loaders.values()], gather([...libraries.values()]))
}

function load(path: string): LoadedFile {
  return { path, bytes: readFileSync(path) }
}

function runpathOf(elf: ElfProgram, path: string): string[] {
  const origin = dirname(realpathSync(path))
  return elf.runpath.map((one) => one.replace(/\$ORIGIN|\$\{ORIGIN\}/g, origin))
}

function findLibrary(name: string, elf: ElfProgram, directories: readonly string[]): LoadedFile {
  for (const directory of directories) {
    const path = join(directory, name)
    const bytes = tryRead(path)
    if (bytes !== undefined && readElf(bytes)?.abi === elf.abi) return { path, bytes }
  }
  throw new SregistryError('UNSUPPORTED', `the seed needs ${name}, which is in no library path`, {
    hint: 'start without --seed and push an image instead',
  })
}

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined // not in this directory: the next one is tried
  }
}

/** Directories of ld.so.conf and the files that it includes, in order. */
function configuredDirectories(configuration: string): string[] {
  const lines = (tryRead(configuration)?.toString() ?? '').split('\n')
  return lines.flatMap((line) => {
    const text = line.replace(/#.*/, '').trim()
    const pattern = /^include\s+(\S+)/.exec(text)?.[1]
    if (pattern !== undefined) return includedFiles(pattern).flatMap(configuredDirectories)
    return text.startsWith('/') ? [text] : []
  })
}

/** Only the form that distributions write: `DIRECTORY/*.conf`. */
function includedFiles(pattern: string): string[] {
  const directory = dirname(join('/etc', pattern.replace(/^\/etc\//, '')))
  const suffix = basename(pattern).replace(/^\*/, '')
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(suffix))
      .sort()
      .map((name) => join(directory, name))
  } catch {
    return [] // an include that matches nothing is no error
  }
}

/**
 * All in the directory of the C library, which every loader searches by itself: an image has no
 * ld.so.cache that would name others.
 */
function gather(libraries: readonly LoadedFile[]): LoadedFile[] {
  const libc = libraries.find(({ path }) => /^libc\.(?:so|musl)/.test(basename(path)))
  const directory = dirname(libc?.path ?? '/lib/libc.so')
  return libraries.map(({ path, bytes }) => ({ path: join(directory, basename(path)), bytes }))
}

/** A program may name its loader among its libraries too: then it is already there. */
function withoutLoaders(
  loaders: readonly LoadedFile[],
  libraries: readonly LoadedFile[],
): LoadedFile[] {
  const taken = new Set(loaders.map(({ path }) => basename(path)))
  return [...loaders, ...libraries.filter(({ path }) => !taken.has(basename(path)))]
}
