import type { SyntaxNode } from './syntax-node.ts'

export type ImportCode = { readonly names: readonly string[]; readonly text: string }

/** `import a, { b as c } from 'x'`, pasted from a module, means the same at the prompt. */
export function importAsCode(node: SyntaxNode): ImportCode {
  const loaded = `await __import(${node['source'].raw})`
  const specifiers: readonly SyntaxNode[] = node['specifiers']
  const targets: string[] = []
  let namespace: string | undefined
  for (const specifier of specifiers) {
    const local = String(specifier['local'].name)
    if (specifier.type === 'ImportNamespaceSpecifier') namespace = local
    else targets.push(`${importedName(specifier)}: ${local}`)
  }
  const whole = namespace === undefined ? loaded : `${namespace} = ${loaded}`
  const taken = targets.length === 0 ? whole : `{ ${targets.join(', ')} } = ${whole}`
  return {
    names: specifiers.map((specifier) => String(specifier['local'].name)),
    text: `void (${taken});`,
  }
}

function importedName(specifier: SyntaxNode): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  const { imported } = specifier
  return imported.type === 'Literal' ? imported.raw : imported.name
}
