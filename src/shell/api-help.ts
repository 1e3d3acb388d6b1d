/**
 * What people can do with a client, method by method: for `help`, for completion, and for the shell to
 * know which argument takes the options. A test fails when a public method is missing here.
 */

import {
  addOptions,
  browseOptions,
  callOptions,
  doctorOptions,
  imageOptions,
  type OptionHelps,
  policyKinds,
  policyOptions,
  pullOptions,
  tokenOptions,
  useSettings,
} from './api-options.ts'

/** What stands at a place of the arguments, so that completion knows what to offer. */
export type ArgumentKind = 'reference' | 'repository' | 'image' | 'path' | 'client' | 'text'

/** How a result is shown. */
export type ResultKind =
  | 'image'
  | 'images'
  | 'layers'
  | 'tags'
  | 'repositories'
  | 'report'
  | 'text'
  | 'data'
  | 'client'

export type MethodHelp = {
  readonly signature: string
  readonly summary: string
  /** The arguments before the options. */
  readonly arguments: readonly ArgumentKind[]
  /** The values that the first argument takes, when they are few. */
  readonly values?: readonly string[]
  /** Position of the options, for the methods that take a signal. */
  readonly optionsAt: number | undefined
  /** How many of the arguments a call cannot do without. */
  readonly required: number
  readonly options: OptionHelps
  readonly result: ResultKind
  /** 'list' is both awaited as a whole and iterated as it comes; 'value' comes at once. */
  readonly returns: 'promise' | 'list' | 'value'
  readonly example: string
}

type Given = Pick<MethodHelp, 'signature' | 'summary' | 'result' | 'example'> &
  Partial<Pick<MethodHelp, 'options' | 'returns' | 'required' | 'values'>>

function method(given: Given, ...args: readonly ArgumentKind[]): MethodHelp {
  const defaults = { options: callOptions, returns: 'promise', required: args.length } as const
  return { ...defaults, ...given, arguments: args, optionsAt: args.length }
}

const remoteMethods: { readonly [name: string]: MethodHelp } = {
  pull: method(
    {
      signature:
        'pull(reference | [references], { name, format, compression, platform, cache, force, save })',
      summary: 'downloads an image and makes a Singularity image of it',
      options: pullOptions,
      result: 'image',
      example: "image = client.pull('library/busybox:latest')",
    },
    'reference',
  ),
  manifest: method(
    {
      signature: 'manifest(reference, { platform })',
      summary: 'the manifest of an image, without downloading layers',
      options: imageOptions,
      result: 'data',
      example: "client.manifest('library/busybox').layers.length",
    },
    'reference',
  ),
  config: method(
    {
      signature: 'config(reference, { platform })',
      summary: 'the config of an image: environment, entrypoint, labels, history',
      options: imageOptions,
      result: 'data',
      example: "client.config('library/busybox').config.Env",
    },
    'reference',
  ),
  layers: method(
    {
      signature: 'layers(reference, { platform })',
      summary: 'the layers of an image with their sizes',
      options: imageOptions,
      result: 'layers',
      example: "client.layers('library/busybox')",
    },
    'reference',
  ),
  digest: method(
    {
      signature: 'digest(reference, { platform })',
      summary: 'the digest that a tag stands for now',
      options: imageOptions,
      result: 'text',
      example: "client.digest('library/busybox:latest')",
    },
    'reference',
  ),
  repositories: method(
    {
      signature: 'repositories(glob?, { registryId })',
      options: browseOptions,
      required: 0,
      summary: 'the repositories of the registry',
      result: 'repositories',
      returns: 'list',
      example: "client.repositories('library/*')",
    },
    'repository',
  ),
  tags: method(
    {
      signature: 'tags(repository, { registryId })',
      options: browseOptions,
      summary: 'the tags of a repository',
      result: 'tags',
      returns: 'list',
      example: "client.tags('library/busybox')",
    },
    'repository',
  ),
  describe: method(
    {
      signature: 'describe(repository | reference, { registryId })',
      options: browseOptions,
      summary:
        'what the registry knows about a repository or an image: sizes, dates, digests, scans',
      result: 'data',
      example: "client.describe('library/busybox')",
    },
    'reference',
  ),
  search: method(
    {
      signature: 'search(query?, { registryId })',
      options: browseOptions,
      required: 0,
      summary: 'remote images whose repository or tag fits a pattern',
      result: 'images',
      returns: 'list',
      example: "client.search('busy')",
    },
    'repository',
  ),
  createRepository: method(
    {
      signature: 'createRepository(name, { registryId })',
      options: browseOptions,
      summary: 'makes a repository (aws)',
      result: 'data',
      example: "client.createRepository('library/mine')",
    },
    'text',
  ),
}

const accessMethods: { readonly [name: string]: MethodHelp } = {
  whoami: method({
    signature: 'whoami()',
    summary: 'the identity that the credentials stand for',
    result: 'data',
    example: 'client.whoami()',
  }),
  token: method({
    signature: 'token({ raw })',
    options: tokenOptions,
    summary: 'logs in and tells until when the token holds; with raw: true, the password itself',
    result: 'data',
    example: 'client.token()',
  }),
  ping: method({
    signature: 'ping()',
    summary: 'whether the registry answers',
    result: 'data',
    example: 'client.ping()',
  }),
  doctor: method(
    {
      signature: 'doctor(reference?, { fix, create })',
      options: doctorOptions,
      required: 0,
      summary: 'checks settings, credentials, network and storage step by step',
      result: 'report',
      returns: 'list',
      example: "client.doctor('library/busybox')",
    },
    'reference',
  ),
  policy: method(
    {
      signature: 'policy(kind?, { repository, readers })',
      options: policyOptions,
      values: policyKinds,
      required: 0,
      summary: 'the least IAM policy that allows it (aws)',
      result: 'text',
      example: "client.policy('pull', { repository: 'library/*' })",
    },
    'text',
  ),
  use: {
    ...method({
      signature: 'use(settings)',
      summary: 'the same client with other settings; this one stays as it is',
      result: 'client',
      returns: 'value',
      options: useSettings,
      example: "eu = client.use({ region: 'eu-west-1' })",
    }),
    optionsAt: undefined,
  },
}

const localMethods: { readonly [name: string]: MethodHelp } = {
  images: method(
    {
      signature: 'images(query?)',
      required: 0,
      summary: 'the images on this machine',
      result: 'images',
      example: "client.images('busybox')",
    },
    'image',
  ),
  get: method(
    {
      signature: 'get(name)',
      summary: 'one image of this machine',
      result: 'image',
      example: "client.get('library/busybox:latest').path",
    },
    'image',
  ),
  inspect: method(
    {
      signature: 'inspect(name)',
      summary: 'labels, environment and runscript of an image of this machine',
      result: 'data',
      example: "client.inspect('library/busybox:latest')",
    },
    'image',
  ),
  add: method(
    {
      signature: 'add(path, name, { copy })',
      options: addOptions,
      summary: 'takes an image file into storage and catalogue',
      result: 'image',
      example: "client.add('./mine.simg', 'lab/mine:1')",
    },
    'path',
    'text',
  ),
  mv: method(
    {
      signature: 'mv(name, path)',
      summary: 'moves the file of an image',
      result: 'image',
      example: "client.mv('lab/mine:1', '/scratch/mine.simg')",
    },
    'image',
    'path',
  ),
  rename: method(
    {
      signature: 'rename(name, to)',
      summary: 'gives an image another name',
      result: 'image',
      example: "client.rename('lab/mine:1', 'lab/mine:2')",
    },
    'image',
    'text',
  ),
  rm: method(
    {
      signature: 'rm(name)',
      summary: 'removes an image from catalogue and storage',
      result: 'data',
      example: "client.rm('lab/mine:1')",
    },
    'image',
  ),
  labels: method(
    {
      signature: 'labels(query?)',
      required: 0,
      summary: 'the labels of the images on this machine',
      result: 'data',
      example: "client.labels('maintainer')",
    },
    'text',
  ),
}

/** Every method of a client, in the order in which help lists them. */
export const clientMethods: { readonly [name: string]: MethodHelp } = {
  ...remoteMethods,
  ...localMethods,
  ...accessMethods,
}

export type GlobalHelp = {
  readonly signature: string
  readonly summary: string
  readonly example: string
}

/** What the shell itself puts at hand. */
export const shellGlobals: { readonly [name: string]: GlobalHelp } = {
  client: {
    signature: 'client',
    summary: 'the registry you work with; help(client) lists what it can do',
    example: "client.pull('library/busybox')",
  },
  help: {
    signature: 'help(thing)',
    summary: 'explains a method, an object or a command; `client.pull?` does the same',
    example: 'help(client.pull)',
  },
  print: {
    signature: 'print(...values)',
    summary: 'prints values as the prompt would; promises are awaited',
    example: 'print(client.images())',
  },
  table: {
    signature: 'table(rows)',
    summary: 'prints a list of objects as a table',
    example: "table(client.layers('library/busybox'))",
  },
  sleep: {
    signature: 'sleep(seconds)',
    summary: 'waits; Ctrl-C ends it',
    example: 'sleep(2)',
  },
}
