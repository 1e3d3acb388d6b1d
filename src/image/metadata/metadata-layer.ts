/**
 * The metadata layer, `environment.tar`: all that makes a container image a Singularity image, as one
 * more layer on top of the image's own (FORMATS § 5.1). How its entries meet what is there already
 * says metadata-rules.ts. The same config and options give the same bytes.
 */
import { actionScripts } from './actions.ts'
import { deffileText } from './deffile.ts'
import {
  appsScript,
  baseScript,
  dockerEnvScript,
  environmentScript,
  lastScript,
  runtimeVariablesScript,
} from './env-script.ts'
import { imageLabels, labelsJson } from './labels.ts'
import {
  imageTime,
  type MetadataConfig,
  type MetadataOptions,
  refuseNul,
} from './metadata-config.ts'
import { bindTargets, mountPoints, ownDirectories, rootSymlinks } from './metadata-rules.ts'
import { runscriptText, startscriptText } from './runscript.ts'

/** One entry of the layer; everything belongs to root. */
export type MetadataEntry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'file'; readonly text: string }
)

/**
 * The layer as a plain tar archive (POSIX ustar; all names are short ASCII), in chunks.
 * @throws {SregistryError} MANIFEST_INVALID when the config has a NUL byte in a variable or argument.
 */
export async function* metadataLayerTar(
  config: MetadataConfig,
  options: MetadataOptions,
): AsyncGenerator<Uint8Array> {
  const { Header } = await import('tar')
  const mtime = new Date(imageTime(config, options.sourceDateEpoch) * 1000)
  for (const entry of metadataEntries(config, options)) {
    const body = Buffer.from(entry.kind === 'file' ? entry.text : '')
    const header = new Header({
      path: entry.kind === 'directory' ? `${entry.path}/` : entry.path,
      type: entryTypes[entry.kind],
      linkpath: entry.kind === 'symlink' ? entry.target : '',
      mode: entry.mode,
      uid: 0,
      gid: 0,
      size: body.length,
      mtime,
    })
    const headerBlock = Buffer.alloc(blockBytes)
    header.encode(headerBlock)
    yield Buffer.concat([headerBlock, body, Buffer.alloc(paddingOf(body.length))])
  }
  yield Buffer.alloc(2 * blockBytes)
}

const entryTypes = { directory: 'Directory', symlink: 'SymbolicLink', file: 'File' } as const

const blockBytes = 512

function paddingOf(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes
}

/**
 * What the layer holds, parents first.
 * @throws {SregistryError} MANIFEST_INVALID when the config has a NUL byte in a variable or argument.
 */
export function metadataEntries(
  config: MetadataConfig,
  options: MetadataOptions,
): readonly MetadataEntry[] {
  refuseNul(config)
  return [
    ...[...ownDirectories, ...mountPoints].map((path) => directory(path)),
    ...[...bindTargets].map(([path, text]) => file(path, 0o644, text)),
    ...[...rootSymlinks].map(([path, target]) => symlink(path, target)),
    ...Object.entries(actionScripts).map(([name, text]) =>
      file(`.singularity.d/actions/${name}`, 0o755, text),
    ),
    ...Object.entries(environmentScripts(config)).map(([name, text]) =>
      file(`.singularity.d/env/${name}`, 0o755, text),
    ),
    file('.singularity.d/runscript', 0o755, runscriptOf(config)),
    file('.singularity.d/startscript', 0o755, startscriptText),
    file('.singularity.d/Singularity', 0o644, deffileText(options.reference)),
    file('.singularity.d/labels.json', 0o644, labelsJson(imageLabels(config, options))),
  ]
}

/** The files of /.singularity.d/env by name, in the order in which a runtime sources them. */
export function environmentScripts({ config }: MetadataConfig): Readonly<Record<string, string>> {
  return {
    '01-base.sh': baseScript,
    '10-docker2singularity.sh': dockerEnvScript(config.Env),
    '90-environment.sh': environmentScript,
    '95-apps.sh': appsScript,
    '99-base.sh': lastScript,
    '99-runtimevars.sh': runtimeVariablesScript,
  }
}

/** The runscript of a config's Entrypoint and Cmd. */
export function runscriptOf({ config }: MetadataConfig): string {
  return runscriptText({ entrypoint: config.Entrypoint, command: config.Cmd })
}

function directory(path: string): MetadataEntry {
  return { kind: 'directory', path, mode: 0o755 }
}

function symlink(path: string, target: string): MetadataEntry {
  return { kind: 'symlink', path, mode: 0o777, target }
}

function file(path: string, mode: number, text: string): MetadataEntry {
  return { kind: 'file', path, mode, text }
}
