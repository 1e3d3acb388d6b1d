/** A client of a local ECR, made from an environment alone, as a user's shell would have it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AwsClient } from '../../src/client/aws-client.ts'
import { ClientContext } from '../../src/client/client-context.ts'
import { SregistryError } from '../../src/errors/sregistry-error.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { loadSettings } from '../../src/settings/settings.ts'
import { withEnvironment } from '../aws/process-environment.ts'

export type AwsClientWorld = {
  readonly ecr: LocalEcr
  /** Home of the clients: settings, storage and catalogue are below it. */
  readonly home: string
  /** What clients warned of since the last `reset`. */
  readonly warnings: string[]
  /** Runs with a client that is closed afterwards; `env` is on top of the local ECR's. */
  use<Result>(run: (client: AwsClient) => Promise<Result>, env?: Variables): Promise<Result>
  /** The error that it rejects with; fails when it does not. */
  failure(run: (client: AwsClient) => Promise<unknown>, env?: Variables): Promise<SregistryError>
  /** Puts an image where it is listed and not to be pulled, as `aws ecr update-image-storage-class` does. */
  archive(repositoryName: string, imageTag: string): Promise<void>
  /** No faults, no denials, the true clock. */
  reset(): void
  close(): Promise<void>
}

type Variables = Readonly<Record<string, string | undefined>>

export async function openAwsClientWorld(): Promise<AwsClientWorld> {
  const home = await mkdtemp(join(tmpdir(), 'aws-client-'))
  const ecr = await startLocalEcr({ root: join(home, 'ecr'), seed: true })
  const warnings: string[] = []
  const use: AwsClientWorld['use'] = (run, env = {}) => {
    const whole = { HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...ecr.environment, ...env }
    return withEnvironment(whole, async () => {
      const settings = loadSettings({ env: whole, home })
      const onWarning = (text: string) => warnings.push(text)
      const client = new AwsClient(new ClientContext({ settings, env: whole, onWarning }))
      return run(client).finally(() => client.close())
    })
  }
  return {
    ecr,
    home,
    warnings,
    use,
    failure: async (run, env) => {
      const outcome = await use(run, env).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (outcome instanceof SregistryError) return outcome
      throw new Error('it was expected to fail with an error of ours', { cause: outcome })
    },
    archive: async (repositoryName, imageTag) => {
      const sdk = await import('@aws-sdk/client-ecr')
      const { apiUrl: endpoint, region, user: credentials } = ecr
      const api = new sdk.ECRClient({ endpoint, region, credentials })
      const input = {
        repositoryName,
        imageId: { imageTag },
        targetStorageClass: 'ARCHIVE',
      } as const
      await api.send(new sdk.UpdateImageStorageClassCommand(input))
      api.destroy()
    },
    reset: () => {
      warnings.length = 0
      ecr.faults.clear()
      ecr.policy.clear()
      ecr.settings.clockOffsetSeconds = 0
      ecr.settings.pageSize = 1000
    },
    close: async () => {
      await ecr.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}
