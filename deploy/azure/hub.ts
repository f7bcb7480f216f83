import { azureFunction } from './handle.ts'

export const hub = await azureFunction('hub')
