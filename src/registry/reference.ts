/**
 * Image references: `[scheme://][registry/]repository[:tag][@digest]`. The grammar is the
 * distribution spec's (`reference.go`); the `library/` and `docker.io` rules of Docker Hub hold for the
 * scheme `docker` alone, because in every other registry `busybox` and `library/busybox` are two names.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type Digest, formatDigest, parseDigest } from './digest.ts'
import { visibleText } from './visible-text.ts'

export type ReferenceScheme = 'aws' | 'docker' | 'nvidia' | 'ecr-public'

export type Reference = {
  readonly scheme?: ReferenceScheme
  /** `host[:port]`, lower case; absent when the client's own registry is meant. */
  readonly registry?: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

const schemes: readonly string[] = ['aws', 'docker', 'nvidia', 'ecr-public']
/** Names of Docker Hub that mean the same registry. */
const dockerHubNames = ['docker.io', 'index.docker.io', 'registry-1.docker.io']
const maxReferenceCharacters = 1024
const maxRepositoryCharacters = 255

const repositoryComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const hostPattern =
  /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/

/** A stretch of the text with the place where it stands, so that errors can point at it. */
type Part = { readonly text: string; readonly at: number }

/**
 * @throws {SregistryError} REFERENCE_INVALID, with the reference and a caret under the offending place.
 * @see DESIGN § 4; OCI distribution spec § Pulling manifests (grammar of name and tag)
 */
export function parseReference(text: string): Reference {
  if (text.length > maxReferenceCharacters) {
    throw referenceError(text, 0, `it is longer than ${maxReferenceCharacters} characters`)
  }
  const { scheme, rest } = splitScheme(text)
  const { name, digest } = splitDigest(text, rest)
  const { registry, path } = splitRegistry(text, name)
  const { repository, tag } = splitTag(text, path)
  checkRepository(text, repository)
  return normalised({
    ...(scheme === undefined ? {} : { scheme }),
    ...(registry === undefined ? {} : { registry }),
    repository: repository.text,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  })
}

/** The text that `parseReference` turns into the same reference. */
export function formatReference(reference: Reference): string {
  const scheme = reference.scheme === undefined ? '' : `${reference.scheme}://`
  const registry = reference.registry === undefined ? '' : `${reference.registry}/`
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${formatDigest(reference.digest)}`
  return `${scheme}${registry}${reference.repository}${tag}${digest}`
}

/** What a manifest is asked for by: the digest if there is one, else the tag, else `latest`. */
export function manifestName(reference: Reference): string {
  return reference.digest === undefined
    ? (reference.tag ?? 'latest')
    : formatDigest(reference.digest)
}

function splitScheme(text: string): { scheme: ReferenceScheme | undefined; rest: Part } {
  const end = text.indexOf('://')
  if (end < 0) return { scheme: undefined, rest: { text, at: 0 } }
  const scheme = text.slice(0, end).toLowerCase()
  if (!schemes.includes(scheme)) {
    const known = schemes.map((name) => `${name}://`).join(', ')
    throw referenceError(text, 0, `its scheme is none of ${known}; leave other schemes away`)
  }
  return { scheme: scheme as ReferenceScheme, rest: { text: text.slice(end + 3), at: end + 3 } }
}

function splitDigest(text: string, rest: Part): { name: Part; digest: Digest | undefined } {
  const at = rest.text.indexOf('@')
  if (at < 0) return { name: rest, digest: undefined }
  try {
    const digest = parseDigest(rest.text.slice(at + 1))
    return { name: { text: rest.text.slice(0, at), at: rest.at }, digest }
  } catch {
    // parseDigest speaks of manifests; here the reference is what is wrong
    const wanted = 'after @ a digest must follow: sha256: and 64 lower-case hex digits'
    throw referenceError(text, rest.at + at + 1, wanted)
  }
}

/** The first component is a registry only if nothing else can look so: a dot, a port or localhost. */
function splitRegistry(text: string, name: Part): { registry: string | undefined; path: Part } {
  const slash = name.text.indexOf('/')
  const first = slash < 0 ? '' : name.text.slice(0, slash)
  if (!/[.:[]/.test(first) && first.toLowerCase() !== 'localhost') {
    return { registry: undefined, path: name }
  }
  const registry = first.toLowerCase()
  const port = hostPattern.exec(registry)
  if (port === null || !isHostReadable(registry) || Number(port[1] ?? 1) < 1) {
    throw referenceError(
      text,
      name.at,
      `"${visibleText(first, 80)}" is not a registry's host[:port]`,
    )
  }
  return { registry, path: { text: name.text.slice(slash + 1), at: name.at + slash + 1 } }
}

function isHostReadable(registry: string): boolean {
  try {
    return new URL(`https://${registry}/`).hostname !== ''
  } catch {
    // `new URL` refuses ports above 65535 and broken IPv6 addresses
    return false
  }
}

function splitTag(text: string, path: Part): { repository: Part; tag: string | undefined } {
  const colon = path.text.indexOf(':', path.text.lastIndexOf('/') + 1)
  if (colon < 0) return { repository: path, tag: undefined }
  const tag = path.text.slice(colon + 1)
  if (!tagPattern.test(tag)) {
    const wrong = tag === '' ? 0 : firstOffence(tag, /^[A-Za-z0-9_]/, /[A-Za-z0-9._-]/, 128)
    const rule =
      'a tag has 1 to 128 letters, digits, "_", "." or "-", and starts with none of "." "-"'
    throw referenceError(text, path.at + colon + 1 + wrong, rule)
  }
  return { repository: { text: path.text.slice(0, colon), at: path.at }, tag }
}

function firstOffence(text: string, start: RegExp, inside: RegExp, maxCharacters: number): number {
  if (!start.test(text)) return 0
  for (let at = 1; at < text.length; at += 1) {
    if (at >= maxCharacters || !inside.test(text.charAt(at))) return at
  }
  return text.length
}

function checkRepository(text: string, repository: Part): void {
  if (repository.text === '') throw referenceError(text, repository.at, 'a repository is missing')
  if (repository.text.length > maxRepositoryCharacters) {
    const rule = `a repository has at most ${maxRepositoryCharacters} characters`
    throw referenceError(text, repository.at + maxRepositoryCharacters, rule)
  }
  let at = repository.at
  for (const component of repository.text.split('/')) {
    if (!repositoryComponent.test(component)) throw componentError(text, component, at)
    at += component.length + 1
  }
}

function componentError(text: string, component: string, at: number): SregistryError {
  if (component === '') return referenceError(text, at, 'a part of the repository is empty')
  const wrong = firstOffence(component, /^[a-z0-9]/, /[a-z0-9._-]/, component.length)
  const place = wrong < component.length ? wrong : misplacedSeparator(component)
  const rule = /[A-Z]/.test(component.charAt(place))
    ? 'repositories are lower case (tags are not)'
    : 'a repository has lower-case letters and digits, joined by ".", "_", "__" or "-"'
  return referenceError(text, at + place, rule)
}

function misplacedSeparator(component: string): number {
  const good = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*/.exec(component)
  return good?.[0].length ?? 0
}

function normalised(reference: Reference): Reference {
  if (reference.scheme !== 'docker') return reference
  const registry = reference.registry ?? 'docker.io'
  if (!dockerHubNames.includes(registry)) return { ...reference, registry }
  const repository = reference.repository.includes('/')
    ? reference.repository
    : `library/${reference.repository}`
  return { ...reference, registry: 'docker.io', repository }
}

function referenceError(text: string, at: number, why: string): SregistryError {
  const width = 120
  const from = Math.max(0, at - width / 2)
  const before = visibleText(text.slice(from, at), width)
  const shown = `${before}${visibleText(text.slice(at, from + width), width)}`
  return new SregistryError(
    'REFERENCE_INVALID',
    `not an image reference: ${why}\n  ${shown}\n  ${' '.repeat(before.length)}^`,
    {
      hint: 'write [scheme://][registry/]repository[:tag][@sha256:…], such as aws://library/busybox:1.36',
    },
  )
}
