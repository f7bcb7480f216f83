export * from './ed25519.ts'
export * from './errors.ts'
