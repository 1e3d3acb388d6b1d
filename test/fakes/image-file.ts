/** Image files by the real build path, and the tree that umoci makes of the same image. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, buildImage } from '../../src/image/build-image.ts'
import { temporaryLayers } from '../../src/image/layer-store.ts'
import { defaultBlockSize } from '../../src/image/packing-parameters.ts'
import { parseCompression } from '../../src/squashfs/compression.ts'
import { createAtomicFile } from '../../src/storage/atomic-file.ts'
import { imageSource, type OciImage, type SourceOptions, writeOciLayout } from './oci-image.ts'
import type { TreeRecord } from './reference-tree.ts'
import { judge } from './squashfs-judges.ts'

export type ImageFileOptions = Partial<Omit<BuildOptions, 'parameters' | 'scratchPath'>> &
  SourceOptions & { readonly compression?: string; readonly blockSize?: number }

/** Builds the image into a file; its size is returned. */
export async function buildImageFile(
  image: OciImage,
  path: string,
  options: ImageFileOptions = {},
): Promise<number> {
  const { compression = 'gzip:1', blockSize = defaultBlockSize, ...given } = options
  const { delaysMs = [], opening = async () => undefined, ...build } = given
  const work = mkdtempSync(join(tmpdir(), 'sregistry-build-'))
  const output = await createAtomicFile(path, { place: 'output', mode: 0o644 })
  try {
    const size = await buildImage(imageSource(image, { delaysMs, opening }), output, {
      parameters: { compression: parseCompression(compression), blockSize },
      format: path.endsWith('.sif') ? 'sif' : 'squashfs',
      store: temporaryLayers(work),
      scratchPath: join(work, 'environment'),
      version: '0.0.0',
      ...build,
    })
    await output.commit({ replace: true })
    return size
  } finally {
    await output.abort()
    rmSync(work, { recursive: true, force: true })
  }
}

/** Where the squashfs begins: found by its magic, so without trusting what a SIF says of itself. */
export function squashfsOffset(path: string): number {
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += 4096) {
    if (bytes.toString('latin1', at, at + 4) === 'hsqs') return at
  }
  throw new Error(`${path} holds no squashfs`)
}

/** Unpacks the image with umoci, as root: owners, devices and xattrs as they are. @returns the root. */
export function unpackWithUmoci(image: OciImage, directory: string): string {
  mkdirSync(directory, { recursive: true })
  writeOciLayout(join(directory, 'oci'), image)
  const bundle = join(directory, 'bundle')
  judge('umoci', 'unpack', '--image', `${join(directory, 'oci')}:latest`, bundle)
  return join(bundle, 'rootfs')
}

/** Paths that the metadata layer puts into every image that lacks them (FORMATS § 5.1). */
const filledGaps: ReadonlySet<string> = new Set([
  ...['dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'var', 'var/tmp'],
  ...['etc/group', 'etc/hosts', 'etc/localtime', 'etc/passwd', 'etc/resolv.conf'],
  ...['.exec', '.run', '.shell', '.test', 'environment', 'singularity'],
])

/** The tree without what the metadata layer added to it. */
export function withoutMetadataLayer(
  records: readonly TreeRecord[],
  reference: readonly TreeRecord[],
): readonly TreeRecord[] {
  const known = new Set(reference.map(({ path }) => path))
  return records.filter(({ path }) => {
    if (path === '.singularity.d' || path.startsWith('.singularity.d/')) return false
    return known.has(path) || !filledGaps.has(path)
  })
}
