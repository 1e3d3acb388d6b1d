/** Secrets that are planted to be looked for: as they are, and as programs encode them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** All characters that encodings change are in it, and its length is that of a true secret key. */
const planted = (name: string) => `Planted/${name}+${'x'.repeat(24)}=Z`

export const plantedSecrets = {
  ownSecretKey: planted('Own'),
  awsSecretKey: planted('Aws'),
  sessionToken: `IQoJ${planted('Ses')}`,
  dockerPassword: planted('Doc'),
  nvidiaToken: planted('Nvi'),
  proxyPassword: planted('Prx'),
} as const

/** What a text holds of the secrets, by name and encoding: nothing, if all is well. */
export function secretsIn(
  text: string,
  secrets: Readonly<Record<string, string>> = plantedSecrets,
): readonly string[] {
  const known = Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(encodings(secret))
      .filter(([, form]) => text.includes(form))
      .map(([encoding]) => `${name} (${encoding})`),
  )
  const made = Object.entries(madeSecrets).filter(([, form]) => form.test(text))
  return [...known, ...made.map(([name]) => name)]
}

/** What is made while a program runs: known by its form. */
const madeSecrets: Readonly<Record<string, RegExp>> = {
  'a password of ECR': /eyJwYXlsb2FkIjoi[\w+/=-]{40}/,
  'a token of ECR': /QVdTOmV5Snd[\w+/=-]{40}/,
  'a signed URL': /X-Amz-Signature(?:=|%3D|":\s*")[0-9a-f]{16}/i,
  'a signature of a request': /Signature=[0-9a-f]{64}/,
}

function encodings(secret: string): Readonly<Record<string, string>> {
  return {
    plain: secret,
    'URL-encoded': encodeURIComponent(secret),
    'as JSON': JSON.stringify(secret).slice(1, -1),
    ...Object.fromEntries(
      [0, 1, 2].map((shift) => [`base64, ${shift}`, insideBase64(secret, shift)]),
    ),
  }
}

/** The part of a base64 text that the secret alone decides, when `shift` bytes precede it. */
function insideBase64(secret: string, shift: number): string {
  const text = Buffer.from(' '.repeat(shift) + secret).toString('base64')
  return text.slice(shift === 0 ? 0 : 4, Math.floor((shift + secret.length) / 3) * 4)
}

/** Files below a directory that hold one, with what they hold; `isExempt` tells where they may stand. */
export function filesWithSecrets(
  directory: string,
  isExempt: (path: string) => boolean,
): readonly string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return paths
    .filter((path) => !isExempt(path) && statSync(join(directory, path)).isFile())
    .flatMap((path) =>
      secretsIn(readFileSync(join(directory, path), 'latin1')).map((found) => `${path}: ${found}`),
    )
}
