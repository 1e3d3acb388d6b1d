/**
 * One ECR control plane in one region: builds the SDK's client at the first call (nothing of AWS is
 * loaded before), sends commands, and turns every failure into an error of ours.
 */
import type { ECRClient, ECRClientConfig } from '@aws-sdk/client-ecr'
import { SregistryError } from '../errors/sregistry-error.ts'
import { untilAborted } from '../errors/until-aborted.ts'
import { type ContainerEndpoint, containerAwareChain } from './container-aware-chain.ts'
import { type AwsCredentialIdentity, credentialSource } from './credential-source.ts'
import { hasAnswered, isCredentialFailure, translateSdkError } from './sdk-error.ts'
import { credentialsOperation, type SdkErrorContext } from './sdk-error-context.ts'
import {
  createSdkRequestHandler,
  type SdkRequestHandlerOptions,
  type SdkTransport,
  type ServerClock,
  type UnansweredRequest,
} from './sdk-request-handler.ts'
import type { Secret } from './secret.ts'

export type Sdk = typeof import('@aws-sdk/client-ecr')

/** A key pair of our own settings, first among all credentials. */
export type KeyPair = {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret
}

export type EcrClientOptions = {
  /** Region that requests are signed for. */
  readonly region: string
  readonly transport: SdkTransport
  /** Another control plane, as `http://127.0.0.1:4566`. Default: AWS's for the region. */
  readonly endpoint?: string
  /** Profile of the shared configuration. Default: `AWS_PROFILE`, then `default`. */
  readonly profile?: string
  /** Default: the SDK's own chain. */
  readonly keyPair?: KeyPair
  readonly useFips?: boolean
  readonly useDualStack?: boolean
  /** Asked for the code of an MFA device. Default: a profile with `mfa_serial` fails. */
  readonly mfaCode?: (serialNumber: string) => Promise<string>
  /** Wait for each answer of EC2 instance metadata. Default: the SDK's, 1 s. */
  readonly metadataTimeoutMs?: number
  /** Where the container's credential endpoint is; undefined outside of one. */
  readonly container?: ContainerEndpoint
  /** Attempts of one call. Default: 3. */
  readonly maxAttempts?: number
  /** What errors should know of the settings (where credentials come from, the proxy's host). */
  readonly context?: Partial<SdkErrorContext>
}

/** One call: which command, and how errors shall name it. */
export type EcrCall<Output> = {
  /** Operation of the API, as `DescribeImages`. */
  readonly operation: string
  readonly run: (client: ECRClient, sdk: Sdk, signal: AbortSignal | undefined) => Promise<Output>
  readonly context?: Partial<SdkErrorContext>
  readonly signal?: AbortSignal
}

/** Owns the SDK's client and its sockets: whoever creates one closes it. */
export class EcrControlPlane {
  readonly region: string
  readonly #options: EcrClientOptions
  #client: Promise<{ client: ECRClient; sdk: Sdk }> | undefined
  #clock: ServerClock | undefined
  #unanswered: UnansweredRequest | undefined
  #mayAsk = true
  #stop = new AbortController()

  constructor(options: EcrClientOptions) {
    this.region = options.region
    this.#options = options
  }

  /** What the last answer said of AWS's clock. */
  get clock(): ServerClock | undefined {
    return this.#clock
  }

  /**
   * Sends one command.
   * @throws {SregistryError} a code for each row of REGISTRY § 1.2, CANCELLED when the signal fires.
   */
  async call<Output>(call: EcrCall<Output>): Promise<Output> {
    this.#unanswered = undefined
    const progress = { hasCredentials: false }
    try {
      return await untilAborted(this.#run(call, progress), call.signal)
    } catch (error) {
      const failed = progress.hasCredentials ? call : credentialsOf(call)
      const context = { ...this.#errorContext(failed), ...(await this.#usedCredentials(error)) }
      // The SDK keeps what it read of ~/.aws: only a new client sees a file that was mended meanwhile.
      if (isCredentialFailure(error)) this.close()
      throw translateSdkError(error, context)
    }
  }

  /**
   * The credentials that requests are signed with, resolved but not shown.
   * @throws {SregistryError} CREDENTIALS_MISSING and its siblings.
   */
  credentials(signal?: AbortSignal): Promise<AwsCredentialIdentity> {
    return this.call({
      operation: credentialsOperation,
      run: (client) => client.config.credentials(),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  /** Forgets credentials and sockets; the next call starts anew. Closing twice is harmless. */
  close(): void {
    const opened = this.#client
    this.#client = undefined
    this.#stop.abort()
    this.#stop = new AbortController()
    opened?.then(
      ({ client }) => client.destroy(),
      () => undefined, // it never opened: nothing to close, and `call` has told why
    )
  }

  async #run<Output>(
    call: EcrCall<Output>,
    progress: { hasCredentials: boolean },
  ): Promise<Output> {
    const { client, sdk } = await this.#open()
    // the SDK would look for them itself, and keeps what it found: here a failure of theirs is known as one
    await client.config.credentials()
    progress.hasCredentials = true
    return call.run(client, sdk, call.signal)
  }

  /** What AWS refused: the client still holds it. Where it holds none, nobody is asked for a code again. */
  async #usedCredentials(error: unknown): Promise<Partial<SdkErrorContext>> {
    const wasRefused = isCredentialFailure(error) && hasAnswered(error)
    if (!wasRefused || this.#options.keyPair !== undefined) return {}
    this.#mayAsk = false
    try {
      const { client } = await this.#open()
      const identity = await client.config.credentials()
      return {
        keyId: identity.accessKeyId,
        hasSessionToken: identity.sessionToken !== undefined,
        credentialSource: credentialSource(identity, this.#options.profile ?? 'default'),
      }
    } catch {
      return {} // there are none: that is the failure that is being told
    } finally {
      this.#mayAsk = true
    }
  }

  #open(): Promise<{ client: ECRClient; sdk: Sdk }> {
    const { mfaCode } = this.#options
    const options =
      mfaCode === undefined
        ? this.#options
        : { ...this.#options, mfaCode: (serial: string) => this.#ask(mfaCode, serial) }
    this.#client ??= openClient(options, this.#stop.signal, {
      onClock: (clock) => {
        this.#clock = clock
      },
      onUnanswered: (request) => {
        this.#unanswered = request
      },
    })
    return this.#client
  }

  async #ask(mfaCode: (serial: string) => Promise<string>, serial: string): Promise<string> {
    if (this.#mayAsk) return mfaCode(serial)
    throw new SregistryError('CREDENTIALS_MISSING', 'the code has been asked for already')
  }

  #errorContext(call: Omit<EcrCall<unknown>, 'run'>): SdkErrorContext {
    return {
      operation: call.operation,
      region: this.region,
      ...(this.#options.endpoint === undefined ? {} : { endpoint: this.#options.endpoint }),
      ...(this.#options.profile === undefined ? {} : { profile: this.#options.profile }),
      ...(this.#clock === undefined ? {} : { clock: this.#clock }),
      ...(this.#unanswered === undefined ? {} : { unanswered: this.#unanswered }),
      ...this.#options.context,
      ...call.context,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    }
  }
}

/** The call as far as it came: no further than to the services that credentials come from. */
function credentialsOf({ signal }: EcrCall<unknown>): Omit<EcrCall<unknown>, 'run'> {
  return { operation: credentialsOperation, ...(signal === undefined ? {} : { signal }) }
}

type Observers = Pick<SdkRequestHandlerOptions, 'onClock' | 'onUnanswered'>

async function openClient(
  options: EcrClientOptions,
  stop: AbortSignal,
  observers: Observers,
): Promise<{ client: ECRClient; sdk: Sdk }> {
  const sdk = await import('@aws-sdk/client-ecr')
  const config = clientConfig(options, observers)
  const { container, keyPair } = options
  const make = (more: object) => new sdk.ECRClient({ ...config, ...more })
  const isOwn = container === undefined || keyPair !== undefined
  return withoutVersionWarning(() => ({
    client: make(isOwn ? {} : { credentials: containerAwareChain(make, container, stop) }),
    sdk,
  }))
}

const versionWarning = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'

/**
 * On Node 20 the SDK's first client prints a warning, which would land in the prompt. It looks at
 * this variable once a process (core `emitWarningIfUnsupportedVersion`) and has no other switch.
 */
function withoutVersionWarning<Made>(make: () => Made): Made {
  const before = process.env[versionWarning]
  process.env[versionWarning] = 'true'
  try {
    return make()
  } finally {
    if (before === undefined) delete process.env[versionWarning]
    else process.env[versionWarning] = before
  }
}

// The SDK hands its whole configuration to the default credential provider, which reads these two
// (credential-provider-node `defaultProvider`, core `normalizeCredentialProvider`): so a renewed
// client reads ~/.aws anew, MFA can be asked for, and the inner SSO client, which unlike STS takes
// nothing from its parent, passes through our proxy and CA too. All without a second dependency.
type ProviderInput = {
  readonly ignoreCache: true
  readonly clientConfig: Pick<ECRClientConfig, 'requestHandler' | 'logger'>
  readonly mfaCodeProvider?: (serialNumber: string) => Promise<string>
  /** Of instance and container metadata (credential-provider-imds `RemoteProviderInit`). */
  readonly timeout?: number
}

function clientConfig(
  options: EcrClientOptions,
  observers: Observers,
): ECRClientConfig & ProviderInput {
  const { endpoint, keyPair, metadataTimeoutMs, mfaCode, profile } = options
  const shared = {
    requestHandler: createSdkRequestHandler(options.transport, observers),
    logger: silentLogger,
  }
  return {
    region: options.region,
    maxAttempts: options.maxAttempts ?? 3,
    retryMode: 'standard',
    ...shared,
    ignoreCache: true,
    clientConfig: shared,
    ...endpointConfig(options, endpoint),
    ...(profile === undefined ? {} : { profile }),
    ...(metadataTimeoutMs === undefined ? {} : { timeout: metadataTimeoutMs }),
    ...(mfaCode === undefined ? {} : { mfaCodeProvider: mfaCode }),
    ...(keyPair === undefined ? {} : { credentials: revealed(keyPair) }),
  }
}

// "FIPS and custom endpoint are not supported" (ECR rule set): a given endpoint is taken as it is.
function endpointConfig(
  options: EcrClientOptions,
  endpoint: string | undefined,
): Pick<ECRClientConfig, 'endpoint' | 'useFipsEndpoint' | 'useDualstackEndpoint'> {
  if (endpoint !== undefined) {
    return { endpoint, useFipsEndpoint: false, useDualstackEndpoint: false }
  }
  return {
    ...(options.useFips === undefined ? {} : { useFipsEndpoint: options.useFips }),
    ...(options.useDualStack === undefined ? {} : { useDualstackEndpoint: options.useDualStack }),
  }
}

function revealed({ accessKeyId, secretAccessKey, sessionToken }: KeyPair): AwsCredentialIdentity {
  return {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
  }
}

const drop = (): void => undefined
// Info and debug lines hold requests and answers, the token among them: they go nowhere. Neither do
// records of failed commands (middleware-logger): the failure itself is thrown and told. Its warnings are for
// programmers; that a profile and keys are both set is the doctor's to say.
const silentLogger = { trace: drop, debug: drop, info: drop, warn: drop, error: drop } as const
