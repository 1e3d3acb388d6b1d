import { describe, expect, test } from 'vitest'
import {
  activateBackend,
  addBackendSetting,
  backendStatus,
  deactivateBackend,
  deleteBackend,
  listBackends,
  removeBackendSetting,
  type SettingsDocument,
  shownBackendSection,
} from '../../src/settings/backend-settings.ts'

const document: SettingsDocument = {
  SREGISTRY_CLIENT: 'aws',
  hub: { base: 'https://singularity-hub.org/api' },
  aws: { SREGISTRY_AWS_ID: '692517157806', SREGISTRY_AWS_SECRET: 'hunter2' },
}
const withCode = (code: string, message: string): object =>
  expect.objectContaining({ code, message: expect.stringContaining(message) })

test('the status counts sections and not SREGISTRY_CLIENT', () => {
  expect(backendStatus(document)).toEqual({ configured: ['hub', 'aws'], active: 'aws' })
  expect(backendStatus({})).toEqual({ configured: [], active: undefined })
})

test('the list has what can be used, and what the file keeps', () => {
  expect(listBackends(document)).toEqual(['aws', 'docker', 'nvidia', 'ecr-public', 'hub'])
})

test('a section is shown without its secrets', () => {
  expect(shownBackendSection(document, 'aws')).toEqual({
    SREGISTRY_AWS_ID: '692517157806',
    SREGISTRY_AWS_SECRET: '****',
  })
  expect(shownBackendSection(document, 'docker')).toEqual({})
  expect(() => shownBackendSection(document, 'swarm')).toThrow('swarm is not a known client.')
})

describe('adding', () => {
  test.each([
    ['aws', 'ZONE', 'SREGISTRY_AWS_ZONE'],
    ['aws', 'zone', 'SREGISTRY_AWS_ZONE'],
    ['aws', 'aws_zone', 'SREGISTRY_AWS_ZONE'],
    ['aws', 'SREGISTRY_AWS_ZONE', 'SREGISTRY_AWS_ZONE'],
    ['aws', 'OTHER', 'SREGISTRY_AWS_OTHER'],
    ['docker', 'cmd', 'SREGISTRY_DOCKER_CMD'],
    ['docker', 'DOCKERHUB_BASE', 'SREGISTRY_DOCKERHUB_BASE'],
    ['docker', 'BASE', 'SREGISTRY_DOCKERHUB_BASE'],
    ['docker', 'SINGULARITY_DOCKER_USERNAME', 'SINGULARITY_DOCKER_USERNAME'],
    ['ecr-public', 'ZONE', 'SREGISTRY_ECR_PUBLIC_ZONE'],
    ['s3', 'BUCKET', 'SREGISTRY_S3_BUCKET'],
  ])('to %s: %s is %s', (backend, name, variable) => {
    const changed = addBackendSetting(document, backend, name, 'value')
    expect(changed.variable).toBe(variable)
    expect(changed.document).toMatchObject({ [backend]: { [variable]: 'value' } })
    expect(changed.document).toMatchObject({ hub: document['hub'], SREGISTRY_CLIENT: 'aws' })
  })

  test('what is set already changes only by force, and a secret is not quoted', () => {
    expect(() => addBackendSetting(document, 'aws', 'ID', '1')).toThrow(
      'SREGISTRY_AWS_ID is already set as 692517157806.',
    )
    expect(() => addBackendSetting(document, 'aws', 'SECRET', '1')).toThrow(
      'SREGISTRY_AWS_SECRET is already set as ****.',
    )
    const { document: forced } = addBackendSetting(document, 'aws', 'ID', '1', { force: true })
    expect(forced['aws']).toEqual({ SREGISTRY_AWS_ID: '1', SREGISTRY_AWS_SECRET: 'hunter2' })
    expect(document['aws']).toMatchObject({ SREGISTRY_AWS_ID: '692517157806' })
  })

  test.each([
    ['aws', 'a b'],
    ['aws', ''],
    ['aws', '__proto__ '],
    ['../x', 'ID'],
    ['SREGISTRY_CLIENT', 'ID'],
  ])('%s %j is refused', (backend, name) => {
    expect(() => addBackendSetting(document, backend, name, 'v')).toThrow()
  })
})

test('removing takes one setting, and says when there is none', () => {
  const { document: changed, variable } = removeBackendSetting(document, 'aws', 'secret')
  expect(variable).toBe('SREGISTRY_AWS_SECRET')
  expect(changed['aws']).toEqual({ SREGISTRY_AWS_ID: '692517157806' })
  expect(removeBackendSetting(document, 'hub', 'base').document['hub']).toEqual({})
  expect(() => removeBackendSetting(document, 'aws', 'ZONE')).toThrow(
    withCode('SETTING_MISSING', 'SREGISTRY_AWS_ZONE is not set for aws.'),
  )
})

test('activating, deactivating and deleting', () => {
  expect(backendStatus(activateBackend(document, 'docker')).active).toBe('docker')
  expect(() => activateBackend(document, 'swarm')).toThrow(
    withCode('SETTING_MISSING', 'swarm is not a known client.'),
  )
  expect(deactivateBackend(document)).toEqual({ hub: document['hub'], aws: document['aws'] })
  expect(deleteBackend(document, 'aws')).toEqual({ hub: document['hub'] })
  expect(deleteBackend(document, 'hub')).toMatchObject({ SREGISTRY_CLIENT: 'aws' })
  expect(() => deleteBackend(document, 'docker')).toThrow('docker is not a known client.')
})
