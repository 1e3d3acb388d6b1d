import type { Descriptor } from '../registry/descriptor.ts'
import type { Digest } from '../registry/digest.ts'
import type { ImageConfig } from '../registry/image-config.ts'

/** An image as a registry or a layout offers it: what it is, and a way to its layers. */
export type ImageSource = {
  /** As people would write it in a definition file, without scheme: `HOST/library/busybox@sha256:…`. */
  readonly reference: string
  /** `HOST/library/busybox` */
  readonly repository: string
  readonly manifestDigest: Digest
  readonly config: ImageConfig
  readonly layers: readonly Descriptor[]
  /** The bytes of a layer as stored; verified when the stream has ended without an error. */
  openLayer(
    layer: Descriptor,
    options: { readonly signal: AbortSignal; readonly onProgress: (doneBytes: number) => void },
  ): AsyncIterable<Uint8Array>
}
