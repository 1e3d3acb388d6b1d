/** `tags/list` and `_catalog`: JSON sent as text/plain, absolute Link, a `last` that is no tag. */
import { absoluteUrl, type DataPlaneRequest, repositoryOf } from './data-plane-request.ts'
import { RegistryError, withVersion } from './registry-error.ts'
import { type Reply, textReply } from './reply.ts'

export async function listTags(call: DataPlaneRequest): Promise<Reply> {
  const { name } = call
  const { images, tags: all } = repositoryOf(call)
  const tags = [...all].filter(([, digest]) => !images.get(digest)?.isArchived).map(([tag]) => tag)
  return listReply(call, tags, `/v2/${name}/tags/list`, (page) => ({ name, tags: page }))
}

export async function listRepositories(call: DataPlaneRequest): Promise<Reply> {
  const names = call.state.repositories.list().map((repository) => repository.name)
  return listReply(call, names, '/v2/_catalog', (page) => ({ repositories: page }))
}

function listReply(
  call: DataPlaneRequest,
  all: readonly string[],
  path: string,
  body: (page: readonly string[]) => unknown,
): Reply {
  const { state, url } = call
  const asked = requestedSize(url)
  const page = state.pages.page(all, {
    binding: path,
    token: url.searchParams.get('last') ?? undefined,
    sizeItems: Math.min(asked, state.settings.pageSize),
  })
  if (page === undefined) {
    throw new RegistryError(
      405,
      'UNSUPPORTED',
      "Invalid parameter at 'last': not a page of this list",
    )
  }
  const headers: Record<string, string> = {}
  if (page.nextToken !== undefined) {
    const next = absoluteUrl(call, `${path}?last=${page.nextToken}&n=${asked}`)
    headers['link'] = `<${next}>; rel="next"`
  }
  const text = JSON.stringify(body(page.items))
  return textReply(200, 'text/plain; charset=utf-8', text, withVersion(headers))
}

function requestedSize(url: URL): number {
  const text = url.searchParams.get('n')
  if (text === null) return 100
  const size = Number(text)
  if (Number.isInteger(size) && size >= 1 && size <= 1000) return size
  const rule = size > 1000 ? 'less than or equal to 1000' : 'greater than or equal to 1'
  throw new RegistryError(
    405,
    'UNSUPPORTED',
    `Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value ${rule}'`,
  )
}
