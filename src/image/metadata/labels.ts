/**
 * labels.json: the image's own labels and what a build by Singularity adds to them (FORMATS § 5.4,
 * label-schema.org, OCI image spec annotations.md).
 */
import { imageTime, type MetadataConfig, type MetadataOptions } from './metadata-config.ts'

/** The labels of the finished image, sorted by the bytes of their names. */
export function imageLabels(
  config: MetadataConfig,
  options: MetadataOptions,
): ReadonlyMap<string, string> {
  const labels = new Map([
    ...baseAnnotations(options),
    ...Object.entries(config.config.Labels),
    ...buildLabels(config, options),
  ])
  return new Map([...labels].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
}

/** Labels as the JSON object that runtimes write: tabs, one per line, `{}` for none. */
export function labelsJson(labels: ReadonlyMap<string, string>): string {
  if (labels.size === 0) return '{}'
  // not JSON.stringify on an object, which puts names like "10" first
  const lines = [...labels].map(
    ([name, value]) => `\t${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  )
  return `{\n${lines.join(',\n')}\n}`
}

/** The image's own statement about its base, if it makes one, is kept. */
function baseAnnotations({ reference, digest }: MetadataOptions): [string, string][] {
  const base: [string, string][] = [['org.opencontainers.image.base.name', reference]]
  if (digest !== undefined) base.push(['org.opencontainers.image.base.digest', digest])
  return base
}

/** Labels about this file, not about the image: they replace what the image says. */
function buildLabels(config: MetadataConfig, options: MetadataOptions): [string, string][] {
  const labels: [string, string][] = [
    ['org.label-schema.schema-version', '1.0'],
    ['org.label-schema.build-date', buildDate(imageTime(config, options.sourceDateEpoch))],
    ['org.label-schema.usage.sregistry.version', options.version],
    ['org.label-schema.usage.singularity.deffile.bootstrap', 'docker'],
    ['org.label-schema.usage.singularity.deffile.from', options.reference],
  ]
  if (config.architecture) labels.push(['org.label-schema.build-arch', config.architecture])
  return labels
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
]

/** `Weekday_D_Month_YYYY_h:m:s_ZONE`, numbers unpadded, as Singularity's builds write it. */
function buildDate(seconds: number): string {
  const date = new Date(seconds * 1000)
  const day = `${weekdays[date.getUTCDay()]}_${date.getUTCDate()}_${months[date.getUTCMonth()]}`
  const time = `${date.getUTCHours()}:${date.getUTCMinutes()}:${date.getUTCSeconds()}`
  return `${day}_${date.getUTCFullYear()}_${time}_UTC`
}
