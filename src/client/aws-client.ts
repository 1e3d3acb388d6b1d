/** ECR: the data plane with the token of the control plane, and what the control plane knows. */
import { type AwsConnection, connectAws } from '../aws/aws-connection.ts'
import { type AwsOptions, type AwsSettings, resolveAwsSettings } from '../aws/aws-settings.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { isEcrPublicHost, parseEcrHost } from '../registry/ecr-host.ts'
import type { Reference } from '../registry/reference.ts'
import { createRegistryClient } from '../registry/registry-client.ts'
import type { CallOptions } from './call-options.ts'
import { Client, type UseSettings } from './client.ts'
import type { ClientContext } from './client-context.ts'
import type { RegistryAccess } from './registry-access.ts'

/** Short names of `use`, each with the option it stands for. */
const shortNames: Readonly<Record<string, keyof AwsOptions>> = {
  account: 'account',
  registry: 'base',
  base: 'base',
  region: 'region',
  zone: 'region',
  profile: 'profile',
  endpoint: 'endpoint',
}

export class AwsClient extends Client {
  readonly name = 'aws'
  readonly #options: AwsOptions
  /** One connection for each registry that references name; '' is the configured one. */
  readonly #connections = new Map<string, AwsConnection>()

  constructor(context: ClientContext, options: AwsOptions = {}) {
    super(context)
    this.#options = options
  }

  get place(): string | undefined {
    return this.#settings(undefined).region?.value
  }

  /** @throws {SregistryError} SETTING_INVALID for names that mean nothing here. */
  override use(settings: UseSettings): AwsClient {
    const options: Record<string, unknown> = { ...this.#options }
    const environment: Record<string, string | undefined> = {}
    for (const [name, value] of Object.entries(settings)) {
      const short = shortNames[name]
      if (short !== undefined) options[short] = value
      else if (/^(SREGISTRY|SINGULARITY)_[A-Z_]+$/.test(name)) environment[name] = value
      else throw unknownSetting(name)
    }
    return new AwsClient(this.context.with(environment), options as AwsOptions)
  }

  override async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
    await super.close()
  }

  protected override async access(
    reference: Reference,
    options: CallOptions,
  ): Promise<RegistryAccess> {
    if (reference.registry !== undefined && isEcrPublicHost(reference.registry)) {
      throw new SregistryError(
        'UNSUPPORTED',
        `${reference.registry} is ECR Public, not a private registry`,
        {
          hint: `use ecr-public://${reference.repository}`,
        },
      )
    }
    const settings = this.#settings(reference.registry)
    this.#refuseForeignHost(reference)
    const connection = this.#connect(reference.registry, settings)
    const host =
      settings.registryHost?.value ?? (await connection.tokens.get(options.signal)).registryHost
    return {
      host,
      reference: { ...reference, scheme: 'aws', registry: host },
      client: createRegistryClient({
        host,
        transport: this.context.transport,
        plainHttp: settings.plainHttp.value,
        credentials: connection.credentials,
        sendsBasicFirst: true,
      }),
    }
  }

  /** ECR's token opens every ECR registry, so it goes to ECR's hosts and the configured one alone. */
  #refuseForeignHost({ registry, repository }: Reference): void {
    if (registry === undefined || parseEcrHost(registry.replace(/:\d+$/, '')) !== undefined) return
    if (registry === this.#settings(undefined).registryHost?.value) return
    throw new SregistryError('USAGE', `${registry} is not an ECR registry`, {
      hint: `use docker://${registry}/${repository}, or set SREGISTRY_AWS_BASE to this host`,
    })
  }

  #settings(referenceHost: string | undefined): AwsSettings {
    return resolveAwsSettings({
      settings: this.context.settings,
      env: this.context.env,
      options: this.#options,
      ...(referenceHost === undefined ? {} : { referenceHost }),
    })
  }

  #connect(registry: string | undefined, settings: AwsSettings): AwsConnection {
    const known = this.#connections.get(registry ?? '')
    if (known !== undefined) return known
    const { transport, env, mfaCode, onWarning } = this.context
    const tokenCachePath = this.context.settings.path('SREGISTRY_CREDENTIALS_CACHE')
    const connection = connectAws({
      settings,
      transport,
      env,
      home: this.context.settings.home,
      onWarning,
      ...(mfaCode === undefined ? {} : { mfaCode }),
      ...(tokenCachePath === undefined ? {} : { tokenCachePath }),
    })
    this.#connections.set(registry ?? '', connection)
    return connection
  }
}

function unknownSetting(name: string): SregistryError {
  const known = Object.keys(shortNames).join(', ')
  return new SregistryError(
    'SETTING_INVALID',
    `the aws client has no setting "${name.slice(0, 80)}"`,
    {
      hint: `it has ${known}, and every SREGISTRY_ variable`,
    },
  )
}
