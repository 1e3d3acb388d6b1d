/** What the catalogue needs of a database: four operations and an end, for any adapter of Keyv. */

/** Keys are full references; values are plain JSON (Keyv's own rules on values do not touch them). */
export type CatalogStore = {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  /** Whether there was such a key. */
  delete(key: string): Promise<boolean>
  /** All values of the catalogue, in no order; values that cannot be read come as undefined. */
  values(): Promise<readonly unknown[]>
  /** Twice is harmless. */
  close(): Promise<void>
}

/** The part of a database that is ours. Never a variant of another namespace (FAULTS § 5.7). */
export const catalogNamespace = 'image'
export const catalogTable = 'sregistry_catalog'
