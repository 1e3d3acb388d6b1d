/** Values that a setting may take, for `.use name=` and `client.use({ name: '`. */
import { homedir } from 'node:os'
import { profileNames, readSharedConfig } from '../aws/shared-config.ts'
import { settingTable } from '../settings/setting-table.ts'
import { clientNames } from './api-options.ts'
import { fileNames } from './file-names.ts'
import type { ShellVariables } from './shell-candidates.ts'

/** @see https://docs.aws.amazon.com/general/latest/gr/ecr.html; any other may be typed. */
const regions: readonly string[] = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'ca-west-1'],
  ...['mx-central-1', 'sa-east-1', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1'],
  ...['eu-south-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'il-central-1', 'me-central-1'],
  ...['me-south-1', 'af-south-1', 'ap-east-1', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2'],
  ...['ap-northeast-3', 'ap-south-1', 'ap-south-2', 'ap-southeast-1', 'ap-southeast-2'],
  ...['ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-7', 'cn-north-1'],
  ...['cn-northwest-1', 'us-gov-east-1', 'us-gov-west-1'],
]

const known: {
  readonly [name: string]: (env: ShellVariables) => readonly string[]
} = {
  region: () => regions,
  SREGISTRY_AWS_ZONE: () => regions,
  SREGISTRY_CLIENT: () => clientNames,
  profile: (env) => profileNames(readSharedConfig(env, env['HOME'] ?? homedir())),
}

/** @param prefix What is typed of the value; files are looked for by it. */
export async function settingValues(
  name: string,
  prefix: string,
  env: ShellVariables,
): Promise<readonly string[]> {
  if (Object.hasOwn(known, name)) return known[name]?.(env) ?? []
  const kind = Object.entries(settingTable).find(([one]) => one === name)?.[1].kind
  if (kind === 'flag') return ['yes', 'no']
  return kind === 'path' ? fileNames(prefix) : []
}
