import type { ImageRecord } from '../catalog/image-record.ts'
import { formatDigest } from '../registry/digest.ts'
import { formatPlatform } from '../registry/platform.ts'
import type { ResolvedImage } from '../registry/registry-client.ts'
import { tagOf } from './image-uri.ts'
import { makingOptions } from './making-options.ts'
import type { PullInput } from './pull-input.ts'
import type { PullTarget } from './pull-target.ts'

/** What the catalogue is told of an image that was pulled now. */
export function pulledRecord(
  { client, access, options, context }: PullInput,
  target: PullTarget,
  image: ResolvedImage,
  sizeBytes: number,
): ImageRecord {
  const { Entrypoint, Cmd, Env, Labels, WorkingDir } = image.config.config
  const { created } = image.config
  return {
    name: access.reference.repository,
    tag: tagOf(access.reference),
    client,
    uri: target.uri,
    registry: access.host,
    digest: formatDigest(image.manifestDigest),
    ...(image.indexDigest === undefined ? {} : { indexDigest: formatDigest(image.indexDigest) }),
    platform: formatPlatform(image.platform),
    path: target.path,
    sizeBytes,
    format: target.format,
    compression: target.compression,
    made: makingOptions(options, context.env),
    ...(created === undefined ? {} : { created }),
    pulled: new Date().toISOString(),
    labels: Labels,
    config: {
      entrypoint: Entrypoint,
      cmd: Cmd,
      envNames: Env.map((element) => element.split('=', 1)[0] ?? ''),
      ...(WorkingDir === undefined ? {} : { workingDir: WorkingDir }),
    },
  }
}
