/** A SIF with whatever bytes for a squashfs. */
import { sifPrefix } from '../../src/sif/sif-writer.ts'

export const deffile: Buffer = Buffer.from('bootstrap: docker\nfrom: library/busybox\n')
export const inspectJson: Buffer = Buffer.from('{"type":"container"}')
export const ociJson: Buffer = Buffer.from('{"Cmd":["sh"]}')

/** A file as the client writes it: the prefix, then the squashfs. */
export function sampleSif(
  squashfs: Uint8Array,
  architecture: string | undefined = 'amd64',
): Buffer {
  const { bytes } = sifPrefix({
    deffile,
    jsonObjects: [
      { name: 'oci-config.json', bytes: ociJson },
      { name: 'inspect-metadata.json', bytes: inspectJson },
    ],
    partitionBytes: squashfs.length,
    architecture,
  })
  return Buffer.concat([bytes, squashfs])
}
