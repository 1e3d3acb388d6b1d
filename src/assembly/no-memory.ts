/** Throws, in JavaScript. */
export declare function noMemory(): void
