/** The line that says where one is, as users of the ancestor know it. */

export type BannerFacts = {
  /** `aws`, `docker`, `nvidia`, `ecr-public` */
  readonly client: string
  /** URI of the catalogue, or undefined when it is disabled. */
  readonly database: string | undefined
}

/** `[client|aws] [database|sqlite:////home/u/.singularity/sregistry.db]` */
export function formatBanner(facts: BannerFacts): string {
  const client = `[client|${facts.client}]`
  return facts.database === undefined ? client : `${client} [database|${facts.database}]`
}
