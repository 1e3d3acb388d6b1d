/** A record for tests, and variations of it. */
import type { ImageRecord } from '../../src/catalog/image-record.ts'

const host = '692517157806.dkr.ecr.us-east-1.amazonaws.com'

export const busybox: ImageRecord = {
  name: 'library/busybox',
  tag: 'latest',
  client: 'aws',
  uri: `aws://${host}/library/busybox:latest`,
  registry: host,
  digest: `sha256:${'a'.repeat(64)}`,
  platform: 'linux/amd64',
  path: '/home/u/.singularity/shub/library-busybox:latest.simg',
  sizeBytes: 1_234_567,
  sha256: 'b'.repeat(64),
  format: 'squashfs',
  compression: 'gzip:5',
  created: '2026-01-01T00:00:00Z',
  pulled: '2026-11-01T00:00:00.000Z',
  labels: { maintainer: 'somebody' },
  config: { entrypoint: [], cmd: ['sh'], envNames: ['PATH'], workingDir: '/' },
}

/** The same image under another name and tag, pulled at another minute. */
export function image(name: string, tag: string, minute: number): ImageRecord {
  return {
    ...busybox,
    name,
    tag,
    uri: `aws://${host}/${name}:${tag}`,
    path: `/images/${name.replaceAll('/', '-')}:${tag}.simg`,
    pulled: `2026-11-01T00:${String(minute).padStart(2, '0')}:00.000Z`,
  }
}
