/** A client that needs no registry: a few images in memory, pulls that take as long as they are told. */

class Cancelled extends Error {
  code = 'CANCELLED'
}

const repositories = ['library/busybox', 'library/alpine', 'science/numpy']
const tags = { 'library/busybox': ['1.36', '1.37', 'latest'], 'science/numpy': ['2.0'] }
const digest = (letter) => `sha256:${letter.repeat(64)}`

/**
 * @param SregistryError The library's class, as its errors are shown in their own way.
 * @param state What tests look at afterwards: `{ cleaned: [] }`.
 */
export function createFakeClient(
  SregistryError,
  name = 'aws',
  settings = {},
  state = { cleaned: [] },
) {
  const images = new Map()
  const fail = (reference) =>
    new SregistryError('NAME_UNKNOWN', `repository "${reference}" is not in the fake registry`, {
      hint: "client.search('') lists what is there",
    })
  const wait = (ms, signal, what) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        // A pull cleans up before it rejects.
        setTimeout(() => {
          state.cleaned.push(what)
          reject(
            new SregistryError('CANCELLED', `${what} was cancelled`, { hint: '1 layer is kept' }),
          )
        }, 20)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, ms)
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    })
  const list = (rows) => ({
    async *[Symbol.asyncIterator]() {
      yield* rows
    },
    // biome-ignore lint/suspicious/noThenProperty: the lists of the library are thenable
    then: (resolve, reject) => Promise.resolve(rows).then(resolve, reject),
  })
  const client = {
    name,
    place: settings.region ?? 'us-east-1',
    database: 'sqlite:////home/u/.singularity/sregistry.db',
    state,
    async pull(reference, { signal, onProgress } = {}) {
      if (Array.isArray(reference)) return Promise.all(reference.map((one) => client.pull(one)))
      const repository = reference.replace(/:[^/:]*$/, '')
      if (!repositories.includes(repository) && !repository.startsWith('slow'))
        throw fail(repository)
      const ms = Number(/^slow(\d+)/.exec(repository)?.[1] ?? 10)
      onProgress?.({
        type: 'resolved',
        name: reference,
        digest: digest('8'),
        layers: 1,
        bytes: 1000,
      })
      onProgress?.({ type: 'layer-start', layer: 0, label: '/c/sha256:8c5a.tar.gz', bytes: 1000 })
      for (let step = 0; step < 10; step++) {
        await wait(ms / 10, signal, `pull of ${reference}`)
        onProgress?.({ type: 'layer-progress', layer: 0, done: (step + 1) * 100, total: 1000 })
      }
      onProgress?.({ type: 'layer-done', layer: 0, label: '/c/sha256:8c5a.tar.gz', bytes: 1000 })
      onProgress?.({ type: 'line', text: 'Exploding /c/sha256:8c5a.tar.gz' })
      const path = `/home/u/.singularity/shub/${repository.replaceAll('/', '-')}:latest.simg`
      onProgress?.({ type: 'line', text: `Success! ${path}` })
      const image = {
        name: repository,
        tag: 'latest',
        digest: digest('8'),
        size: 2_200_000,
        path,
        format: 'squashfs',
        pulled: new Date(Date.now() - 5 * 60_000).toISOString(),
        command: () => [`singularity run ${path}`],
        toString: () => path,
      }
      images.set(repository, image)
      return image
    },
    async deaf(ms) {
      await new Promise((resolve) => {
        setTimeout(resolve, ms)
      })
      return 'heard nothing'
    },
    async layers(reference) {
      if (reference === 'library/none') throw fail(reference)
      return [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          digest: digest('a'),
          sizeBytes: 2_000_000,
        },
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          digest: digest('b'),
          sizeBytes: 500_000,
        },
      ]
    },
    async digest() {
      return digest('8')
    },
    async exists(reference) {
      return repositories.includes(reference)
    },
    async images() {
      return [...images.values()]
    },
    // elsewhere another repository
    repositories: () =>
      list(client.place === 'us-east-1' ? repositories : [`library/${client.place}`]),
    tags(repository) {
      const ms = Number(/^slow(\d+)/.exec(repository)?.[1] ?? 0)
      if (ms === 0) return list(tags[repository] ?? [])
      return new Promise((resolve) => {
        setTimeout(() => resolve(['1.36', '1.37']), ms)
      })
    },
    search: (query = '') => list(repositories.filter((one) => one.includes(query))),
    async policy(kind) {
      return JSON.stringify({ Version: '2012-10-17', kind }, undefined, 2)
    },
    use: (more) => createFakeClient(SregistryError, name, { ...settings, ...more }, state),
  }
  return client
}

export { Cancelled }
