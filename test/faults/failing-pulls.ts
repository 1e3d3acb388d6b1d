/** What every pull that fails has to leave: one error with its mend, and nothing half made. */
import { expect } from 'vitest'
import type { ErrorCode } from '../../src/errors/sregistry-error.ts'
import { noise } from '../contract/whole-image.ts'
import { makeImage, type OciImage } from '../fakes/oci-image.ts'
import { type Home, type PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import { directory, file, hardlink } from '../fakes/tar-layer.ts'

export type Failure = readonly [code: ErrorCode, message: string, hint: string]

/** An image with nothing wrong about it, of two layers. */
export function goodImage(): OciImage {
  return makeImage([
    [directory('bin'), file('bin/app', noise(300_000, 'app'), { mode: 0o755 })],
    [file('etc/config', 'one'), hardlink('bin/alias', 'bin/app')],
  ])
}

/** The error of a pull, without what is another in each run. */
export async function failureOf(pull: Promise<unknown>, world: PullWorld): Promise<Failure> {
  const error = await pull.then(
    () => {
      throw new Error('the pull was to fail')
    },
    (reason: { code: ErrorCode; message: string; hint?: string }) => reason,
  )
  return [error.code, stable(error.message, world), stable(error.hint ?? 'no hint', world)]
}

function stable(text: string, world: PullWorld): string {
  return text
    .replace(/sha256:[0-9a-f]+…?/g, 'DIGEST')
    .replaceAll(world.local.ecr.registryHost, 'HOST')
    .replace(/(?:127\.0\.0\.1|localhost):\d+/g, 'STORE')
    .replace(new RegExp(`${world.directory}/home-\\d+`, 'g'), 'HOME')
}

export async function expectNothingLeft(home: Home, world: PullWorld): Promise<void> {
  expect(home.images()).toEqual([])
  expect(home.leftovers()).toEqual([])
  expect(await (await world.client(home)).images()).toEqual([])
}

/** The next run has the bytes that it would have had at once. */
export async function expectCompletes(
  home: Home,
  world: PullWorld,
  wantedSha256: string,
): Promise<void> {
  const image = await (await world.client(home)).pull('team/app')
  expect(sha256OfFile(image.path)).toBe(wantedSha256)
  expect(home.leftovers()).toEqual([])
}
