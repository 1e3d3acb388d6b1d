/**
 * The Singularity Image Format: offsets and numbers (sylabs/sif, pkg/sif; FORMATS § 6). All integers
 * are little endian, all structures packed.
 */

/** The global header, 128 bytes at the file's start. */
export const header = {
  sizeBytes: 128,
  /** char[32]: what makes the file executable, NUL-terminated. */
  launch: 0,
  /** char[10] */
  magic: 32,
  /** char[3] */
  version: 42,
  /** char[3]: architecture of the primary partition. */
  architecture: 45,
  /** 16 raw bytes */
  uuid: 48,
  /** i64 seconds */
  created: 64,
  modified: 72,
  /** i64 counts */
  descriptorsFree: 80,
  descriptorsTotal: 88,
  /** i64 bytes */
  descriptorsOffset: 96,
  descriptorsSize: 104,
  dataOffset: 112,
  dataSize: 120,
} as const

/** A descriptor, one per object; unused ones are all zero. */
export const descriptor = {
  sizeBytes: 585,
  /** i32, one of {@link dataTypes} */
  dataType: 0,
  /** u8 */
  used: 4,
  /** u32: number of the slot, from 1 */
  id: 5,
  /** u32 */
  group: 9,
  /** u32: another object, 0 for none */
  link: 13,
  /** i64 bytes */
  offset: 17,
  size: 25,
  sizeWithPadding: 33,
  /** i64 seconds */
  created: 41,
  modified: 49,
  /** i64 */
  uid: 57,
  gid: 65,
  /** char[128], NUL-padded */
  name: 73,
  nameBytes: 128,
  /** 384 bytes, their meaning by data type */
  extra: 201,
} as const

/** The extra field of a partition's descriptor. */
export const partitionExtra = {
  /** i32, one of {@link fileSystems} */
  fileSystem: 0,
  /** i32, one of {@link partitionTypes} */
  partitionType: 4,
  /** char[3] */
  architecture: 8,
} as const

export const launchScript = '#!/usr/bin/env run-singularity\n'
export const sifMagic = 'SIF_MAGIC\0'
export const sifVersion = '01\0'

export const dataTypes = { deffile: 0x4001, partition: 0x4004, genericJson: 0x4006 } as const
export const fileSystems = { squashfs: 1 } as const
export const partitionTypes = { primarySystem: 2 } as const

/** Objects that belong together carry this bit and the group's number. */
export const groupMask = 0xf000_0000
/** The group of everything that a build writes. */
export const defaultGroup = 1

/** Slots that new files have: room for signatures, which take one each. */
export const descriptorSlots = 48
export const descriptorsStart = 4096
export const dataStart: number = descriptorsStart + descriptorSlots * descriptor.sizeBytes
/** Partitions start at multiples of a page: loop devices and mmap want it. */
export const partitionAlignment = 4096

/** Unix value of Go's zero time: what the format's library writes into deterministic files. */
export const deterministicTime = -62_135_596_800n

const architectureCodes: ReadonlyMap<string, string> = new Map([
  ['386', '01'],
  ['amd64', '02'],
  ['arm', '03'],
  ['arm64', '04'],
  ['ppc64', '05'],
  ['ppc64le', '06'],
  ['mips', '07'],
  ['mipsle', '08'],
  ['mips64', '09'],
  ['mips64le', '10'],
  ['s390x', '11'],
  ['riscv64', '12'],
  ['loong64', '13'],
])

/** The code of an OCI architecture (a GOARCH name), NUL-terminated; `00` for one that SIF does not know. */
export function architectureCode(architecture: string | undefined): string {
  return `${architectureCodes.get(architecture ?? '') ?? '00'}\0`
}

/** The OCI architecture of a code, or undefined for `00` and unknown ones. */
export function architectureOfCode(code: string): string | undefined {
  const digits = code.slice(0, 2)
  for (const [architecture, known] of architectureCodes) if (known === digits) return architecture
  return undefined
}
