/** A private certificate authority, and a certificate of it for names of this machine. Needs openssl. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type PrivateAuthority = {
  /** File with the authority's own certificate: what clients are to trust. */
  readonly bundle: string
  /** PEM of the server's certificate and key, for all the names. */
  readonly cert: string
  readonly key: string
}

const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']

/** @param directory Where the files are made. */
export function makePrivateAuthority(
  directory: string,
  names: readonly string[] = [],
): PrivateAuthority {
  const at = (name: string) => join(directory, name)
  const make = (name: string, ...more: readonly string[]) =>
    execFileSync(
      'openssl',
      ['req', '-x509', ...kind, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), ...more],
      { stdio: 'pipe' },
    )
  make('authority', '-subj', '/CN=A site of its own')
  const served = ['DNS:localhost', 'IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)].join(',')
  const signed = ['-CA', at('authority.pem'), '-CAkey', at('authority.key')]
  const extensions = ['-addext', `subjectAltName=${served}`, '-addext', 'basicConstraints=CA:FALSE']
  make('server', '-subj', '/CN=localhost', ...signed, ...extensions)
  return {
    bundle: at('authority.pem'),
    cert: readFileSync(at('server.pem'), 'utf8'),
    key: readFileSync(at('server.key'), 'utf8'),
  }
}
