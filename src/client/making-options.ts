/** What changes the bytes of an image beside the reference: compared before a file counts as the same. */
import type { MakingOptions } from '../catalog/image-record.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { PullOptions } from './call-options.ts'

/** Only what was asked for: an image made without any of it has an empty record of it. */
export function makingOptions(
  options: Pick<PullOptions, 'allRoot' | 'fixPermissions'>,
  env: Readonly<Record<string, string | undefined>>,
): MakingOptions {
  const epoch = sourceDateEpoch(env)
  return {
    ...(options.allRoot ? { allRoot: true } : {}),
    ...(options.fixPermissions ? { fixPermissions: true } : {}),
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
  }
}

export function isMadeTheSame(a: MakingOptions = {}, b: MakingOptions = {}): boolean {
  return (
    (a.allRoot ?? false) === (b.allRoot ?? false) &&
    (a.fixPermissions ?? false) === (b.fixPermissions ?? false) &&
    a.sourceDateEpoch === b.sourceDateEpoch
  )
}

/** @throws {SregistryError} SETTING_INVALID @see reproducible-builds.org, SOURCE_DATE_EPOCH */
function sourceDateEpoch(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = env['SOURCE_DATE_EPOCH']
  if (text === undefined || text === '') return undefined
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new SregistryError('SETTING_INVALID', `SOURCE_DATE_EPOCH is "${text.slice(0, 40)}"`, {
    hint: 'it is a number of seconds since 1970, or unset it',
  })
}
