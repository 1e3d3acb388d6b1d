import type { ReferenceScheme } from '../registry/reference.ts'
import type { PullOptions } from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import type { RegistryAccess } from './registry-access.ts'

export type PullInput = {
  readonly context: ClientContext
  /** The backend's name: scheme of the URI and name in the record. */
  readonly client: ReferenceScheme
  readonly access: RegistryAccess
  readonly options: PullOptions
}
