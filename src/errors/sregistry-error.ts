/**
 * The closed set of errors. Each code names a class of cause; the message says what happened and to
 * what, the hint says what to do next. Thrown where the knowledge is, shown by cli/ and shell/.
 */

/** Every code, with the class of cause it stands for. */
export const errorCodes = {
  // what was asked for
  REFERENCE_INVALID: 'an image reference that cannot be parsed',
  USAGE: 'a command or call with wrong arguments',
  UNSUPPORTED: 'something this backend, Node or format cannot do',
  SETTING_INVALID: 'a setting whose value makes no sense',
  SETTING_MISSING: 'a setting that is needed and not there',
  // credentials and access
  CREDENTIALS_MISSING: 'no credentials were found',
  CREDENTIALS_INVALID: 'the credentials were refused',
  CREDENTIALS_EXPIRED: 'the credentials or the token are over',
  ACCESS_DENIED: 'the identity is known and not allowed to do this',
  CLOCK_SKEW: 'the clock of this machine is too far from the server’s',
  // the registry's answers
  NAME_UNKNOWN: 'the repository does not exist, or is hidden',
  MANIFEST_UNKNOWN: 'the tag or digest does not exist in the repository',
  BLOB_UNKNOWN: 'a blob that the manifest names does not exist',
  PLATFORM_MISSING: 'the image exists, but not for this platform',
  NOT_AN_IMAGE: 'the reference names something that is not a container image',
  REPOSITORY_EXISTS: 'a repository to be created is there already',
  THROTTLED: 'the registry asks for fewer requests',
  REGISTRY_ERROR: 'the registry answered with an error of its own',
  PROTOCOL_ERROR: 'the answer is not what the protocol allows (HTML, wrong type, malformed)',
  // the network
  NETWORK: 'the host could not be reached, or the connection broke too often',
  TLS: 'the certificate of the host is not trusted',
  TIMEOUT: 'the host did not answer in time',
  // bytes
  DIGEST_MISMATCH: 'bytes that are not what their digest says',
  SIZE_MISMATCH: 'more or fewer bytes than the descriptor says',
  LAYER_INVALID: 'a layer that cannot be decompressed or is no valid tar archive',
  MANIFEST_INVALID: 'a manifest, index or config that breaks its specification',
  LIMIT_EXCEEDED: 'a limit that guards against hostile input',
  IMAGE_INVALID: 'a squashfs or SIF file that is damaged or of an unknown form',
  // the machine
  DISK_FULL: 'no room, or the quota is exceeded',
  NOT_WRITABLE: 'a directory or file that cannot be written',
  STORAGE: 'another failure of the file system',
  DATABASE: 'the catalogue cannot be read or written',
  IMAGE_EXISTS: 'an image is there already and would be replaced',
  IMAGE_NOT_FOUND: 'no such image in the local catalogue',
  // ends that are no failures of ours
  CANCELLED: 'interrupted by the user or by a signal',
  INTERNAL: 'a bug in sregistry',
} as const

export type ErrorCode = keyof typeof errorCodes

export type SregistryErrorOptions = {
  /** The one thing to do next: a command, a setting, a policy. */
  readonly hint?: string
  /** What was caught, kept for `--debug`; never shown raw. */
  readonly cause?: unknown
}

/** An error with a code of the closed set, a message for people and, where there is one, a mend. */
export class SregistryError extends Error {
  override readonly name = 'SregistryError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: SregistryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

export function isSregistryError(error: unknown): error is SregistryError {
  return error instanceof SregistryError
}

/** The exit code of the process that ends with this error: 130 cancelled, 2 usage, else 1. */
export function exitCodeOf(error: unknown): number {
  if (!isSregistryError(error)) return 1
  if (error.code === 'CANCELLED') return 130
  return error.code === 'USAGE' || error.code === 'REFERENCE_INVALID' ? 2 : 1
}
