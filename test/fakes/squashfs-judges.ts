/** Programs and the kernel, none of them ours, that say whether an image is good. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs a program and returns what it printed; throws with its messages when it fails or complains. */
export function judge(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Unpacks with unsquashfs, as root with owners, devices and xattrs. */
export function unsquash(image: string, to: string): void {
  judge('unsquashfs', '-n', '-q', '-d', to, image)
}

/** A directory that is gone afterwards. */
export function inTemporaryDirectory<T>(use: (path: string) => T): T {
  const path = mkdtempSync(join(tmpdir(), 'sregistry-squashfs-'))
  const remove = () => rmSync(path, { recursive: true, force: true })
  let result: T
  try {
    result = use(path)
  } catch (error) {
    remove()
    throw error
  }
  if (result instanceof Promise) return result.finally(remove) as T
  remove()
  return result
}

/** Lets a function look at the image as the kernel of this machine shows it. */
export function withKernelMount<T>(image: string, use: (mountPoint: string) => T, offset = 0): T {
  const mountPoint = mkdtempSync(join(tmpdir(), 'sregistry-mount-'))
  try {
    const options = `loop,ro,offset=${offset}`
    execFileSync('mount', ['-t', 'squashfs', '-o', options, image, mountPoint], { stdio: 'pipe' })
    try {
      return use(mountPoint)
    } finally {
      execFileSync('umount', [mountPoint])
    }
  } finally {
    rmSync(mountPoint, { recursive: true, force: true })
  }
}

/** The same through squashfuse. */
export function withFuseMount<T>(image: string, use: (mountPoint: string) => T, offset = 0): T {
  const mountPoint = mkdtempSync(join(tmpdir(), 'sregistry-fuse-'))
  try {
    execFileSync('squashfuse', ['-o', `offset=${offset}`, image, mountPoint], { stdio: 'pipe' })
    try {
      return use(mountPoint)
    } finally {
      execFileSync('fusermount', ['-u', mountPoint])
    }
  } finally {
    rmSync(mountPoint, { recursive: true, force: true })
  }
}
