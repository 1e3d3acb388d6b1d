/** Things that registries store beside images, told by their media types, and what opens each. */

export type ArtifactKind = { readonly name: string; readonly hint: string }

const kinds: readonly (readonly [RegExp, string, string])[] = [
  [/^application\/vnd\.cncf\.helm\./, 'a Helm chart', 'use helm pull oci://…'],
  [/^application\/vnd\.cncf\.flux\./, 'a Flux artifact', 'use flux pull artifact'],
  [/^application\/vnd\.cncf\.(model|notary)\./, 'a CNCF artifact', 'use oras pull'],
  [/^application\/vnd\.dev\.(cosign|sigstore)\./, 'a cosign signature', 'use cosign verify'],
  [/^application\/vnd\.in-toto/, 'an attestation', 'use cosign verify-attestation'],
  [/^application\/vnd\.amazon\.soci\./, 'a SOCI index', 'pull the image it belongs to'],
  [/^application\/vnd\.(wasm|bytecodealliance)/, 'a WebAssembly module', 'use oras pull'],
  [/^application\/vnd\.docker\.plugin\./, 'a Docker plugin', 'use docker plugin install'],
  [
    /^application\/vnd\.docker\.distribution\.manifest\.v1\+/,
    'a Docker schema 1 manifest',
    'push the image again with any Docker since 2017',
  ],
  [/\+encrypted$/, 'an encrypted image', 'decrypt it first: skopeo copy --decryption-key'],
  [/^application\/vnd\.sylabs\.sif\./, 'a SIF file', 'use oras pull: it is an image already'],
  [/^application\/vnd\.oci\.(empty|artifact)\./, 'an OCI artifact', 'use oras pull'],
]

/** What a media type that is none of an image's stands for; undefined when it is not known. */
export function artifactKind(mediaType: string): ArtifactKind | undefined {
  const found = kinds.find(([pattern]) => pattern.test(mediaType))
  return found === undefined ? undefined : { name: found[1], hint: found[2] }
}
