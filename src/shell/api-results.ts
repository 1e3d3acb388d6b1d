/** What stands behind the dot of a result of the API: for help, and for completion after a call. */
import { clientMethods, type ResultKind } from './api-help.ts'
import type { OptionHelp } from './api-options.ts'
import { memberNames } from './member-names.ts'

export type MemberHelp = OptionHelp & { readonly signature?: string }

/** The members of an image, in the order in which help lists them. */
export const imageMembers: { readonly [name: string]: MemberHelp } = {
  name: { summary: 'the repository, library/busybox' },
  tag: { summary: 'the tag that was asked for' },
  digest: { summary: 'digest of its manifest; undefined for an image that was added' },
  platform: { summary: 'linux/amd64' },
  client: { summary: 'the client it came from: aws, docker' },
  uri: { summary: 'the full reference, with its digest' },
  path: { summary: 'where the file lies' },
  size: { summary: 'bytes of the file' },
  format: { summary: 'squashfs or sif' },
  created: { summary: 'when the image was made' },
  pulled: { summary: 'when it was pulled or added' },
  labels: { summary: 'the labels of its config' },
  command: { signature: 'command()', summary: 'how to run it, one command a line' },
  toString: { signature: 'toString()', summary: 'the path' },
}

/** What stands in a client beside its methods. */
export const clientFacts: { readonly [name: string]: MemberHelp } = {
  name: { summary: 'aws, docker, nvidia or ecr-public' },
  place: { summary: 'where it works: a region, or the host of a registry' },
  database: { summary: 'where the catalogue is' },
  settings: { summary: 'every setting, and where its value comes from' },
}

const listKinds: readonly ResultKind[] = ['images', 'layers', 'tags', 'repositories']

/** Nothing may be run, so after a call stand the members of what it is declared to give. */
export function membersOfResult(kind: ResultKind | undefined): readonly string[] {
  if (kind === 'client') return Object.keys(clientMethods)
  if (kind === 'image') return Object.keys(imageMembers).filter((name) => name !== 'toString')
  const prototype = prototypeOf(kind)
  return prototype === undefined ? [] : memberNames(prototype, true)
}

/** For the kinds that are arrays and texts. */
export function prototypeOf(kind: ResultKind | undefined): object | undefined {
  if (kind === 'text') return String.prototype
  return kind !== undefined && listKinds.includes(kind) ? Array.prototype : undefined
}
