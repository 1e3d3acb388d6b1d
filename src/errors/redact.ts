/**
 * Secrets taken out of text before anyone sees it: messages, causes, stacks, records (FAULTS § 7). The
 * one place for it; pure, and never in need of a list of what is secret, because the values of queries
 * and of credential headers are dropped unless known to be harmless.
 */

type Rule = readonly [pattern: RegExp, replacement: string | ((...groups: string[]) => string)]

// Query values that say nothing secret; every other value of a query falls (X-Amz-Signature,
// Key-Pair-Id, sig, token, code … need not be listed).
const harmlessQueryNames = new Set(['scope', 'service', 'n', 'last', 'digest'])

const rules: readonly Rule[] = [
  [/\b((?:AKIA|ASIA|ABIA|ACCA))[A-Z0-9]{16}\b/g, '$1…'],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '…'],
  [/\beyJ[\w+/=-]{60,}/g, '…'], // base64 of JSON: the password that ECR gives
  [/\b(?:IQoJ|FwoG|FQoG)[\w+/=]{16,}/g, '…'],
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, '…'],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1…@'],
  [
    /\b((?:proxy-)?authorization|set-cookie|cookie|x-amz-security-token|x-registry-auth)(['"]?\s*[:=]\s*['"]?)[^\r\n'"]+/gi,
    '$1$2…',
  ],
  [/\b(Basic|Bearer)\s+[\w+/=.~-]{8,}/g, '$1 …'],
  [
    /((?:access_?|refresh_?|identity_?|session_?|auth(?:orization)?_?)?(?:token|password|passwd|secret(?:_?access_?key)?|auth)["']?\s*[:=]\s*)(["'])(?:(?!\2).)*\2/gi,
    '$1$2…$2',
  ],
  [
    /(["']?\b[\w-]*(?:token|password|passwd|secret|auth)["']?\s*[:=]\s*["']?)[\w+/=.~%-]{8,}/gi,
    '$1…',
  ],
  [/(secret[\w-]*["']?\s*[:=]\s*["']?)[\w+/]{40}(?![\w+/])/gi, '$1…'],
  [
    /([?&])([^=&\s#"']+)=([^&\s#"']*)/g,
    (whole: string, mark: string, name: string) =>
      harmlessQueryNames.has(name.toLowerCase()) ? whole : `${mark}${name}=…`,
  ],
]

/** The same text with `…` in place of what looks like a secret. */
export function redact(text: string): string {
  return rules.reduce((current, [pattern, replacement]) => {
    return typeof replacement === 'string'
      ? current.replace(pattern, replacement)
      : current.replace(pattern, replacement)
  }, text)
}
