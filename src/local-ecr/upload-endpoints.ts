/**
 * `/v2/N/blobs/uploads/…`: POST opens, PATCH adds, PUT ends an upload. A mount only opens one, as ECR
 * does without its blob-mounting setting.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isDigest } from './blob-store.ts'
import { absoluteUrl, type DataPlaneRequest, repositoryOf } from './data-plane-request.ts'
import { RegistryError, withVersion } from './registry-error.ts'
import { emptyReply, type Reply } from './reply.ts'

type Upload = {
  readonly repository: string
  readonly path: string
  readonly hash: Hash
  sizeBytes: number
}

/** Uploads that are open; a restart forgets them. */
export class Uploads {
  readonly #open = new Map<string, Upload>()

  /** POST: 202 with the place to send bytes to; with `?digest=` and a body the whole in one request. */
  async start(call: DataPlaneRequest): Promise<Reply> {
    repositoryOf(call)
    const id = randomUUID()
    const path = call.state.blobs.temporaryPath()
    this.#open.set(id, { repository: call.name, path, hash: createHash('sha256'), sizeBytes: 0 })
    const inOne = { ...call, reference: id }
    return call.url.searchParams.has('digest') ? this.finish(inOne) : accepted(inOne, 0)
  }

  /** PATCH: a chunk, which must begin where the last one ended. */
  async append(call: DataPlaneRequest): Promise<Reply> {
    const upload = this.#find(call)
    checkChunkStart(call, upload)
    await receive(call, upload)
    return accepted(call, upload.sizeBytes)
  }

  /** GET: how far it is. */
  async progress(call: DataPlaneRequest): Promise<Reply> {
    return { ...accepted(call, this.#find(call).sizeBytes), status: 204 }
  }

  /** PUT `?digest=`: the last bytes, if any; the blob appears when its digest is right. */
  async finish(call: DataPlaneRequest): Promise<Reply> {
    const { state, url, name, reference } = call
    const upload = this.#find(call)
    const repository = repositoryOf(call)
    checkChunkStart(call, upload)
    await receive(call, upload)
    this.#open.delete(reference)
    const digest = url.searchParams.get('digest') ?? ''
    const actual = `sha256:${upload.hash.digest('hex')}`
    if (!isDigest(digest) || digest !== actual) {
      await rm(upload.path, { force: true })
      const text = `provided digest did not match uploaded content: ${digest}`
      throw new RegistryError(400, 'DIGEST_INVALID', text)
    }
    await state.blobs.commit(upload.path, digest)
    repository.layers.set(digest, upload.sizeBytes)
    await state.repositories.save(repository)
    const location = absoluteUrl(call, `/v2/${name}/blobs/${digest}`)
    return emptyReply(201, withVersion({ location, 'docker-content-digest': digest }))
  }

  /** DELETE: gives up. */
  async cancel(call: DataPlaneRequest): Promise<Reply> {
    const upload = this.#find(call)
    this.#open.delete(call.reference)
    await rm(upload.path, { force: true })
    return emptyReply(204, withVersion({}))
  }

  #find({ reference, name }: DataPlaneRequest): Upload {
    const upload = this.#open.get(reference)
    if (upload === undefined || upload.repository !== name) {
      throw new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    }
    return upload
  }
}

function checkChunkStart({ request }: DataPlaneRequest, upload: Upload): void {
  const start = /^(?:bytes )?(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1]
  if (start !== undefined && Number(start) !== upload.sizeBytes) {
    const text = `expected a chunk that begins at ${upload.sizeBytes}, not at ${start}`
    throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', text)
  }
}

async function receive({ request }: DataPlaneRequest, upload: Upload): Promise<void> {
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      upload.hash.update(chunk)
      upload.sizeBytes += chunk.byteLength
      done(null, chunk)
    },
  })
  await pipeline(request, count, createWriteStream(upload.path, { flags: 'a' }))
}

function accepted(call: DataPlaneRequest, sizeBytes: number): Reply {
  const headers = {
    location: absoluteUrl(call, `/v2/${call.name}/blobs/uploads/${call.reference}`),
    'docker-upload-uuid': call.reference,
    range: `0-${Math.max(0, sizeBytes - 1)}`,
    'content-length': '0',
  }
  return emptyReply(202, withVersion(headers))
}
