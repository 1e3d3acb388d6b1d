/** Platforms (OCI image spec, image-index.md): which entry of an index is the image for this machine. */
import { endianness } from 'node:os'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Descriptor } from './descriptor.ts'
import type { Index } from './manifest.ts'
import { visibleText } from './visible-text.ts'

export type Platform = {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/** Node's name of an architecture → Go's, which images use. */
const architectureOfNode: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
  arm: 'arm',
  ppc64: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loong64',
  mips: 'mips',
  mipsel: 'mipsle',
}

/** Names that people write → the names that images use. */
const architectureAliases: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  i686: '386',
  armhf: 'arm',
}

const platformPart = /^[a-z0-9][a-z0-9._-]{0,63}$/

/**
 * @param text `os/architecture[/variant]`, or an architecture alone, which means linux.
 * @throws {SregistryError} USAGE when it has another form.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/')
  if (parts.length === 1) parts.unshift('linux')
  const [os, named, variant] = parts
  if (parts.length > 3 || !parts.every((part) => platformPart.test(part)) || !os || !named) {
    throw new SregistryError('USAGE', `"${visibleText(text, 80)}" is not a platform`, {
      hint: 'write os/architecture[/variant], such as linux/amd64 or linux/arm64/v8',
    })
  }
  const architecture = aliasOf(named)
  return variant === undefined ? { os, architecture } : { os, architecture, variant }
}

/** Linux on this machine's processor: what a container run here needs, on macOS too. */
export function hostPlatform(nodeArchitecture: string = process.arch): Platform {
  const known = Object.hasOwn(architectureOfNode, nodeArchitecture)
  const architecture = known ? architectureOfNode[nodeArchitecture] : undefined
  const isLittlePowerPc = nodeArchitecture === 'ppc64' && endianness() === 'LE'
  return {
    os: 'linux',
    architecture: isLittlePowerPc ? 'ppc64le' : (architecture ?? nodeArchitecture),
  }
}

export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`
  return `${platform.os}/${platform.architecture}${variant}`
}

/** Whether an image for `offered` is one for `wanted` (the variant counts only where both have one). */
export function fitsPlatform(offered: Platform, wanted: Platform): boolean {
  return variantsFor(wanted).some((variant) => matches(offered, wanted, variant))
}

/**
 * The first entry of the index that fits, best variant first. Attestations and entries for unknown
 * platforms never fit; a single entry without any platform is taken as it is.
 * @throws {SregistryError} PLATFORM_MISSING, listing what there is.
 */
export function choosePlatform(index: Index, wanted: Platform): Descriptor {
  const images = index.manifests.filter(isImageEntry)
  const [only] = images
  if (only !== undefined && images.length === 1 && only.platform === undefined) return only
  for (const variant of variantsFor(wanted)) {
    const found = images.find(
      (entry) => entry.platform !== undefined && matches(entry.platform, wanted, variant),
    )
    if (found !== undefined) return found
  }
  throw platformMissing(images, wanted)
}

function aliasOf(architecture: string): string {
  return Object.hasOwn(architectureAliases, architecture)
    ? (architectureAliases[architecture] ?? architecture)
    : architecture
}

function matches(offered: Platform, wanted: Platform, variant: string): boolean {
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    plainVariant(offered) === variant
  )
}

/** arm64 has had one variant so far: `v8` and none mean the same; so do amd64's `v1` and none. */
function plainVariant(platform: Platform): string {
  const variant = platform.variant ?? ''
  if (platform.architecture === 'arm64' && variant === 'v8') return ''
  return platform.architecture === 'amd64' && variant === 'v1' ? '' : variant
}

/**
 * Variants that run where `wanted` was asked for, best first. An ARM processor runs older variants
 * too (as containers/image chooses); one that was not told which it is gets v7 before v6 and v5.
 * Of amd64 only the plain one is taken unasked: v2 and v3 need a processor that has them.
 */
function variantsFor(wanted: Platform): readonly string[] {
  const variant = plainVariant(wanted)
  if (wanted.architecture === 'amd64') return descending(variant, 3, 2)
  if (wanted.architecture !== 'arm') return variant === '' ? [''] : [variant, '']
  return descending(variant === '' ? 'v7' : variant, 8, 5)
}

function descending(variant: string, highest: number, lowest: number): readonly string[] {
  const level = /^v(\d)$/.exec(variant)?.[1]
  if (level === undefined) return variant === '' ? [''] : [variant, '']
  const levels: string[] = []
  for (let at = Math.min(Number(level), highest); at >= lowest; at -= 1) levels.push(`v${at}`)
  return [...levels, '']
}

function isImageEntry(entry: Descriptor): boolean {
  const isUnknown = entry.platform?.os === 'unknown' || entry.platform?.architecture === 'unknown'
  const isAttestation = entry.annotations?.['vnd.docker.reference.type'] !== undefined
  return !isUnknown && !isAttestation && entry.artifactType === undefined
}

function platformMissing(images: readonly Descriptor[], wanted: Platform): SregistryError {
  const offered = images
    .flatMap((entry) => (entry.platform === undefined ? [] : [formatPlatform(entry.platform)]))
    .map((name) => visibleText(name, 80))
  const there = offered.length === 0 ? 'no image at all' : [...new Set(offered)].join(', ')
  const hint =
    offered[0] === undefined ? {} : { hint: `ask for another one: --platform ${offered[0]}` }
  return new SregistryError(
    'PLATFORM_MISSING',
    `there is no image for ${formatPlatform(wanted)}; there is ${there}`,
    hint,
  )
}
