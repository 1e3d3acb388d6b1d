/** An image that was pulled or added, as users hold it: prints as its path, inspects as an object. */
import type { ImageRecord } from '../catalog/image-record.ts'

export class Container {
  /** `library/busybox` */
  readonly name: string
  readonly tag: string
  /** Digest of the platform's manifest, `sha256:…`; undefined for images that were added by hand. */
  readonly digest: string | undefined
  /** `linux/amd64` */
  readonly platform: string | undefined
  /** The backend it came from: `aws`, `docker`, … */
  readonly client: string
  /** The full reference, `aws://HOST/library/busybox:latest@sha256:…`. */
  readonly uri: string
  readonly path: string
  /** Bytes of the file. */
  readonly size: number
  readonly format: 'squashfs' | 'sif'
  /** When the image was made, as its config says; ISO 8601. */
  readonly created: string | undefined
  /** When it was pulled or added; ISO 8601. */
  readonly pulled: string
  readonly labels: Readonly<Record<string, string>>

  constructor(record: ImageRecord) {
    this.name = record.name
    this.tag = record.tag
    this.digest = record.digest
    this.platform = record.platform
    this.client = record.client
    this.uri = record.uri
    this.path = record.path
    this.size = record.sizeBytes
    this.format = record.format
    this.created = record.created
    this.pulled = record.pulled
    this.labels = record.labels
  }

  /** How to run it, one command a line. */
  command(): readonly string[] {
    const path = shellWord(this.path)
    return [
      `singularity run ${path}`,
      `singularity exec ${path} COMMAND`,
      `singularity shell ${path}`,
    ]
  }

  /** The path, so that an image can stand wherever a path is wanted. */
  toString(): string {
    return this.path
  }
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
