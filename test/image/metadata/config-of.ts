/** Configs for tests of the metadata layer. */
import type { MetadataConfig } from '../../../src/image/metadata/metadata-config.ts'

/** A config with what a test is about; all else as in an empty image. */
export function configOf(
  config: Partial<MetadataConfig['config']>,
  rest: Partial<Omit<MetadataConfig, 'config'>> = {},
): MetadataConfig {
  return {
    architecture: 'amd64',
    created: '2024-02-29T23:05:09.5Z',
    ...rest,
    config: { Env: [], Entrypoint: [], Cmd: [], Labels: {}, ...config },
  }
}
