/** Docker Hub, NVIDIA's registry, ECR Public, and any other registry that a reference names. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CredentialSource } from '../registry/credentials.ts'
import { formatReference, parseReference, type Reference } from '../registry/reference.ts'
import { createRegistryClient } from '../registry/registry-client.ts'
import { isSettingName } from '../settings/setting-table.ts'
import type { BrowseOptions } from './call-options.ts'
import { Client, type UseSettings } from './client.ts'
import type { ClientContext } from './client-context.ts'
import type { RegistryAccess } from './registry-access.ts'
import { backendPlace, type RegistryBackend } from './registry-backends.ts'

export class RegistryBackendClient extends Client {
  readonly name: RegistryBackend['name']
  readonly #backend: RegistryBackend

  constructor(context: ClientContext, backend: RegistryBackend) {
    super(context)
    this.name = backend.name
    this.#backend = backend
  }

  get place(): string {
    return backendPlace(this.#backend, this.context.settings)
  }

  /** @throws {SregistryError} SETTING_INVALID for names that mean nothing here. */
  override use(settings: UseSettings): RegistryBackendClient {
    const { base } = this.#backend
    const options: Record<string, string | undefined> = {}
    for (const [name, value] of Object.entries(settings)) {
      if (name === 'registry' && base !== undefined) options[base] = value
      else if (isSettingName(name)) options[name] = value
      else {
        throw new SregistryError(
          'SETTING_INVALID',
          `the ${this.name} client has no setting "${name.slice(0, 80)}"`,
          {
            hint:
              base === undefined
                ? 'it has the SREGISTRY_ variables'
                : `it has registry, and every SREGISTRY_ variable`,
          },
        )
      }
    }
    return new RegistryBackendClient(this.context.with(options), this.#backend)
  }

  protected override async access(
    reference: Reference,
    { registryId }: BrowseOptions,
  ): Promise<RegistryAccess> {
    if (registryId !== undefined) {
      throw this.unsupported('look into the registry of an AWS account', 'aws://HOST/NAME')
    }
    const full = this.#spellOut(reference)
    const host = full.registry ?? this.#backend.host
    const isOwn = reference.registry === undefined || host === this.place
    const { noHttps } = this.#backend
    const { settings, transport } = this.context
    return {
      host,
      reference: full,
      client: createRegistryClient({
        host,
        transport,
        credentials: this.#credentials(isOwn),
        ...(isOwn && noHttps !== undefined && settings.flag(noHttps) ? { plainHttp: true } : {}),
      }),
    }
  }

  /** Docker Hub's own rules (`library/`) are part of parsing its references. */
  #spellOut(reference: Reference): Reference {
    const { scheme: _scheme, ...bare } = reference
    const registry = reference.registry ?? this.place
    return parseReference(`${this.name}://${formatReference({ ...bare, registry })}`)
  }

  /** Settings log in to the backend's own registry alone; files name the hosts they are for. */
  #credentials(isOwn: boolean): CredentialSource {
    const login = isOwn ? this.#login() : undefined
    if (login === undefined) return this.#fileCredentials()
    return async (request) => (request.refused === undefined ? login : undefined)
  }

  /** Read when a registry asks for a login, which public ones do not. */
  #fileCredentials(): CredentialSource {
    const { env, settings } = this.context
    let files: Promise<CredentialSource> | undefined
    return async (request) => {
      files ??= import('../registry/docker-credentials.ts').then(({ dockerCredentials }) =>
        dockerCredentials({ env, home: settings.home }),
      )
      return (await files)(request)
    }
  }

  #login() {
    const { settings } = this.context
    for (const { username: nameSetting, password: passwordSetting } of this.#backend.logins) {
      const username = settings.text(nameSetting)
      const password = settings.text(passwordSetting)
      if (username !== undefined && password !== undefined) {
        return { kind: 'password', username, password, from: passwordSetting } as const
      }
    }
    return undefined
  }
}
