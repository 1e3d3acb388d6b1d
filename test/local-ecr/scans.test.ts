/** Scans, from the store to what `describe` shows, and as the real `aws` command reads them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AwsClient } from '../../src/client/aws-client.ts'
import { ClientContext } from '../../src/client/client-context.ts'
import type { ScanFinding } from '../../src/local-ecr/repository-store.ts'
import { loadSettings } from '../../src/settings/settings.ts'
import { hasTool } from '../fakes/tools.ts'
import { run, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true, pageSize: 2 })
})
afterAll(() => local.close())

async function scanShown(reference: string): Promise<unknown> {
  const env = { ...local.ecr.environment, SREGISTRY_DISABLE: '1' }
  const settings = loadSettings({ env, home: local.root })
  const client = new AwsClient(new ClientContext({ settings, env }))
  try {
    return (await client.describe(reference))['scan']
  } finally {
    await client.close()
  }
}

const seeded = { CRITICAL: 1, HIGH: 1, MEDIUM: 2 }

test('describe shows the scan of a seeded image, and that another was never scanned', async () => {
  expect(await scanShown('library/debian-tools:12')).toMatchObject({
    status: 'COMPLETE',
    counts: seeded,
    description: 'The scan was completed successfully. 4 findings were found.',
  })
  expect(await scanShown('library/busybox:latest')).toMatchObject({
    status: 'NOT_SCANNED',
    counts: {},
  })
})

test('a scan that a test records is what describe shows', async () => {
  const findings: ScanFinding[] = [{ name: 'CVE-2024-1', severity: 'LOW' }]
  await local.ecr.recordScan('science/hello', { imageTag: '1.0' }, findings)
  expect(await scanShown('science/hello:1.0')).toMatchObject({ counts: { LOW: 1 } })
  await expect(
    local.ecr.recordScan('science/hello', { imageTag: 'none' }, findings),
  ).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  await expect(local.ecr.recordScan('none', {}, findings)).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
  })
})

test('a scan that is not allowed is no reason to show nothing', async () => {
  const undo = local.ecr.policy.deny({ action: 'DescribeImageScanFindings' })
  expect(await scanShown('library/debian-tools:12')).toEqual({ status: 'NOT_ALLOWED' })
  undo()
})

describe.skipIf(!hasTool('aws'))('the aws command', () => {
  const aws = async (args: string) => {
    const all = ['--endpoint-url', local.ecr.apiUrl, '--output', 'json', ...args.split(' ')]
    return JSON.parse((await run('aws', all, { env: local.awsEnvironment() })).stdout)
  }

  test('reads the findings over more pages than one, and the status among the images', async () => {
    const tools = '--repository-name library/debian-tools'
    const scan = await aws(`ecr describe-image-scan-findings ${tools} --image-id imageTag=12`)
    expect(scan.imageScanFindings.findingSeverityCounts).toEqual(seeded)
    expect(scan.imageScanFindings.findings.map(({ name }: { name: string }) => name)).toEqual([
      'CVE-2021-0001',
      'CVE-2021-0002',
      'CVE-2021-0003',
      'CVE-2021-0004',
    ])
    const { imageDetails } = await aws(`ecr describe-images ${tools}`)
    expect(imageDetails[0].imageScanStatus.status).toBe('COMPLETE')
  })

  test('starts a scan, which finds nothing', async () => {
    const image = '--repository-name library/busybox --image-id imageTag=latest'
    const started = await aws(`ecr start-image-scan ${image}`)
    expect(started.imageScanStatus.status).toBe('IN_PROGRESS')
    const scan = await aws(`ecr describe-image-scan-findings ${image}`)
    expect(scan.imageScanStatus.status).toBe('COMPLETE')
    expect(scan.imageScanFindings.findings).toEqual([])
  })
})
