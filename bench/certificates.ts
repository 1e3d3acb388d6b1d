/**
 * Settings of certificate authorities cost Node a third of its start and more, for what is measured and
 * for what it is measured by alike, so ratios are told with and without them.
 */
export type Certificates = 'certificates as set' | 'none set'

export const bothCertificates: readonly Certificates[] = ['certificates as set', 'none set']

const names = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'AWS_CA_BUNDLE']

/** Those settings of this process, for the environment of another. */
export function certificateSettings(certificates: Certificates): Record<string, string> {
  if (certificates === 'none set') return {}
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** This process's environment with those settings, or without them. */
export function environmentWith(certificates: Certificates): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !names.includes(name))
  return { ...Object.fromEntries(rest), ...certificateSettings(certificates) }
}
