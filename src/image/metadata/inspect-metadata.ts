/**
 * The JSON objects beside the image in a SIF file (FORMATS § 6.3): `inspect-metadata.json`, which
 * `apptainer inspect` reads so that it need not start the container, and `oci-config.json`, which the
 * `oci` commands read.
 */
import { deffileText } from './deffile.ts'
import { imageLabels } from './labels.ts'
import type { MetadataConfig, MetadataOptions } from './metadata-config.ts'
import { environmentScripts, runscriptOf } from './metadata-layer.ts'
import { startscriptText } from './runscript.ts'

/** `inspect-metadata.json`: the output of `inspect --all --json`, empty members left out. */
export function inspectMetadataJson(config: MetadataConfig, options: MetadataOptions): string {
  const attributes = {
    labels: Object.fromEntries(imageLabels(config, options)),
    deffile: withoutTrailingNewlines(deffileText(options.reference)),
    runscript: withoutTrailingNewlines(runscriptOf(config)),
    startscript: withoutTrailingNewlines(startscriptText),
    environment: inspectedEnvironment(config),
  }
  return JSON.stringify({ data: { attributes }, type: 'container' })
}

/**
 * `oci-config.json`.
 * @param rawConfig The `config` object of the image's config as it stands in the blob; undefined or
 *   null where it has none.
 */
export function ociConfigJson(rawConfig: unknown): string {
  return JSON.stringify(rawConfig ?? {})
}

/** Only the scripts that belong to the image; the others are the same in all images. */
const inspectedNames = /^(10-docker.*|9.*-environment)\.sh$/

function inspectedEnvironment(config: MetadataConfig): Record<string, string> {
  const scripts = Object.entries(environmentScripts(config))
  return Object.fromEntries(
    scripts
      .filter(([name]) => inspectedNames.test(name))
      .map(([name, text]) => [`/.singularity.d/env/${name}`, withoutTrailingNewlines(text)]),
  )
}

function withoutTrailingNewlines(text: string): string {
  return text.replace(/\n+$/, '')
}
