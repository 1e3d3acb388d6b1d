/** The options of a client's methods, as help and completion tell them. */
import { backends, settingNames, settingTable } from '../settings/setting-table.ts'

export type OptionHelp = {
  readonly summary: string
  /** The values it takes, when they are few. */
  readonly values?: readonly string[]
}

export type OptionHelps = { readonly [name: string]: OptionHelp }

export const callOptions: OptionHelps = {
  signal: { summary: 'an AbortSignal that cancels the call; Ctrl-C has one already' },
}

export const browseOptions: OptionHelps = {
  registryId: { summary: 'account that owns the registry; default: the configured one (aws)' },
  ...callOptions,
}

export const imageOptions: OptionHelps = {
  platform: {
    summary: 'of a multi-platform image, this one; default: this machine’s',
    values: ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/ppc64le', 'linux/s390x'],
  },
  ...callOptions,
}

export const pullOptions: OptionHelps = {
  name: { summary: 'file name of the image; an ending .sif makes a SIF' },
  format: { summary: 'form of the image file', values: ['squashfs', 'sif'] },
  compression: {
    summary: 'of the blocks, with a level if wanted: gzip:9; default gzip:5',
    values: ['gzip', 'zstd', 'none'],
  },
  cache: { summary: 'keep packed layers for the next pull; default true' },
  force: { summary: 'replace the image that has this name; default false' },
  save: { summary: 'into storage and catalogue; false: into the working directory' },
  allRoot: { summary: 'give every file to root; default false: owners as in the layers' },
  fixPermissions: { summary: 'directories u+rwx, files u+rw, no setuid; default false' },
  onProgress: { summary: 'a function that gets the events of the pull' },
  ...imageOptions,
}

export const tokenOptions: OptionHelps = {
  raw: { summary: 'give the password itself, for scripts; default false' },
  ...callOptions,
}

export const policyKinds: readonly string[] = ['pull', 'browse', 'push', 'create', 'cross-account']

export const policyOptions: OptionHelps = {
  repository: { summary: 'a repository’s name, or a pattern with *; default: all of the registry' },
  readers: { summary: 'for cross-account: account ids and ARNs that shall pull' },
  ...callOptions,
}

export const doctorOptions: OptionHelps = {
  fix: { summary: 'keep the settings given for this run in the settings file; default false' },
  create: { summary: 'make the repository when it is missing; default false' },
  onProgress: { summary: 'a function that gets each rung as it is known' },
  ...callOptions,
}

export const addOptions: OptionHelps = {
  copy: { summary: 'copy the file; default: it is moved' },
  ...callOptions,
}

/** What `use` and `.use` take: short names, and every setting by its name in the environment. */
export const useSettings: OptionHelps = {
  region: { summary: 'AWS region' },
  registry: { summary: 'host of the registry' },
  account: { summary: 'AWS account that owns the registry' },
  profile: { summary: 'profile of ~/.aws/config' },
  endpoint: { summary: 'another endpoint for the AWS API' },
  ...Object.fromEntries(
    settingNames.map((name) => [name, { summary: settingTable[name].meaning }]),
  ),
}

/** What `.use` takes without an `=`. */
export const clientNames: readonly string[] = backends
