/** Fills an empty store with images made from this machine's own programs: nothing is downloaded. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from './blob-store.ts'
import { pushImage } from './image-push.ts'
import { type LayerArchive, seedTimeMs } from './layer-archive.ts'
import type { RegistryState } from './registry-state.ts'
import type { Repository, ScanFinding, StoredImage } from './repository-store.ts'
import { type SeedLayers, seedLayers } from './seed-layers.ts'

/**
 * Seeds once: a store that was seeded before stays as it is, also where images were deleted since.
 * @throws {SregistryError} UNSUPPORTED without Linux programs to take.
 */
export async function seed(state: RegistryState, root: string): Promise<void> {
  const marker = join(root, 'seeded')
  if (existsSync(marker)) return
  const layers = await seedLayers()
  await seedBusybox(state, layers)
  await seedTools(state, layers)
  await seedHello(state, layers)
  await seedMulti(state, layers)
  await writeFile(marker, '')
}

/** Both families of media types, since registries hold both. */
const mediaTypes = {
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
} as const

const indexType = 'application/vnd.oci.image.index.v1+json'
const searchPath = 'PATH=/usr/local/bin:/usr/bin:/bin'

type SeedImage = {
  readonly family: keyof typeof mediaTypes
  readonly layers: readonly LayerArchive[]
  readonly architecture?: string
  readonly config: Readonly<Record<string, unknown>>
  readonly tag?: string
}

async function seedBusybox(state: RegistryState, { shell, changes }: SeedLayers): Promise<void> {
  await push(state, await repository(state, 'library/busybox'), {
    family: 'docker',
    layers: [shell, changes],
    config: {
      Env: [searchPath],
      Cmd: ['sh'],
      Labels: { 'org.opencontainers.image.title': 'busybox' },
    },
    tag: 'latest',
  })
}

async function seedTools(state: RegistryState, { tools, changes }: SeedLayers): Promise<void> {
  const tools12 = await push(state, await repository(state, 'library/debian-tools'), {
    family: 'oci',
    layers: [tools, changes],
    config: { Env: [searchPath, 'LANG=C.UTF-8'], Cmd: ['sh'], WorkingDir: '/root' },
    tag: '12',
  })
  tools12.scan = { completedAtMs: seedTimeMs, findings: seedFindings }
  await state.repositories.save(await repository(state, 'library/debian-tools'))
}

/** Invented, like the image; their form is that of basic scanning. */
const seedFindings: readonly ScanFinding[] = [
  finding('CVE-2021-0001', 'CRITICAL', 'tar', '1.34-1'),
  finding('CVE-2021-0002', 'HIGH', 'coreutils', '9.1-1'),
  finding('CVE-2021-0003', 'MEDIUM', 'tar', '1.34-1'),
  finding('CVE-2021-0004', 'MEDIUM', 'gzip', '1.12-1'),
]

function finding(
  name: string,
  severity: ScanFinding['severity'],
  program: string,
  version: string,
): ScanFinding {
  return {
    name,
    severity,
    description: `an invented finding in ${program}`,
    uri: `https://security-tracker.debian.org/tracker/${name}`,
    attributes: [
      { key: 'package_name', value: program },
      { key: 'package_version', value: version },
    ],
  }
}

/** Two tags that share a large layer, and a repository with more tags than one page holds. */
async function seedHello(state: RegistryState, { shell, hello }: SeedLayers): Promise<void> {
  const name = 'science/hello'
  const image = (version: '1.0' | '1.1'): SeedImage => ({
    family: 'oci',
    layers: [shell, hello[version]],
    config: {
      Env: [searchPath, 'GREETING=Hello'],
      Entrypoint: ['/usr/local/bin/hello'],
      Cmd: ['world'],
      Labels: {
        'org.opencontainers.image.title': name,
        'org.opencontainers.image.version': version,
      },
    },
    tag: version,
  })
  await push(state, await repository(state, name), image('1.0'))
  await push(state, await repository(state, name), image('1.1'))
  const nightly = await repository(state, 'science/nightly')
  const { digest } = await push(state, nightly, { ...image('1.1'), tag: 'nightly' })
  for (let build = 120; build > 0; build -= 1) nightly.tags.set(`build-${build}`, digest)
  await state.repositories.save(nightly)
}

/** An index of two platforms; the one that is not this machine's has its config, not its programs. */
async function seedMulti(state: RegistryState, { shell, changes }: SeedLayers): Promise<void> {
  const multi = await repository(state, 'library/multi')
  const own = hostArchitecture()
  const manifests: unknown[] = []
  for (const architecture of [own, own === 'arm64' ? 'amd64' : 'arm64']) {
    const image = await push(state, multi, {
      family: 'oci',
      layers: architecture === own ? [shell, changes] : [shell],
      architecture,
      config: { Env: [searchPath], Cmd: ['sh'], Labels: { platform: `linux/${architecture}` } },
    })
    const { byteLength: size } = await state.blobs.read(image.digest)
    const platform = { architecture, os: 'linux' }
    manifests.push({ mediaType: image.mediaType, digest: image.digest, size, platform })
  }
  const index = { schemaVersion: 2, mediaType: indexType, manifests }
  const bytes = Buffer.from(JSON.stringify(index))
  await pushImage(state, { repository: multi, bytes, contentType: indexType, tag: 'latest' })
}

async function repository(state: RegistryState, name: string): Promise<Repository> {
  return state.repositories.get(name) ?? state.repositories.create(name, seedTimeMs)
}

async function push(
  state: RegistryState,
  target: Repository,
  image: SeedImage,
): Promise<StoredImage> {
  const types = mediaTypes[image.family]
  const config = Buffer.from(JSON.stringify(configOf(image)))
  const blobs = [config, ...image.layers.map((layer) => layer.bytes)]
  for (const bytes of blobs) await putBlob(state, target, bytes)
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, size: config.byteLength, digest: digestOf(config) },
    layers: image.layers.map(({ bytes, digest }) => {
      return { mediaType: types.layer, size: bytes.byteLength, digest }
    }),
  }
  return pushImage(state, {
    repository: target,
    bytes: Buffer.from(JSON.stringify(manifest, null, 2)),
    contentType: types.manifest,
    tag: image.tag,
  })
}

function configOf({ layers, config, architecture = hostArchitecture() }: SeedImage): unknown {
  const created = new Date(seedTimeMs).toISOString()
  return {
    created,
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created, created_by: 'sregistry local-ecr --seed' })),
  }
}

async function putBlob(state: RegistryState, target: Repository, bytes: Uint8Array): Promise<void> {
  const digest = digestOf(bytes)
  if ((await state.blobs.sizeBytes(digest)) === undefined) await state.blobs.put(bytes)
  target.layers.set(digest, bytes.byteLength)
}

/** In Go's names, as image configs have it. */
function hostArchitecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }
  return names[process.arch] ?? process.arch
}
