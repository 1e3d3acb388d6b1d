/**
 * What the metadata layer needs of an image's config (OCI image spec, config.md). Any record with
 * these fields will do, registry/image-config.ts's among them.
 */
import { SregistryError } from '../../errors/sregistry-error.ts'

export type MetadataConfig = {
  readonly architecture?: string | undefined
  /** RFC 3339 time of the image's making. */
  readonly created?: string | undefined
  readonly config: {
    /** `NAME=value`, in the order of the config. */
    readonly Env: readonly string[]
    readonly Entrypoint: readonly string[]
    readonly Cmd: readonly string[]
    readonly Labels: Readonly<Record<string, string>>
  }
}

export type MetadataOptions = {
  /** The image's reference as people write it, without a scheme; becomes `from:` of the definition file. */
  readonly reference: string
  /** Digest of the platform's manifest, `sha256:…`. */
  readonly digest?: string | undefined
  /** Version of sregistry. */
  readonly version: string
  /** SOURCE_DATE_EPOCH: seconds that stand in for the config's `created`. */
  readonly sourceDateEpoch?: number | undefined
}

/** A squashfs time is an unsigned 32-bit number of seconds. */
const latestTime = 0xffff_ffff

/**
 * The one time of everything that is made here, in whole seconds from 0 to 2^32-1: SOURCE_DATE_EPOCH,
 * else the config's `created`, else 0. Never the clock: the same image gives the same bytes.
 */
export function imageTime(
  config: Pick<MetadataConfig, 'created'>,
  sourceDateEpoch?: number | undefined,
): number {
  const seconds = sourceDateEpoch ?? Date.parse(config.created ?? '') / 1000
  return Number.isNaN(seconds) ? 0 : Math.floor(Math.min(Math.max(seconds, 0), latestTime))
}

/**
 * Refuses NUL bytes in what becomes arguments and variables: no process can be given one, and each
 * shell drops it in its own way.
 * @throws {SregistryError} MANIFEST_INVALID
 */
export function refuseNul({ config }: MetadataConfig): void {
  for (const field of ['Env', 'Entrypoint', 'Cmd'] as const) {
    if (config[field].some((text) => text.includes('\0'))) {
      throw new SregistryError(
        'MANIFEST_INVALID',
        `the image's config has a NUL byte in ${field}`,
        {
          hint: 'the image cannot be started by any runtime: build it again',
        },
      )
    }
  }
}
