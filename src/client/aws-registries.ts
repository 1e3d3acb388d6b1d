/**
 * The ECR registries that one aws client talks to: its own, and each that references name. Settings are
 * resolved and connections made once for each.
 */
import { type AwsConnection, connectAws } from '../aws/aws-connection.ts'
import { type AwsOptions, type AwsSettings, resolveAwsSettings } from '../aws/aws-settings.ts'
import { registryHostOf } from '../aws/partition.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { isEcrPublicHost, parseEcrAddress, parseEcrHost } from '../registry/ecr-host.ts'
import type { Reference } from '../registry/reference.ts'
import { createRegistryClient } from '../registry/registry-client.ts'
import { explainedClient } from './aws-failures.ts'
import type { BrowseOptions } from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import type { RegistryAccess } from './registry-access.ts'
import { watchedTransport } from './watched-transport.ts'

/** One registry: where it is, and the way to its control plane. */
export type AwsRegistry = {
  readonly settings: AwsSettings
  readonly connection: AwsConnection
  /** Account that owns it; undefined when only the token's `proxyEndpoint` can tell. */
  readonly account: string | undefined
}

/** The way to a data plane, knowing where its last blob came from. */
export type AwsAccess = RegistryAccess & {
  /** `host[:port]` that the last blob was asked at; undefined before the first. */
  readonly lastBlobHost: () => string | undefined
}

/** Whoever makes one closes it; closing twice is harmless. */
export class AwsRegistries {
  readonly #context: ClientContext
  readonly #options: AwsOptions
  /** By what each was made from: after a shared AWS file was mended, another is made. */
  readonly #connections = new Map<string, AwsConnection>()

  constructor(context: ClientContext, options: AwsOptions) {
    this.#context = context
    this.#options = options
  }

  /** @throws {SregistryError} SETTING_INVALID */
  settings(referenceHost: string | undefined): AwsSettings {
    return resolveAwsSettings({
      settings: this.#context.settings,
      env: this.#context.env,
      options: this.#options,
      ...(referenceHost === undefined ? {} : { referenceHost }),
    })
  }

  /**
   * The registry at this host, or the configured one.
   * @throws {SregistryError} UNSUPPORTED for ECR Public; USAGE for a host that is no ECR registry, and
   *   for an account that is none or not the host's; SETTING_MISSING without a region; SETTING_INVALID.
   */
  at(host: string | undefined, { registryId }: BrowseOptions = {}): AwsRegistry {
    this.#refuseForeignHost(host)
    checkAccount(registryId, host)
    const settings = this.settings(host)
    return {
      settings,
      connection: this.#connect(host, settings),
      account: registryId ?? settings.account?.value,
    }
  }

  /**
   * The way to the data plane of the registry that a reference names, or that belongs to the account.
   * @throws {SregistryError} as `at`; USAGE for an account whose host cannot be known.
   */
  async access(reference: Reference, options: BrowseOptions): Promise<AwsAccess> {
    checkAccount(options.registryId, reference.registry)
    const registry = this.at(reference.registry ?? this.#hostOf(options))
    const { settings, connection } = registry
    const host =
      settings.registryHost?.value ?? (await connection.tokens.get(options.signal)).registryHost
    const watched = watchedTransport(this.#context.transport)
    const client = createRegistryClient({
      host,
      transport: watched.transport,
      // ECR's hosts speak TLS alone; a setting for another host must not send them the token in clear
      plainHttp: settings.plainHttp.value && parseEcrAddress(host) === undefined,
      credentials: connection.credentials,
      sendsBasicFirst: true,
    })
    return {
      host,
      reference: { ...reference, scheme: 'aws', registry: host },
      client: explainedClient(client, { registry, host, lastHost: watched.lastHost }),
      lastBlobHost: watched.lastHost,
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  /** Another account's registry has a host of its own; undefined for the configured one. */
  #hostOf({ registryId }: BrowseOptions): string | undefined {
    const { account, region, registryHost, variant } = this.settings(undefined)
    if (registryId === undefined || registryId === account?.value) return undefined
    if (registryHost !== undefined && parseEcrHost(registryHost.value) === undefined) {
      const message = `nothing tells the host of account ${registryId}: the registry set is ${registryHost.value}`
      throw new SregistryError('USAGE', message, {
        hint: 'name the host in the reference: aws://HOST/NAME',
      })
    }
    return region === undefined ? undefined : registryHostOf(registryId, region.value, variant)
  }

  /** ECR's token opens every ECR registry, so it goes to ECR's hosts and the configured one alone. */
  #refuseForeignHost(host: string | undefined): void {
    if (host === undefined) return
    if (isEcrPublicHost(host)) {
      throw new SregistryError('UNSUPPORTED', `${host} is ECR Public, not a private registry`, {
        hint: 'use the ecr-public client: ecr-public://NAME',
      })
    }
    if (parseEcrAddress(host) !== undefined) return
    if (host === this.settings(undefined).registryHost?.value) return
    throw new SregistryError('USAGE', `${host} is not an ECR registry`, {
      hint: `use docker://${host}/NAME, or set SREGISTRY_AWS_BASE to this host`,
    })
  }

  #connect(host: string | undefined, settings: AwsSettings): AwsConnection {
    const key = connectionKey(host, settings)
    const known = this.#connections.get(key)
    if (known !== undefined) return known
    const { transport, env, mfaCode } = this.#context
    const tokenCachePath = this.#context.settings.path('SREGISTRY_CREDENTIALS_CACHE')
    const connection = connectAws({
      settings,
      transport,
      env,
      home: this.#context.settings.home,
      ...(mfaCode === undefined ? {} : { mfaCode }),
      ...(tokenCachePath === undefined ? {} : { tokenCachePath }),
    })
    this.#connections.set(key, connection)
    return connection
  }
}

/** The settings that may change while a client lives: those of the shared AWS files. */
function connectionKey(host: string | undefined, settings: AwsSettings): string {
  const { account, region, endpoint, profile, variant } = settings
  return JSON.stringify([
    host,
    account?.value,
    region?.value,
    endpoint?.value,
    profile.value,
    variant,
  ])
}

/** A name and an account that contradict each other: neither may be asked in the other's place. */
function checkAccount(registryId: string | undefined, host: string | undefined): void {
  if (registryId === undefined) return
  if (!/^\d{12}$/.test(registryId)) {
    const message = `${JSON.stringify(registryId.slice(0, 40))} is no AWS account`
    throw new SregistryError('USAGE', message, { hint: 'it is twelve digits, no dashes' })
  }
  const named = host === undefined ? undefined : parseEcrAddress(host)?.account
  if (named === undefined || named === registryId) return
  throw new SregistryError(
    'USAGE',
    `the reference names the registry of ${named}, and the account is ${registryId}`,
    { hint: 'leave the account out: the host in the reference tells it' },
  )
}
