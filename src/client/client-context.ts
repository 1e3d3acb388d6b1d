/** What clients share: settings, the way to the network, and the catalogue, each opened when needed. */
import { type Catalog, openCatalog } from '../catalog/catalog.ts'
import { createTransport, type Transport } from '../registry/transport.ts'
import type { SettingOptions, Settings } from '../settings/settings.ts'
import { programVersion } from '../settings/version.ts'

export type ClientContextInput = {
  readonly settings: Settings
  readonly env: Readonly<Record<string, string | undefined>>
  /** Asked for the code of an MFA device; without it a profile that needs one fails. */
  readonly mfaCode?: ((serialNumber: string) => Promise<string>) | undefined
  /** Told what the user should know and what stops nothing. */
  readonly onWarning?: ((text: string) => void) | undefined
}

/**
 * Whoever makes one closes it; closing twice is harmless. Settings and environment hold secrets: they
 * are private fields, which neither printing nor `JSON.stringify` of a client reaches.
 */
export class ClientContext {
  readonly #settings: Settings
  readonly #env: ClientContextInput['env']
  readonly mfaCode: ClientContextInput['mfaCode']
  readonly onWarning: (text: string) => void
  readonly transport: Transport
  readonly catalog: Catalog

  constructor(input: ClientContextInput) {
    this.#settings = input.settings
    this.#env = input.env
    this.mfaCode = input.mfaCode
    this.onWarning = input.onWarning ?? (() => undefined)
    this.transport = createTransport({
      env: input.env,
      userAgent: `sregistry/${programVersion()}`,
    })
    this.catalog = openCatalog(input.settings.database(), {
      onUnreadable: (count) => this.onWarning(`${count} records of the catalogue cannot be read`),
    })
  }

  get settings(): Settings {
    return this.#settings
  }

  get env(): ClientContextInput['env'] {
    return this.#env
  }

  /** The same with other settings on top; the new one is closed by itself. */
  with(options: SettingOptions): ClientContext {
    return new ClientContext({
      settings: this.settings.with(options),
      env: this.env,
      mfaCode: this.mfaCode,
      onWarning: this.onWarning,
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.transport.close(), this.catalog.close()])
  }
}
