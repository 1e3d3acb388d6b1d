/** The nodes of acorn's tree (ESTree), walked without knowing each kind. */
import type { Node } from 'acorn'

/** ESTree fields by name; which of them a node has follows from its `type`. */
// biome-ignore lint/suspicious/noExplicitAny: ESTree has some seventy kinds of node, and one walk over all of them
export type SyntaxNode = Node & { readonly [field: string]: any }

export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.values(node).flat().filter(isNode)
}

export function isFunction(node: SyntaxNode): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  )
}

/** The names that a pattern binds: `{ a, b: [c = 1, ...d] }` gives a, c and d. */
export function namesOfPattern(pattern: SyntaxNode): readonly string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern['name']]
    case 'ObjectPattern':
      return pattern['properties'].flatMap(namesOfPattern)
    case 'ArrayPattern':
      return pattern['elements'].filter(isNode).flatMap(namesOfPattern)
    case 'Property':
      return namesOfPattern(pattern['value'])
    case 'RestElement':
      return namesOfPattern(pattern['argument'])
    case 'AssignmentPattern':
      return namesOfPattern(pattern['left'])
    default:
      return []
  }
}

/** Whether the chain of accesses that ends in this node has a `?.` in it. */
export function hasOptionalLink(node: SyntaxNode): boolean {
  for (let link: SyntaxNode | undefined = node; link; link = link['object'] ?? link['callee']) {
    if (link.type === 'ChainExpression') return false
    if (link['optional']) return true
  }
  return false
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}
