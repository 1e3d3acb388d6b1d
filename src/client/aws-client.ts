/** ECR: the data plane with the token of the control plane, and what the control plane knows. */
import type { AwsOptions } from '../aws/aws-settings.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { parseReference, type Reference } from '../registry/reference.ts'
import { isSettingName } from '../settings/setting-table.ts'
import { browseRepositories, browseTags, makeRepository, searchImages } from './aws-browsing.ts'
import { imageDescription, repositoryDescription } from './aws-description.ts'
import { identityOf, policyText, tokenFacts, tokenPassword } from './aws-identity.ts'
import { AwsRegistries } from './aws-registries.ts'
import type {
  BrowseOptions,
  CallOptions,
  DoctorOptions,
  PolicyOptions,
  TokenOptions,
} from './call-options.ts'
import { Client, type UseSettings } from './client.ts'
import type { ClientContext } from './client-context.ts'
import { DoctorRun } from './doctor-run.ts'
import { splitHost } from './name-pattern.ts'
import type { RegistryAccess } from './registry-access.ts'
import type {
  Description,
  Identity,
  RemoteImage,
  RepositorySummary,
  TokenFacts,
} from './registry-facts.ts'
import { RemoteList } from './remote-list.ts'

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

/** The options that can be kept, by their names in the environment. */
const keptNames = {
  account: 'SREGISTRY_AWS_ID',
  region: 'SREGISTRY_AWS_ZONE',
  base: 'SREGISTRY_AWS_BASE',
} as const

export class AwsClient extends Client {
  readonly name = 'aws'
  readonly #options: AwsOptions
  readonly #registries: AwsRegistries

  constructor(context: ClientContext, options: AwsOptions = {}) {
    super(context)
    this.#options = options
    this.#registries = new AwsRegistries(context, options)
  }

  get place(): string | undefined {
    return this.#registries.settings(undefined).region?.value
  }

  /** @throws {SregistryError} SETTING_INVALID for names that mean nothing here. */
  override use(settings: UseSettings): AwsClient {
    const options: Record<string, unknown> = { ...this.#options }
    const environment: Record<string, string | undefined> = {}
    for (const [name, value] of Object.entries(settings)) {
      const short = shortNames[name]
      if (short !== undefined) options[short] = value
      else if (isSettingName(name)) environment[name] = value
      else throw unknownSetting(name)
    }
    return new AwsClient(this.context.with(environment), options as AwsOptions)
  }

  override tags(repository: string, options: BrowseOptions = {}): RemoteList<string> {
    const reference = parseReference(repository)
    if (!this.owns(reference)) return super.tags(repository, options)
    return new RemoteList(() => {
      const registry = this.#registries.at(reference.registry, options)
      return browseTags(registry, reference.repository, options, async () => {
        const access = await this.access(reference, options)
        return access.client.tags(reference.repository, options)
      })
    })
  }

  override repositories(glob?: string, options: BrowseOptions = {}): RemoteList<RepositorySummary> {
    const { registry, pattern } = splitHost(glob ?? '')
    return new RemoteList(() =>
      browseRepositories(this.#registries.at(registry, options), pattern, options),
    )
  }

  override search(query?: string, options: BrowseOptions = {}): RemoteList<RemoteImage> {
    const { registry: host, pattern } = splitHost(query ?? '')
    return new RemoteList(() => this.#search(host, pattern, options))
  }

  override async describe(what: string, options: BrowseOptions = {}): Promise<Description> {
    const reference = parseReference(what)
    const owner = await this.ownerOf(reference)
    if (owner !== this) return owner.describe(what, options)
    const registry = this.#registries.at(reference.registry, options)
    if (reference.tag === undefined && reference.digest === undefined) {
      return repositoryDescription(registry, reference.repository, options)
    }
    const { onWarning } = this.context
    return imageDescription(registry, await this.access(reference, options), {
      ...options,
      onWarning,
    })
  }

  override async createRepository(
    name: string,
    options: BrowseOptions = {},
  ): Promise<RepositorySummary> {
    const { registry, repository } = parseReference(name)
    return makeRepository(this.#registries.at(registry, options), repository, options)
  }

  override async whoami(options: CallOptions = {}): Promise<Identity> {
    return identityOf(this.#registries.at(undefined), options)
  }

  override token(options: TokenOptions & { readonly raw: true }): Promise<string>
  override token(options?: TokenOptions): Promise<TokenFacts | string>
  override async token(options: TokenOptions = {}): Promise<TokenFacts | string> {
    const registry = this.#registries.at(undefined)
    return options.raw === true ? tokenPassword(registry, options) : tokenFacts(registry, options)
  }

  override async policy(kind = 'pull', options: PolicyOptions = {}): Promise<string> {
    const { registry, pattern } = splitHost(options.repository ?? '*')
    return policyText(this.#registries.at(registry), kind, { ...options, repository: pattern })
  }

  override doctor(reference?: string, options: DoctorOptions = {}): DoctorRun {
    const parsed = reference === undefined ? undefined : parseReference(reference)
    return new DoctorRun(() => this.#examine(parsed, options), options.onProgress)
  }

  override async close(): Promise<void> {
    this.#registries.close()
    await super.close()
  }

  protected override access(reference: Reference, options: BrowseOptions): Promise<RegistryAccess> {
    return this.#registries.access(reference, options)
  }

  async *#search(
    host: string | undefined,
    pattern: string,
    options: BrowseOptions,
  ): AsyncGenerator<RemoteImage> {
    const registry = this.#registries.at(host, options)
    const { tokens } = registry.connection
    const known = registry.settings.registryHost?.value
    const registryHost = known ?? (await tokens.get(options.signal)).registryHost
    const { onWarning } = this.context
    yield* searchImages(registry, pattern, { ...options, host: registryHost, onWarning })
  }

  /** Loaded when it is needed: nobody's pull waits for the doctor. */
  async *#examine(reference: Reference | undefined, options: DoctorOptions) {
    const { examineAws } = await import('./aws-doctor.ts')
    const told = Object.entries(keptNames).flatMap(([option, variable]) => {
      const value = this.#options[option as keyof typeof keptNames]
      return value === undefined ? [] : [[variable, value] as const]
    })
    yield* examineAws({
      context: this.context,
      registries: this.#registries,
      reference,
      told: Object.fromEntries(told),
      options,
    })
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
