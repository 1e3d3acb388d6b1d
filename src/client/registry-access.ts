import type { Reference } from '../registry/reference.ts'
import type { RegistryClient } from '../registry/registry-client.ts'

/** A way to the registry that a reference names. */
export type RegistryAccess = {
  readonly client: RegistryClient
  /** `host[:port]` */
  readonly host: string
  /** The reference with its registry spelt out. */
  readonly reference: Reference
}
