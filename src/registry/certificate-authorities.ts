/** The certificate authorities that are trusted beyond Node's own. */
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { SregistryError } from '../errors/sregistry-error.ts'

const maxCertificateBytes = 1024 * 1024

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Node's roots and the files that people name for the aws command and OpenSSL; undefined when none is.
 * @throws {SregistryError} SETTING_INVALID when a file cannot be read.
 */
export async function certificateAuthorities(env: Environment): Promise<string[] | undefined> {
  const names = ['NODE_EXTRA_CA_CERTS', 'AWS_CA_BUNDLE', 'SSL_CERT_FILE']
  const set = names.filter((name) => env[name])
  if (set.length === 0) return undefined
  const files = await Promise.all(set.map((name) => readCertificates(name, env[name] ?? '')))
  return [...rootCertificates, ...files]
}

async function readCertificates(setting: string, path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length <= maxCertificateBytes) return text
    throw new Error(`larger than ${maxCertificateBytes} bytes`)
  } catch (cause) {
    const hint = `let ${setting} name a readable file of certificates (PEM)`
    const message = `the certificates of ${setting} cannot be read`
    throw new SregistryError('SETTING_INVALID', message, { hint, cause })
  }
}
