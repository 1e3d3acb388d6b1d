/** The part of the WebAssembly API that is used here; TypeScript has it only with the types of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports?: object)
    readonly exports: object
  }
  class Memory {
    /** @param descriptor In pages of 64 KiB. */
    constructor(descriptor: { readonly initial: number })
    readonly buffer: ArrayBuffer
  }
}
